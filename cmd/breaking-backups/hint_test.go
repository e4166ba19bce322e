package main

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// A hint goes by what an error is, whatever words the server's names have.
func TestHintGoesByTheError(t *testing.T) {
	const lacksRight = "the role lacks a right: GRANT pg_read_all_data TO it, or dump as the owner"
	denied := func(what string) error {
		return &pgconn.PgError{Severity: "ERROR", Code: "42501", Message: "permission denied for " + what}
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{denied("table orders"), lacksRight},
		{denied("table BYPASSRLS"), lacksRight},
		{denied("schema large object"), lacksRight},
		{&postgres.RightError{Lacks: "the role may not read it; GRANT SELECT ON orders TO it", Err: denied("table orders")}, ""},
	} {
		if got := hint(fmt.Errorf("dump app: %w", tt.err)); got != tt.want {
			t.Errorf("%v: hint %q, want %q", tt.err, got, tt.want)
		}
	}
}
