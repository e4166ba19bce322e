package postgres

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// A dump that a standby ends because of what its primary sends is told for what it is; on others the same code is another's.
func TestRecoveryConflict(t *testing.T) {
	conflict := &pgconn.PgError{Code: "40001", Message: "canceling statement due to conflict with recovery"}
	for _, tt := range []struct {
		srv  server
		err  error
		want bool
	}{
		{server{standby: true}, fmt.Errorf("copy: %w", conflict), true},
		{server{}, conflict, false},
		{server{standby: true}, &pgconn.PgError{Code: "40001", Message: "could not serialize access"}, false},
		{server{standby: true}, nil, false},
	} {
		if got := errors.Is(explain(t.Context(), tt.srv, tt.err, nil), ErrRecoveryConflict); got != tt.want {
			t.Errorf("%v on %v: a conflict %t, want %t", tt.err, tt.srv, got, tt.want)
		}
	}
}
