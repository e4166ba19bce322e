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

// What is not there is a role, or something else, by the server's function that has said so: the
// code is the same, and the words may be in any language.
func TestHintOfWhatIsNotThere(t *testing.T) {
	absent := func(message, routine string) error {
		return restoreError{err: fmt.Errorf("line 7: %w", &pgconn.PgError{Severity: "ERROR", Code: "42704", Message: message, Routine: routine})}
	}
	const role, anything = "roles are no part of a dump of one database: CREATE ROLE them first, or leave them out: --no-owner --no-privileges", "what the error names is neither in what is restored nor on the server: make it there first"
	for _, tt := range []struct {
		err  error
		want string
	}{
		{absent(`role "app" does not exist`, "get_role_oid"), role},
		{absent(`rôle « app » inexistant`, "get_rolespec_oid"), role},
		{absent(`type "role" does not exist`, "typenameType"), anything},
		{absent(`access method "x" does not exist`, "get_am_type_oid"), anything},
		{absent(`role "app" does not exist`, ""), anything},
	} {
		if got := hint(tt.err); got != tt.want {
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
