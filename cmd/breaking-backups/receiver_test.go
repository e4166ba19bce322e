package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
)

// receiver is a webhook's other end: it answers with the given statuses in turn, the last one from
// then on, and appends what it is sent to a file, each body a line.
type receiver struct {
	*httptest.Server

	mu       sync.Mutex
	statuses []int
}

func newReceiver(statuses []int, file string) *receiver {
	r := &receiver{statuses: statuses}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		status := r.statuses[0]
		if len(r.statuses) > 1 {
			r.statuses = r.statuses[1:]
		}
		if err := appendLine(file, req.Body); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(status)
	}))
	return r
}

func appendLine(path string, r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(append(body, '\n'))
	return err
}
