package catalog

import (
	"context"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// comment is a COMMENT ON target, or with a provider a SECURITY LABEL.
type comment struct{ target, text, provider string }

// A column is an object, or with sub > 0 one of its columns: pg_description's key.
type column struct {
	Address
	sub int16
}

func readComments(ctx context.Context, c *Database) error {
	type row struct {
		Class, Object  uint32
		Sub            int16
		Text, Provider string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT classoid AS class, objoid AS object, objsubid::int2 AS sub, description AS text, '' AS provider
		FROM pg_description WHERE objoid >= $1 OR classoid IN ('pg_namespace'::regclass, 'pg_largeobject'::regclass)
		UNION ALL
		SELECT classoid, objoid, objsubid::int2, label, quote_ident(provider) FROM pg_seclabel
		ORDER BY provider`, server.FirstNormal)
	for _, r := range rows {
		at := column{Address{r.Class, r.Object}, r.Sub}
		c.comments[at] = append(c.comments[at], comment{text: r.Text, provider: r.Provider})
	}
	return err
}

// commentOn gives o the comment and the security labels that the database has for the object at, or
// its column sub, to be written as COMMENT ON target.
func (c *Database) commentOn(o *object, at Address, sub int16, target string) {
	for _, k := range c.comments[column{at, sub}] {
		k.target = target
		o.comments = append(o.comments, k)
	}
}
