package web

import (
	"errors"
	"net/http"
)

// run has a run of a job begin, and does not wait for it. The body of the request is not read.
func (s *site) run(w http.ResponseWriter, r *http.Request) {
	job := r.PathValue("job")
	if s.Run == nil {
		fail(w, http.StatusServiceUnavailable, "no run can be asked for here")
		return
	}
	switch err := s.Run(job); {
	case err == nil:
		answer(w, http.StatusAccepted, struct {
			Status string `json:"status"`
			Job    string `json:"job"`
		}{"accepted", job})
	case errors.Is(err, ErrNoJob):
		fail(w, http.StatusNotFound, ErrNoJob.Error())
	case errors.Is(err, ErrRunning):
		fail(w, http.StatusConflict, ErrRunning.Error())
	default:
		fail(w, http.StatusServiceUnavailable, err.Error())
	}
}
