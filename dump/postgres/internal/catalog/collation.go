package catalog

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// readCollations reads the collations that users made. The version of the library behind one is
// left out: the server it is restored on has its own.
func readCollations(ctx context.Context, c *Database) error {
	type row struct {
		header
		Provider       string
		Deterministic  bool
		Collate, Ctype *string
		Locale, Rules  *string
	}
	locale, rules := "NULL", "NULL"
	switch {
	case c.srv.Version >= 170000:
		locale = "colllocale"
	case c.srv.Version >= 150000:
		locale = "colliculocale"
	}
	if c.srv.Version >= 160000 {
		rules = "collicurules"
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT c.oid, c.collnamespace AS schema, quote_ident(n.nspname) || '.' || quote_ident(c.collname) AS name, c.collowner AS owner,
		       c.collprovider::text AS provider, c.collisdeterministic AS deterministic,
		       nullif(c.collcollate::text, '') AS collate, nullif(c.collctype::text, '') AS ctype,
		       `+locale+`::text AS locale, `+rules+`::text AS rules
		FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
		WHERE c.oid >= $1 AND (c.collencoding = -1 OR c.collencoding = (SELECT encoding FROM pg_database WHERE datname = current_database()))
		ORDER BY c.oid`, server.FirstNormal)
	if err != nil {
		return err
	}
	providers := map[string]string{"c": "libc", "i": "icu", "b": "builtin"}
	for _, row := range rows {
		o := c.add(&object{Address: Address{class: classCollation, OID: row.OID}, kind: kindCollation, word: "COLLATION"}, row.header)
		options := []string{"provider = " + providers[row.Provider]}
		option := func(key string, value *string) {
			if value != nil {
				options = append(options, key+" = "+server.Literal(*value))
			}
		}
		if !row.Deterministic {
			options = append(options, "deterministic = false")
		}
		// Before 15 the locale of every provider stood in collcollate and collctype.
		if row.Locale == nil && row.Collate != nil && row.Ctype != nil && *row.Collate == *row.Ctype {
			row.Locale, row.Collate, row.Ctype = row.Collate, nil, nil
		}
		option("locale", row.Locale)
		option("lc_collate", row.Collate)
		option("lc_ctype", row.Ctype)
		option("rules", row.Rules)
		o.define = func(p *script.Printer) { p.Stmt("CREATE COLLATION %s (%s)", o.Name, strings.Join(options, ", ")) }
	}
	return nil
}
