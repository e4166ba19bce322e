package dump

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// An AddressError says what is wrong with the address of a database and where, and repeats nothing
// of it: what makes an address unreadable is often a piece of its password.
type AddressError struct {
	At  int // the character, from 1; 0: no single one
	Why string
}

func (e *AddressError) Error() string {
	if e.At == 0 {
		return e.Why
	}
	return fmt.Sprintf("character %d: %s", e.At, e.Why)
}

// AddressMistake is the AddressError for what begins at byte i of an address.
func AddressMistake(text string, i int, why string) *AddressError {
	return &AddressError{utf8.RuneCountInString(text[:i]) + 1, why}
}

// howToEscape ends errors about user and password.
const howToEscape = "within user and password write %25 for %, %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #, %5B %5D for [ ]"

// An Address is a URI of the form scheme://user:password@host:port,host:port/database?option=value,
// taken apart and its escapes undone.
type Address struct {
	Scheme      string
	User        string
	Password    string
	HasPassword bool
	Hosts       []HostPort // at least one, which may be empty
	Database    string
	Options     []AddressOption
}

// HostPort is one of an address's servers. What is not said is empty.
type HostPort struct{ Host, Port string }

// An AddressOption is one of the pairs behind an address's ?.
type AddressOption struct {
	Name, Value string
	At          int // its first byte
}

// ParseAddress takes an address apart as libpq and MongoDB's drivers do: user and password end at
// the first @, unless a / comes before it. Whatever could be a piece of a password that was not
// escaped is an error, also where these would read on, and then look for a host by that name: an @
// elsewhere, but in options that known says there are. An error is an *AddressError.
func ParseAddress(text string, known func(option string) bool) (Address, error) {
	var a Address
	wrong := func(i int, why string) (Address, error) { return Address{}, AddressMistake(text, i, why) }
	scheme, _, found := strings.Cut(text, "://")
	if !found {
		return Address{}, &AddressError{Why: "want an address, scheme://user:password@host:port/database"}
	}
	a.Scheme = scheme
	if i := strings.IndexFunc(text, isControl); i >= 0 {
		return wrong(i, "a control character: "+howToEscape+", %0A for a line feed")
	}
	at := len(scheme) + len("://")
	info := [2]int{at, at}
	if i := strings.IndexAny(text[at:], "@/"); i >= 0 && text[at+i] == '@' {
		info[1] = at + i
		at = info[1] + 1
	}
	hosts := [2]int{at, cut(text, at, "/?")}
	path := [2]int{hosts[1], cut(text, hosts[1], "?")}
	query := [2]int{min(path[1]+1, len(text)), len(text)}
	if i := strings.IndexByte(text[hosts[0]:path[1]], '@'); i >= 0 {
		return wrong(hosts[0]+i, "an @ that ends no user and password: "+howToEscape)
	}
	for _, part := range [][2]int{info, hosts, path, query} {
		if i := BadEscape(text[part[0]:part[1]]); i >= 0 {
			return wrong(part[0]+i, "a % that begins no escape, or %00: "+howToEscape)
		}
	}
	user, password, hasPassword := strings.Cut(text[info[0]:info[1]], ":")
	a.User, a.Password, a.HasPassword = unescaped(user), unescaped(password), hasPassword
	a.Database = unescaped(strings.TrimPrefix(text[path[0]:path[1]], "/"))

	for from := hosts[0]; ; {
		to := min(cut(text, from, ","), hosts[1])
		host, port, i := splitHost(text[from:to])
		if i >= 0 {
			return wrong(from+i, "want a host, or host:port with a port of 1 to 65535; "+howToEscape)
		}
		a.Hosts = append(a.Hosts, HostPort{unescaped(host), unescaped(port)})
		if from = to + 1; from > hosts[1] {
			break
		}
	}
	for from := query[0]; from < query[1]; {
		to := cut(text, from, "&")
		if to == from {
			from++
			continue
		}
		name, value, found := strings.Cut(text[from:to], "=")
		if name = unescaped(name); !found || name == "" {
			return wrong(from, "want option=value; "+howToEscape)
		}
		if i := strings.IndexByte(text[from:to], '@'); i >= 0 && !known(name) {
			return wrong(from+i, "an @ that ends no user and password: "+howToEscape)
		}
		a.Options = append(a.Options, AddressOption{name, unescaped(value), from})
		from = to + 1
	}
	return a, nil
}

// cut is where from on the first of chars stands in text, or its end.
func cut(text string, from int, chars string) int {
	if i := strings.IndexAny(text[from:], chars); i >= 0 {
		return from + i
	}
	return len(text)
}

// splitHost splits host:port, [address]:port and those without a port. at is where it is neither,
// or -1.
func splitHost(text string) (host, port string, at int) {
	rest := text
	if strings.HasPrefix(text, "[") {
		end := strings.IndexByte(text, ']')
		if end < 0 {
			return "", "", 0
		}
		host, rest = text[1:end], text[end+1:]
		if rest != "" && rest[0] != ':' {
			return "", "", end + 1
		}
	} else {
		host, _, _ = strings.Cut(text, ":")
		rest = text[len(host):]
	}
	port = strings.TrimPrefix(rest, ":")
	if number := unescaped(port); strings.Trim(number, "0123456789") != "" || len(number) > 5 || len(number) == 5 && number > "65535" || number == "0" {
		return "", "", len(text) - len(rest)
	}
	return host, port, -1
}

// BadEscape is where a % stands in text that begins no escape, or one of a zero byte; or -1.
func BadEscape(text string) int {
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			continue
		}
		if b, err := url.PathUnescape(text[i:min(i+3, len(text))]); err != nil || b == "\x00" {
			return i
		}
	}
	return -1
}

// unescaped is text without its escapes, of which BadEscape has found none wrong.
func unescaped(text string) string {
	plain, _ := url.PathUnescape(text)
	return plain
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
