package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
)

// A new database is one whose dump says nothing. So what a database has besides is asked of the readers of a dump, in
// every catalogue that they know, and whatever they learn to dump counts here too. Extensions are the exception: a
// template may bring them, and a dump makes them only where they are missing.

// beyondNew lists what a dump of the session's database would make, or give other privileges than it is born with. It is
// called in a transaction and leaves the session's settings as they were. No statement of a dump has run in the session
// before: nothing is on its search path.
func beyondNew(ctx context.Context, conn *pgx.Conn, srv server) ([]*object, error) {
	if err := execAll(ctx, conn.PgConn(), "SAVEPOINT reading; "+toRead(srv)); err != nil {
		return nil, err
	}
	sel, err := Selection{}.parse()
	if err != nil {
		return nil, err
	}
	c, err := readCatalog(ctx, conn, srv, sel, func(string) {}) // what a dump would have to leave out is there all the same
	if err != nil {
		return nil, fmt.Errorf("look into the database: %w", err)
	}
	objects := slices.DeleteFunc(c.objects, func(o *object) bool { return !isBeyondNew(o) })
	return objects, execAll(ctx, conn.PgConn(), "ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading")
}

// isBeyondNew tells whether a new database has not got the object, or has it otherwise.
func isBeyondNew(o *object) bool {
	switch {
	case o.kind == kindExtension || o.silent:
		return false
	case o.hidden:
		return len(o.grants) > 0
	}
	return o.define != nil || len(o.comments)+len(o.declared)+len(o.grants) > 0
}

// ofOtherRole tells whether these are default privileges for what another role makes than that of the session.
func ofOtherRole(o *object, srv server) bool {
	return o.kind == kindDefaultACL && len(o.grants) > 0 && o.grants[0].owner.quoted != srv.roleName
}

// nameOf names an object of those that beyondNew lists, and what is other than in a new database where not all of it is.
func nameOf(o *object) string {
	switch {
	case o.kind == kindSchema && o.name == "public":
		return publicSchemaOther
	case o.hidden:
		return "privileges on " + o.grants[0].target
	}
	return o.describe()
}

// publicSchemaOther is what is told of the schema public.
const publicSchemaOther = "schema public with another owner, comment or privileges"

// namesOf names objects, each once.
func namesOf(objects []*object) []string {
	var names []string
	for _, o := range objects {
		if name := nameOf(o); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// takeBack drops the objects, or gives them the privileges that they are born with, each by itself: what the server
// refuses stays. It is called in a transaction.
func takeBack(ctx context.Context, conn *pgx.Conn, objects []*object) error {
	for _, o := range slices.Backward(objects) {
		statements, err := script.Statements(func(p *script.Printer) { undo(p, o) })
		if err != nil || statements == "" {
			continue
		}
		err = execAll(ctx, conn.PgConn(), "SAVEPOINT one; "+statements+"RELEASE SAVEPOINT one")
		if errors.As(err, new(*pgconn.PgError)) && !conn.IsClosed() {
			err = execAll(ctx, conn.PgConn(), "ROLLBACK TO SAVEPOINT one")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// undo writes what undoes the object, as far as there is a statement for it.
func undo(p *script.Printer, o *object) {
	for _, g := range o.grants {
		g.reversed().print(p)
	}
	if sql := o.dropping(); sql != "" && !o.hidden {
		p.Stmt("%s", sql)
	}
}
