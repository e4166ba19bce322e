package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A new database is one whose dump says nothing. So what a database has besides is asked of the readers of a dump, in
// every catalogue that they know, and whatever they learn to dump counts here too. Extensions are the exception: a
// template may bring them, and a dump makes them only where they are missing.

// beyondNew lists what a dump of the session's database would make, or give other privileges than it is born with. It is
// called in a transaction and leaves the session's settings as they were. No statement of a dump has run in the session
// before: nothing is on its search path.
func beyondNew(ctx context.Context, conn *pgx.Conn, srv server) ([]*object, error) {
	begin := "SAVEPOINT reading; " + settle(true) + "SELECT pg_catalog.set_config('client_encoding', " + literal(srv.encoding) + ", false)"
	if err := execAll(ctx, conn.PgConn(), begin); err != nil {
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
	objects := slices.DeleteFunc(c.objects, func(o *object) bool { return !o.isBeyondNew() })
	return objects, execAll(ctx, conn.PgConn(), "ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading")
}

// isBeyondNew tells whether a new database has not got the object, or has it otherwise.
func (o *object) isBeyondNew() bool {
	switch {
	case o.kind == kindExtension || o.silent:
		return false
	case o.hidden:
		return len(o.grants) > 0
	}
	return o.define != nil || len(o.comments)+len(o.declared)+len(o.grants) > 0
}

// ofOtherRole tells whether these are default privileges for what another role makes than that of the session.
func (o *object) ofOtherRole(srv server) bool {
	return o.kind == kindDefaultACL && len(o.grants) > 0 && o.grants[0].owner.quoted != srv.roleName
}

// told names an object of those that beyondNew lists, and what is other than in a new database where not all of it is.
func (o *object) told() string {
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
		if name := o.told(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// takeBack drops the objects, or gives them the privileges that they are born with, each by itself: what the server
// refuses stays. It is called in a transaction.
func takeBack(ctx context.Context, conn *pgx.Conn, objects []*object) error {
	for _, o := range slices.Backward(objects) {
		p := &printer{holding: true, warn: func(string) {}}
		for _, g := range o.grants {
			g.reversed().print(p)
		}
		if sql := o.dropping(); sql != "" && !o.hidden {
			p.stmt("%s", sql)
		}
		if p.err != nil || p.held.Len() == 0 {
			continue
		}
		err := execAll(ctx, conn.PgConn(), "SAVEPOINT one; "+p.held.String()+"RELEASE SAVEPOINT one")
		if errors.As(err, new(*pgconn.PgError)) && !conn.IsClosed() {
			err = execAll(ctx, conn.PgConn(), "ROLLBACK TO SAVEPOINT one")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
