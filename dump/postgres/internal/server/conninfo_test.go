package server

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
)

func TestParseConn(t *testing.T) {
	tests := []struct {
		text string
		want map[string]string
		err  string
	}{
		{"", map[string]string{}, ""},
		{"host=h dbname = 'a b' password='it\\'s \\\\' user=\\'x port=", map[string]string{"host": "h", "dbname": "a b", "password": `it's \`, "user": "'x", "port": ""}, ""},
		{"postgres://u:p%40@a:1,b/db?sslmode=require&keepalives=1", map[string]string{"host": "a,b", "port": "1,", "user": "u", "password": "p@", "dbname": "db", "sslmode": "require"}, ""},
		{"postgresql:///db?host=/run/pg&ssl=true", map[string]string{"host": "/run/pg", "dbname": "db", "sslmode": "require"}, ""},
		{"postgres://app:p@ss:w/ord#1@host/app", nil, "character 28: an @ that ends no user and password"},
		{"host=h password=correct horse", nil, "character 25: want keyword=value"},
		{"host=h password=correct horse=1", nil, "character 25: a parameter that libpq does not know"},
		{"password='correct horse", nil, "character 10: a ' without its end"},
		{"postgres://h/db?schema=public", nil, "character 17: a parameter that libpq does not know"},
		{"hostaddr=1.2.3.4", nil, "character 1: the parameter hostaddr is not supported"},
	}
	for _, tt := range tests {
		got, err := ParseConn(tt.text, nil)
		if tt.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), tt.err) || !errors.As(err, new(*dump.AddressError)) {
				t.Errorf("%s: %v, want %s", tt.text, err, tt.err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.text, err, diff)
		}
		again, err := ParseConn(FormatConn(got), nil)
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Errorf("%s, formatted: %v (-want +got):\n%s", tt.text, err, diff)
		}
	}

	var passedOver []int
	got, err := ParseConn("postgres://h/db?schema=public&connection_limit=5&sslmode=disable", func(at int) { passedOver = append(passedOver, at) })
	if diff := cmp.Diff(map[string]string{"host": "h", "dbname": "db", "sslmode": "disable"}, got); err != nil || diff != "" || !cmp.Equal(passedOver, []int{17, 31}) {
		t.Errorf("%v, passed over %v (-want +got):\n%s", err, passedOver, diff)
	}
	if _, err := ParseConn("postgres://h/db?sslaccept=strict", func(int) {}); err == nil {
		t.Error("a parameter about encryption is passed over")
	}
}

// An error of the driver's comes without the string, and the password it finds in the environment's
// files stays.
func TestConnErrorsNameNoPassword(t *testing.T) {
	for _, conn := range []string{
		"postgres://u:s3cret@h/db?sslmode=maybe", "postgres://u:s3cret@h/db?sslrootcert=/nowhere&sslmode=verify-full", "host=h password=s3cret port=many",
		"postgres://u:s3cret@h/db?service=none&servicefile=/nowhere", "host=h password=s3cret` target_session_attrs=x`:",
	} {
		_, err := ParseConfig(conn, "", "", 0, nil)
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "cannot parse") {
			t.Errorf("%s: %v", conn, err)
		}
	}
}

// What we read is what the driver would have read, wherever both read something.
func FuzzParseConn(f *testing.F) {
	for _, seed := range []string{
		"host=h dbname='a b' password='it\\'s' user=\\'x", "postgres://u:p%40@a:1,b:2/db?sslmode=disable", "postgres://u:p:w?#@[::1]:1/a/b?user=x", "postgres://%2Frun/db", "a", "=", "host=\\",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		settings, err := ParseConn(text, nil)
		if err != nil {
			return
		}
		for _, file := range []string{"passfile", "service", "servicefile", "sslcert", "sslkey", "sslrootcert"} {
			if settings[file] != "" {
				return
			}
		}
		want, err := pgx.ParseConfig(text)
		if err != nil {
			return
		}
		got, err := driverConfig(settings)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got.Host != want.Host || got.Port != want.Port || got.User != want.User || got.Password != want.Password || got.Database != want.Database || len(got.Fallbacks) != len(want.Fallbacks) {
			t.Fatalf("%q: %q:%d %q %q %q, the driver: %q:%d %q %q %q", text,
				got.Host, got.Port, got.User, got.Password, got.Database, want.Host, want.Port, want.User, want.Password, want.Database)
		}
	})
}
