// Package web answers over HTTP what is known of the jobs of a process: whether all is well, for
// whatever restarts or pages; what is known, as JSON; the same as a page for people; and it takes
// the word that a run is to begin.
//
// It owns addresses, answers and who may see them. What is known it asks the board; it knows no
// database and no restic. [Serve] bounds what visitors may cost, [Ask] is the other end of
// /healthz.
package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/status"
)

// Config says what is answered and to whom.
type Config struct {
	Board   *status.Board
	Zone    *time.Location // of the times that people see
	Version string         // of the program
	Ready   func() error   // nil once runs can begin; else why they cannot yet, in words that anybody may read
	Metrics http.Handler   // nil: there are none

	// Run has a run of a job begin. The error is ErrNoJob, ErrRunning, or why else it does not.
	// nil: no run can be asked for.
	Run func(job string) error

	// Who may see more than health and metrics: those who bear the token, or name themselves so.
	// With neither only whoever comes from the machine itself.
	Token    string // bearer; also what POST /run needs
	User     string
	Password string
}

// Why a run that was asked for does not begin.
var (
	ErrNoJob   = errors.New("there is no job of this name")
	ErrRunning = errors.New("a run of this job goes on, or waits for its turn")
)

// site is the handler: what is answered, and to whom.
type site struct {
	Config
	gate gate
	now  func() time.Time
}

// New makes the handler.
func New(c Config) http.Handler { return newSite(c).handler() }

func newSite(c Config) *site {
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	return &site{Config: c, gate: newGate(c), now: time.Now}
}

// handler is the table of all addresses. What is open says no more than whether all is well, and
// figures; all else passes the gate.
func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.Metrics != nil {
		mux.Handle("GET /metrics", s.Metrics)
	}
	mux.HandleFunc("POST /run/{job}", s.gate.bearerOnly(s.run))
	mux.HandleFunc("GET /status", s.gate.visitors(s.status))
	mux.HandleFunc("GET /status/{job}", s.gate.visitors(s.details))
	s.pages(func(pattern string, page http.HandlerFunc) { mux.HandleFunc(pattern, s.gate.visitors(page)) })
	return withHeaders(mux)
}
