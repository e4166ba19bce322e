package dump

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// CheckHost tells what is wrong with a server's name or address that is given alone, its port apart, in the variable of
// the name port. A path is a socket's. Its errors repeat nothing that may hold a password.
func CheckHost(host, port string) error {
	switch {
	case host == "", strings.HasPrefix(host, "/"), len(host) > 2 && host[1:3] == `:\`: // a path, of Windows too
		return nil
	case strings.Contains(host, "://"), strings.Contains(host, "@"):
		return errors.New("an address with more than a host in it; want the host alone, or the whole in DATABASE_URL")
	case strings.ContainsAny(host, "\"' \t\r\n"):
		return fmt.Errorf("want a host's name or address without quotes and blanks, got %q", host)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if bare, behind, found := strings.Cut(strings.TrimPrefix(host, "["), "]"); found && strings.HasPrefix(host, "[") {
		if behind = strings.TrimPrefix(behind, ":"); behind != "" {
			return fmt.Errorf("host and port in one, %q; want %s, and %s=%s", host, bare, port, behind)
		}
		return fmt.Errorf("want an address without brackets, %s, got %q", bare, host)
	}
	if name, number, found := strings.Cut(host, ":"); found {
		return fmt.Errorf("host and port in one, %q; want %s, and %s=%s", host, name, port, number)
	}
	return nil
}
