package web

import (
	"net/http"

	"github.com/breaking-backups/breaking-backups/notify/status"
)

// health is what /healthz answers: 200 and ok, or 503 and why not. It is an interface to other
// people's programs: every field is always there.
type health struct {
	Status   string           `json:"status"` // ok or unhealthy
	Jobs     int              `json:"jobs"`   // that are known
	Problems []status.Problem `json:"problems"`
}

// The words of health.
const (
	ok        = "ok"
	unhealthy = "unhealthy"
)

// healthz tells whether the last good backups, and drills, are as fresh as the schedules promise.
func (s *site) healthz(w http.ResponseWriter, _ *http.Request) {
	h, code := health{Status: ok, Jobs: s.Board.Len(), Problems: s.Board.Health(s.now())}, http.StatusOK
	if len(h.Problems) > 0 {
		h.Status, code = unhealthy, http.StatusServiceUnavailable
	} else {
		h.Problems = []status.Problem{} // [], never null
	}
	answer(w, code, h)
}

// readyz tells whether runs can begin.
func (s *site) readyz(w http.ResponseWriter, _ *http.Request) {
	type readiness struct {
		Status string `json:"status"` // ready or not ready
		Reason string `json:"reason,omitempty"`
	}
	if s.Ready != nil {
		if err := s.Ready(); err != nil {
			answer(w, http.StatusServiceUnavailable, readiness{"not ready", err.Error()})
			return
		}
	}
	answer(w, http.StatusOK, readiness{Status: "ready"})
}
