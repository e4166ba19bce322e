package dump

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// CheckHost tells what is wrong with a server's name or address that is given alone, its port
// apart, in the variable of the name port. A path is a socket's. Its errors repeat nothing that may
// hold a password.
func CheckHost(host, port string) error {
	const whole = "an address with more than a host in it; want the host alone, or the whole in DATABASE_URL"
	switch {
	case host == "", strings.HasPrefix(host, "/"), len(host) > 2 && host[1:3] == `:\`: // a path, of Windows too
		return nil
	case strings.HasPrefix(host, "@"):
		return errors.New("a socket without a file is not supported; want the socket's path, or a host")
	case strings.Contains(host, "://"), strings.ContainsAny(host, "@="), strings.ContainsAny(strings.TrimSpace(host), " \t\r\n"):
		return errors.New(whole)
	case strings.ContainsAny(host, "\"' \t\r\n"):
		return fmt.Errorf("want a host's name or address without quotes and blanks, got %q", host)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	name, number, found := strings.Cut(host, ":")
	if rest, bracket := strings.CutPrefix(host, "["); bracket {
		if name, number, _ = strings.Cut(rest, "]"); number == "" {
			return fmt.Errorf("want an address without brackets, %s, got %q", name, host)
		}
		number, found = strings.TrimPrefix(number, ":"), true
	}
	if _, err := strconv.ParseUint(number, 10, 16); found && err != nil { // of user:password, say
		return errors.New(whole)
	}
	if found {
		return fmt.Errorf("host and port in one, %q; want %s, and %s=%s", host, name, port, number)
	}
	return nil
}
