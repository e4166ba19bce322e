package server

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A dump that a standby ends because of what its primary sends is told for what it is, and to be
// worth another try; on others the same code is another's.
func TestRecoveryConflict(t *testing.T) {
	conflict := &pgconn.PgError{Code: "40001", Message: "canceling statement due to conflict with recovery"}
	for _, tt := range []struct {
		srv  Info
		err  error
		want bool
	}{
		{Info{Standby: true}, fmt.Errorf("copy: %w", conflict), true},
		{Info{}, conflict, false},
		{Info{Standby: true}, &pgconn.PgError{Code: "40001", Message: "could not serialize access"}, false},
		{Info{Standby: true}, nil, false},
	} {
		err := Explain(t.Context(), tt.srv, tt.err, nil)
		if got := errors.Is(err, ErrRecoveryConflict); got != tt.want {
			t.Errorf("%v on %v: a conflict %t, want %t", tt.err, tt.srv, got, tt.want)
		}
		if got := errors.As(err, new(*dump.PassingError)); got != tt.want {
			t.Errorf("%v on %v: worth another try %t, want %t", tt.err, tt.srv, got, tt.want)
		}
		if tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%v on %v: %v has lost what it was", tt.err, tt.srv, err)
		}
	}
}
