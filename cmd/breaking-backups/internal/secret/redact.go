// Package secret is what keeps secrets from leaving the program: it knows which parts of an address
// and which variables of an environment hold them, and takes those that are known out of text.
// Where they come from, and when their files are read again, is the settings' matter.
package secret

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Redactor takes secrets out of text that leaves the program: log lines, errors, the webhook's
// payload. It is the second net. The first is that no error of ours holds a secret: what reads a
// secret tells the variable and the place. The second is for what restic, a server or a driver may
// repeat. The zero value knows no secrets and takes out what URLs hold.
type Redactor struct{ *knownSecrets }

// knownSecrets grow while the program runs: files of secrets are read anew, and those that were are
// still in messages.
type knownSecrets struct {
	mu       sync.RWMutex
	forms    []string // the longest first, in case one is part of another
	replacer *strings.Replacer
}

const redacted = "***"

// NewRedactor knows the given secrets, in every form in which programs write them. Those that are
// equal to one of public are left alone, as a password that is the role's name hides nothing, and
// so are those that a text may hold by chance.
func NewRedactor(secrets []string, public ...string) Redactor {
	r := Redactor{&knownSecrets{}}
	r.Learn(secrets, public...)
	return r
}

// Learn makes r know more secrets.
func (r Redactor) Learn(secrets []string, public ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range secrets {
		if byChance(secret) || slices.Contains(public, secret) {
			continue
		}
		quoted := strconv.Quote(secret)
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), url.User(secret).String(), quoted[1 : len(quoted)-1],
			base64.StdEncoding.EncodeToString([]byte(secret)),
		} {
			if !slices.Contains(r.forms, form) {
				r.forms = append(r.forms, form)
			}
		}
	}
	// The replacer tries its patterns in the order given.
	slices.SortStableFunc(r.forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, form := range r.forms {
		pairs = append(pairs, form, redacted)
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// byChance reports whether a secret is one that honest text may hold: short, or of words and
// numbers. To take it out would tell it. Where RESTIC_PASSWORD is "wrong", "*** password" in a
// message that everybody knows says so, and whoever may have a table named in the log could ask
// about one word after the other. Such a secret is only as safe as the first net. From 16 bytes on
// chance is out of the question. (Buildkite's agent leaves values of up to 5 bytes alone, GitLab
// those of up to 7; both say that others are spoilt.)
func byChance(secret string) bool {
	return len(secret) < 6 || len(secret) < 16 && wordsAndNumbers.MatchString(secret)
}

var wordsAndNumbers = regexp.MustCompile(`^(([A-Z]?[a-z]*|[A-Z]*)[0-9]*([ ._/-]+|$))*$`)

// userinfo is what stands before the host in a URL. It goes to the last @, as a password that was
// not escaped may hold others.
var userinfo = regexp.MustCompile(`://\S*@`)

// String is text without secrets.
func (r Redactor) String(text string) string {
	if r.knownSecrets != nil {
		r.mu.RLock()
		text = r.replacer.Replace(text)
		r.mu.RUnlock()
	}
	return userinfo.ReplaceAllString(text, "://"+redacted+"@")
}

// InAddress are the secrets in an address: what stands before its last @ and what of that stands
// behind a colon, also without escapes, and what follows the host, if pathToo: the path of a
// webhook often is its secret.
func InAddress(address string, pathToo bool) []string {
	rest := address
	if _, behind, found := strings.Cut(address, "://"); found {
		rest = behind
	}
	var secrets []string
	at := strings.LastIndex(rest, "@")
	for part, more := rest[:max(at, 0)], true; more; _, part, more = strings.Cut(part, ":") {
		secrets = append(secrets, part)
	}
	if _, path, _ := strings.Cut(rest[at+1:], "/"); pathToo {
		secrets = append(secrets, path)
	}
	for _, secret := range slices.Clone(secrets) {
		if plain, err := url.PathUnescape(secret); err == nil {
			secrets = append(secrets, plain)
		}
	}
	return secrets
}

// WithoutCredentials is a repository's address without what may be a user's name and password.
// These go to the last @, whatever is in them. An address of restic's that is no URL,
// sftp:user@host:/srv, is left alone unless a password seems to be in it.
func WithoutCredentials(repository string) string {
	last := strings.LastIndex(repository, "@")
	if last < 0 || strings.HasPrefix(repository, "local:") {
		return repository
	}
	if start := urlStart.FindString(repository[:last]); start != "" {
		return start + redacted + repository[last:]
	}
	if kind, rest, _ := strings.Cut(repository[:last], ":"); strings.Contains(rest, ":") || kind == "rest" {
		return kind + ":" + redacted + repository[last:]
	}
	return repository
}

var urlStart = regexp.MustCompile(`^([a-z0-9]+:)?[a-z0-9+]+://`)
