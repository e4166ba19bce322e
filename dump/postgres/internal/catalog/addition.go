package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A new database is one whose dump says nothing. So what a database has besides is asked of the
// readers of a dump, in every catalogue that they know, and whatever they learn to dump counts here
// too. Extensions are the exception: a template may bring them, and a dump makes them only where
// they are missing.

// An Addition is what a database has that a new one has not, or has otherwise.
type Addition struct {
	Name string // for people, with what is other than in a new database where not all of it is
	// Nothing that a load makes is changed by it, or it is for whoever prepares a database: the
	// schema public, privileges on the system's own objects, and what another role's objects are
	// born with.
	Harmless bool

	object *object
}

// Additions lists what a dump of the session's database would make, or give other privileges than
// it is born with. It is called in a transaction and leaves the session's settings as they were. No
// statement of a dump has run in the session before: nothing is on its search path.
func Additions(ctx context.Context, conn *pgx.Conn, srv server.Info) ([]Addition, error) {
	if err := server.Exec(ctx, conn.PgConn(), "SAVEPOINT reading; "+server.ToRead(srv)); err != nil {
		return nil, err
	}
	sel, err := choice.Selection{}.Parse()
	if err != nil {
		return nil, err
	}
	c, err := Read(ctx, conn, srv, sel, func(string) {}) // what a dump would have to leave out is there all the same
	if err != nil {
		return nil, fmt.Errorf("look into the database: %w", err)
	}
	var list []Addition
	for _, o := range c.objects {
		if o.isBeyondNew() {
			list = append(list, Addition{o.nameInTarget(), o.state.hidden() || o.isPublic() || o.ofOtherRole(srv), o})
		}
	}
	return list, server.Exec(ctx, conn.PgConn(), "ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading")
}

// TakeBack writes what undoes the addition, as far as there is a statement for it.
func (a Addition) TakeBack(p *script.Printer) {
	for _, g := range a.object.grants {
		g.Reversed().Print(p)
	}
	if sql := a.object.dropping(); sql != "" && !a.object.state.hidden() {
		p.Stmt("%s", sql)
	}
}

// isBeyondNew tells whether a new database has not got the object, or has it otherwise.
func (o *object) isBeyondNew() bool {
	switch {
	case o.kind == kindExtension || !o.state.granted():
		return false
	case o.state.hidden():
		return len(o.grants) > 0
	}
	return o.define != nil || len(o.comments)+len(o.declared)+len(o.grants) > 0
}

// isPublic tells whether the object is the schema that every new database has.
func (o *object) isPublic() bool { return o.kind == kindSchema && o.Name == "public" }

// ofOtherRole tells whether these are default privileges for what another role makes than that of
// the session.
func (o *object) ofOtherRole(srv server.Info) bool {
	return o.kind == kindDefaultACL && len(o.grants) > 0 && o.grants[0].owner.Quoted != srv.RoleName
}

// nameInTarget names an object that is beyond new.
func (o *object) nameInTarget() string {
	switch {
	case o.isPublic():
		return "schema public with another owner, comment or privileges"
	case o.state.hidden():
		return "privileges on " + o.grants[0].target
	}
	return o.describe()
}
