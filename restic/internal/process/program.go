// Package process starts the restic program and sees to its end: its arguments and environment, its
// open files, what it says on standard error, when it is ended and how, and what its exit status
// means. It holds no lock of a repository and knows none of restic's commands; those are its
// callers'.
package process

import (
	"io"
	"os"
	"strings"
	"time"
)

// Program is the restic program, and how a run of it is watched. All fields are those of the same
// name of restic.Client.
type Program struct {
	Binary string
	Env    []string
	Stall  time.Duration
	Still  func(op string, since time.Duration)
	Said   func(line string)
	Grace  time.Duration

	refusedFor time.Duration // for tests: in place of refusedFor
}

const defaultGrace = 5 * time.Second

// Command is one run of restic.
type Command struct {
	Op     string     // what the caller asked for; begins every error
	Args   []string   // restic's arguments
	Env    []string   // added to Program.Env
	Stdin  *os.File   // nil: /dev/null
	Extra  []*os.File // further open files, from 3 on
	Stdout io.Writer  // nil: /dev/null

	// Long: it may be still for longer, as restic's own tries again may end well, and much is lost
	// where they are cut off.
	Long bool

	// Idle reports whether restic has nothing to do but wait for us. nil: it never is, except for
	// its stdout to be read.
	Idle func() bool

	// Finish lets a cancelled run go on until it ends by itself or Grace is over, instead of
	// interrupting it at once.
	Finish bool
}

// Getenv is what the child will find in its environment: of several equal names the last one
// counts.
func (p *Program) Getenv(name string) string {
	value := ""
	for _, entry := range p.Env {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			value = text
		}
	}
	return value
}

// Path is what Binary says, or its default.
func (p *Program) Path() string {
	if p.Binary == "" {
		return "restic"
	}
	return p.Binary
}

func (p *Program) grace() time.Duration {
	if p.Grace == 0 {
		return defaultGrace
	}
	return p.Grace
}
