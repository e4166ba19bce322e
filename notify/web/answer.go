package web

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// answer writes a value as JSON. It is made whole before the first byte leaves.
func answer(w http.ResponseWriter, code int, value any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		code = http.StatusInternalServerError
		text.Reset()
		text.WriteString("{\"error\": \"this program has made a mistake in answering\"}\n")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(text.Bytes()) // who asked may have left
}

// fail answers why not.
func fail(w http.ResponseWriter, code int, reason string) {
	answer(w, code, struct {
		Error string `json:"error"`
	}{reason})
}
