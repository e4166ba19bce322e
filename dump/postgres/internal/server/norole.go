package server

import (
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// noRole are the server's functions that look for a role by its name.
var noRole = []string{"get_role_oid", "get_rolespec_oid", "get_rolespec_tuple"}

// IsNoRole tells whether an error is that a role is not there. Its code is that of anything that is
// not there: a type, a collation, an access method. Which of the server's functions has said it is
// in no language; a server that does not tell is not understood.
func IsNoRole(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Code != "42704" { // undefined_object
		return false
	}
	return slices.Contains(noRole, pe.Routine) || strings.HasSuffix(pe.File, "user.c")
}
