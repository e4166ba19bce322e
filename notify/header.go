package notify

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// ParseHeader reads one header written as "Name: value". The error repeats nothing of it: where a
// secret is written without a name, what stands before its colon is a part of it.
func ParseHeader(s string) (name, value string, err error) {
	name, value, found := strings.Cut(s, ":")
	if !found {
		return "", "", fmt.Errorf("want Name: value, got no colon")
	}
	value = strings.TrimSpace(value)
	if err := checkHeader(name, value); err != nil {
		return "", "", err
	}
	return name, value, nil
}

// ParseHeaders reads headers written as "K=V,K=V" and adds them to h. A comma inside a value is
// written \, and a backslash \\. Blanks around names and values do not count; an empty string adds
// nothing.
func ParseHeaders(s string, h http.Header) error {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	for i, pair := range splitEscaped(s) {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return fmt.Errorf("want K=V,K=V, got no = in part %d", i+1)
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if err := checkHeader(name, value); err != nil {
			return fmt.Errorf("part %d: %w", i+1, err)
		}
		h.Add(name, value)
	}
	return nil
}

// splitEscaped splits s at commas and takes the backslashes away that keep a comma or a backslash
// as they are.
func splitEscaped(s string) []string {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == ',' || s[i+1] == '\\'):
			i++
			part.WriteByte(s[i])
		case s[i] == ',':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(s[i])
		}
	}
	return append(parts, part.String())
}

// checkHeader holds a header to what net/http sends: a token for a name (RFC 9110), no control
// characters in the value.
func checkHeader(name, value string) error {
	for i, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return fmt.Errorf("character %d of the header's name cannot be in one", utf8.RuneCountInString(name[:i])+1)
		}
	}
	if name == "" {
		return fmt.Errorf("a header's name is missing")
	}
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Errorf("the header's value holds a control character")
		}
	}
	return nil
}
