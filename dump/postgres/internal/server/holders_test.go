package server

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// A dump that a standby ends because of what its primary sends is told for what it is; on others
// the same code is another's.
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
		if got := errors.Is(Explain(t.Context(), tt.srv, tt.err, nil), ErrRecoveryConflict); got != tt.want {
			t.Errorf("%v on %v: a conflict %t, want %t", tt.err, tt.srv, got, tt.want)
		}
	}
}
