package web

import "net/http"

// headers go with every answer. A page may load the stylesheet from here and nothing else: names of
// tables, which anybody may have chosen, stand in it, and what escaping might ever miss cannot run.
// Nothing is kept by whoever is between, nor told to the next site, nor shown within another.
var headers = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cache-Control":                "no-store",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
}

// withHeaders sets the headers of every answer. A handler that panics answers with 500: the
// connection would otherwise end without a word.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		defer func() {
			if fault := recover(); fault != nil && fault != http.ErrAbortHandler {
				fail(w, http.StatusInternalServerError, "this program has made a mistake in answering")
			} else if fault != nil {
				panic(fault)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
