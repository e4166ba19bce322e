package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
)

// A gate lets pass who may see what is known of jobs, and who may have a run begin.
//
// With a token or a password it asks for one of them. With neither it lets pass whoever sits at the
// machine itself: the request comes from a loopback address, and means one by its Host. The latter
// is what a page of another site cannot do that had its own name resolve to 127.0.0.1 (DNS
// rebinding). What proxies say of their clients is not believed, but that there is a proxy is: it
// comes from loopback, and those behind it do not.
type gate struct {
	token, basic *[sha256.Size]byte // hashes; nil: not set
}

func newGate(c Config) gate {
	var g gate
	if c.Token != "" {
		sum := sha256.Sum256([]byte(c.Token))
		g.token = &sum
	}
	if c.Password != "" {
		sum := basicSum(c.User, c.Password)
		g.basic = &sum
	}
	return g
}

// basicSum is one hash of both, so that both are compared at once. A user's name has no colon.
func basicSum(user, password string) [sha256.Size]byte {
	return sha256.Sum256([]byte(user + ":" + password))
}

// visitors lets pass who may see what is known.
func (g gate) visitors(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case g.token == nil && g.basic == nil:
			if !local(r) {
				fail(w, http.StatusForbidden, "without HTTP_TOKEN or HTTP_BASIC_AUTH this is answered on the machine itself alone, by the name of localhost: set one of them")
				return
			}
		case !g.bears(r) && !g.named(r):
			g.challenge(w, g.basic != nil)
			return
		}
		next(w, r)
	}
}

// bearerOnly lets pass who bears the token. A browser sends a name and password of itself, also
// when a page of another site asks it to; a bearer's token it does not, so that nothing else is
// needed against such pages.
func (g gate) bearerOnly(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case g.token == nil:
			fail(w, http.StatusForbidden, "no run can be asked for without HTTP_TOKEN: set it, or HTTP_TOKEN_FILE, and send it as Authorization: Bearer")
		case !g.bears(r):
			g.challenge(w, false)
		default:
			next(w, r)
		}
	}
}

func (g gate) bears(r *http.Request) bool {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return g.token != nil && found && strings.EqualFold(scheme, "Bearer") && same(sha256.Sum256([]byte(strings.TrimSpace(token))), *g.token)
}

func (g gate) named(r *http.Request) bool {
	user, password, found := r.BasicAuth()
	return g.basic != nil && found && same(basicSum(user, password), *g.basic)
}

// same takes as long whatever is compared.
func same(a, b [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// challenge answers who has not shown what is asked for.
func (g gate) challenge(w http.ResponseWriter, basic bool) {
	var ways []string
	if basic {
		w.Header().Add("WWW-Authenticate", `Basic realm="breaking-backups", charset="UTF-8"`)
		ways = append(ways, "the name and password of HTTP_BASIC_AUTH")
	}
	if g.token != nil {
		w.Header().Add("WWW-Authenticate", `Bearer realm="breaking-backups"`)
		ways = append(ways, "the token of HTTP_TOKEN, as Authorization: Bearer")
	}
	fail(w, http.StatusUnauthorized, "this asks for "+strings.Join(ways, ", or "))
}

// proxied are headers by which proxies say that there is somebody behind them.
var proxied = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// local reports whether a request comes from the machine itself and means it.
func local(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() || !loopbackName(r.Host) {
		return false
	}
	for _, name := range proxied {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	return true
}

// loopbackName reports whether a Host header, with a port or without, is the machine's own name for
// itself.
func loopbackName(host string) bool {
	if at, err := netip.ParseAddrPort(host); err == nil {
		return at.Addr().Unmap().IsLoopback()
	}
	if at, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err == nil {
		return at.Unmap().IsLoopback()
	}
	name, port, _ := strings.Cut(host, ":")
	return strings.EqualFold(strings.TrimSuffix(name, "."), "localhost") && strings.Trim(port, "0123456789") == ""
}
