package main

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// redactor takes secrets out of text that leaves the program: log lines, errors, the webhook's payload. Libraries are
// careful already; this is for what restic, a server or a driver may repeat. The zero value knows no secrets and takes
// out what URLs hold.
type redactor struct{ secrets *strings.Replacer }

const redacted = "***"

// newRedactor knows the given secrets, also as they are written in URLs. Those shorter than 4 bytes are left alone,
// because taking them out would spoil every text, as are those equal to one of public: a password that is the role's
// name hides nothing.
func newRedactor(secrets []string, public ...string) redactor {
	var forms []string
	for _, secret := range secrets {
		if len(secret) < 4 || slices.Contains(public, secret) {
			continue
		}
		forms = append(forms, secret, url.QueryEscape(secret), url.User(secret).String())
	}
	// The replacer tries its patterns in the order given: the longest first, in case one is part of another.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, redacted)
	}
	return redactor{strings.NewReplacer(pairs...)}
}

// userinfo is what stands before the host in a URL. It goes to the last @, as a password that was not escaped may hold
// others.
var userinfo = regexp.MustCompile(`://[^\s"'<>]*@`)

// String is text without secrets.
func (r redactor) String(text string) string {
	text = userinfo.ReplaceAllString(text, "://"+redacted+"@")
	if r.secrets == nil {
		return text
	}
	return r.secrets.Replace(text)
}

// uriPassword is the password in a URI, as it is meant: without what URIs need.
func uriPassword(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	at := strings.LastIndex(rest, "@")
	if at < 0 {
		return ""
	}
	_, password, _ := strings.Cut(rest[:at], ":")
	if plain, err := url.PathUnescape(password); err == nil {
		return plain
	}
	return password
}
