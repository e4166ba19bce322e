package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
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

// Of several mistakes in the configuration each has its hint, once.
func TestHintOfSeveralMistakes(t *testing.T) {
	policy := &policyError{errors.New("the policy would keep nothing")}
	err := &exit.ConfigError{Mistakes: []error{
		fmt.Errorf("KEEP_*: %w", policy), errors.New("TZ: unknown time zone"), fmt.Errorf("MONGO_PORT: %w", wrongPort("tcp://10.0.0.1:1", errors.New("want a number"))), fmt.Errorf("KEEP_*: %w", policy),
	}}
	const want = "leave all of KEEP_* unset to keep everything; set the port yourself, or have the pod say enableServiceLinks: false"
	if got := hint(err); got != want {
		t.Errorf("hint %q, want %q", got, want)
	}
}
