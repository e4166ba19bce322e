package dump

import (
	"strings"
	"testing"
)

func TestCheckHost(t *testing.T) {
	for host, want := range map[string]string{
		"": "", "db": "", "db.example.org": "", "10.0.0.1": "", "::1": "", "fe80::1%eth0": "", "/run/pg:1": "", `C:\sockets`: "", "bücher.example": "",
		"db:5433":                `host and port in one, "db:5433"; want db, and PGPORT=5433`,
		"[::1]:5433":             `host and port in one, "[::1]:5433"; want ::1, and PGPORT=5433`,
		"[::1]":                  `want an address without brackets, ::1, got "[::1]"`,
		`"db"`:                   `want a host's name or address without quotes and blanks, got "\"db\""`,
		"db ":                    "want a host's name or address without quotes and blanks",
		"app:s3cret@db":          "an address with more than a host in it",
		"postgres://a:s3cret@db": "an address with more than a host in it",

		"host=db user=x password=s3cret": "an address with more than a host in it", "host=db": "an address with more than a host in it", "db s3cret": "an address with more than a host in it", "app:s3cret": "an address with more than a host in it", "[::1]:s3cret": "an address with more than a host in it",
		"[::1": `want an address without brackets, ::1, got "[::1"`, "@abstract": "a socket without a file is not supported",
	} {
		err := CheckHost(host, "PGPORT")
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%q: %v, want %s", host, err, want)
		}
	}
}
