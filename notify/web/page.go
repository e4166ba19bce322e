package web

import "net/http"

// pages names the addresses of the page, each of which passes the gate.
func (s *site) pages(handle func(pattern string, page http.HandlerFunc)) {
	handle("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/status", http.StatusTemporaryRedirect)
	})
}
