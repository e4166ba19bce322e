package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

type object struct{ kind, query, schema string }

// objects are the things of databases by kinds, with the beginning of a query for those of one and
// the column that it ends with, and in the order in which they are dropped: whatever reads others
// first, the tables last.
var objects = []object{
	{"EVENT", "SELECT event_name AS name FROM information_schema.events WHERE ", "event_schema"},
	{"PACKAGE", "SELECT routine_name AS name FROM information_schema.routines WHERE routine_type = 'PACKAGE' AND ", "routine_schema"},
	{"FUNCTION", "SELECT routine_name AS name FROM information_schema.routines WHERE routine_type = 'FUNCTION' AND ", "routine_schema"},
	{"PROCEDURE", "SELECT routine_name AS name FROM information_schema.routines WHERE routine_type = 'PROCEDURE' AND ", "routine_schema"},
	{"LIBRARY", "SELECT library_name AS name FROM information_schema.libraries WHERE ", "library_schema"},
	{"VIEW", "SELECT table_name AS name FROM information_schema.tables WHERE table_type = 'VIEW' AND ", "table_schema"},
	{"TABLE", "SELECT table_name AS name FROM information_schema.tables WHERE table_type NOT IN ('VIEW', 'SEQUENCE', 'TEMPORARY') AND ", "table_schema"},
	{"SEQUENCE", "SELECT table_name AS name FROM information_schema.tables WHERE table_type = 'SEQUENCE' AND ", "table_schema"},
}

// ObjectKinds are the kinds of things that the server's databases may have, in the order in which
// they can be dropped.
func (s Info) ObjectKinds() []string {
	var kinds []string
	for _, o := range objects {
		if o.kind != "LIBRARY" || s.HasLibraries() {
			kinds = append(kinds, o.kind)
		}
	}
	return kinds
}

// ObjectsOf returns the names of a database's things of one kind.
func (c *Conn) ObjectsOf(ctx context.Context, db, kind string) ([]string, error) {
	return c.listObjects(ctx, db, kind, "")
}

// Contents names something that is in a database, or returns the empty string.
func (c *Conn) Contents(ctx context.Context, db string) (string, error) {
	for _, kind := range c.ObjectKinds() {
		names, err := c.listObjects(ctx, db, kind, " LIMIT 1")
		if err != nil {
			return "", err
		}
		if len(names) > 0 {
			return strings.ToLower(kind) + " " + names[0], nil
		}
	}
	return "", nil
}

func (c *Conn) listObjects(ctx context.Context, db, kind, limit string) ([]string, error) {
	i := slices.IndexFunc(objects, func(o object) bool { return o.kind == kind })
	rows, err := c.List(ctx, objects[i].query+c.DatabaseIs(objects[i].schema, db)+limit)
	if err != nil {
		return nil, fmt.Errorf("look into database %s: %w", db, err)
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r["name"]
	}
	return names, nil
}
