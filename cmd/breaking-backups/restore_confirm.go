package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/dump"
)

// errDeclined is why a restore ends whose question was not answered by yes. It is a failure, exit
// code 1: whoever goes on with the database that was to come back must not.
var errDeclined = errors.New("what --clean drops was not agreed to, and nothing was changed")

// dropsShown is how many of what is dropped the question names, as more would move it off the
// screen. The log and --dry-run name more.
const dropsShown = 20

// asks tells whether a person is there to be asked. Anywhere else --clean is enough.
func (a *app) asks() bool { return terminal.Is(a.stdin) && terminal.Is(a.stderr) }

// confirm asks whether what a restore drops may be dropped. Only a yes is one.
func (a *app) confirm(ctx context.Context, name string, target dump.Target) error {
	var question strings.Builder
	question.WriteString("This drops:\n")
	for _, drop := range target.Drops[:min(len(target.Drops), dropsShown)] {
		fmt.Fprintf(&question, "  %s\n", terminal.Visible(drop))
	}
	if more := len(target.Drops) - dropsShown; more > 0 {
		fmt.Fprintf(&question, "  and %d more\n", more)
	}
	fmt.Fprintf(&question, "Restore %s into %s? [y/N] ", terminal.Visible(name), terminal.Visible(destinationOf(target)))
	terminal.Discard(a.stdin) // what was typed while the dump was read
	fmt.Fprint(a.stderr, question.String())
	answer, err := a.answer(ctx)
	if err != nil {
		fmt.Fprintln(a.stderr) // what comes next is no answer
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errDeclined
}

// answer is the next line of stdin, or none once that ends. A read of a terminal cannot be ended:
// see copy.go.
func (a *app) answer(ctx context.Context) (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(a.stdin).ReadString('\n')
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		if l.err != nil {
			return "", errDeclined
		}
		return l.text, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// destinationOf says where a dump goes, the server in any case.
func destinationOf(target dump.Target) string {
	if target.Database == "" {
		return target.String()
	}
	return target.String() + " on " + target.Server
}
