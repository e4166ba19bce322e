package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// A Relation is a row of pg_class that is dumped as an object of its own: a table of any sort, a
// view, a sequence.
type Relation struct {
	*object
	relationRow
	columns []attribute
	// hiddenColumns are the names of the columns of a table that is not dumped but has children
	// that are.
	hiddenColumns []string
	parents       []*Relation // what it inherits from, or is a partition of, in order
	checks        []constraint
	mould         string      // the name of the table that gives it the order of its columns; empty: it needs none
	refers        []*Relation // what its foreign keys refer to, but itself
	key           string      // of a partitioned table: what PARTITION BY says
	// Rows that are loaded anew belong into other partitions than before: they are spread by the
	// hashes of enum values, which are those of their OIDs.
	scatters  bool
	query     string // of a view
	Condition string // for an extension's configuration table: which rows are the user's
	config    bool   // a configuration table: dumped without its definition
	emptied   bool   // dumped without its rows
}

type relationRow struct {
	header
	Raw         string
	Kind        string
	Type        uint32 // of its rows
	Persistence string
	Options     []string
	CheckOption *string
	Toast       []string
	Tablespace  *string
	Method      *string // access method
	OfType      *string
	Identity    string // replica identity
	Security    bool   // row level security enabled
	Forced      bool   // for the owner too
	Partition   bool
	Populated   bool
	ACL         []string `db:"acl"`
	Def         []string
	Server      *string // of a foreign table, quoted
	FDWOptions  *string
}

// The values of pg_class.relkind.
const (
	plainTable       = "r"
	partitionedTable = "p"
	foreignTable     = "f"
	view             = "v"
	materializedView = "m"
	sequence         = "S"
	compositeType    = "c"
)

// words are SQL's names of the relation kinds.
var relationWords = map[string]string{
	plainTable:       "TABLE",
	partitionedTable: "TABLE",
	foreignTable:     "FOREIGN TABLE",
	view:             "VIEW",
	materializedView: "MATERIALIZED VIEW",
	sequence:         "SEQUENCE",
}

// alter begins an ALTER statement that accepts every kind of table.
func (r *Relation) alter() string {
	if r.Kind == foreignTable {
		return "ALTER FOREIGN TABLE ONLY " + r.Name
	}
	return "ALTER TABLE ONLY " + r.Name
}

// readRelations reads pg_class and locks the tables that will be dumped before anything more of
// them is looked at.
func readRelations(ctx context.Context, c *Database) error {
	rows, err := server.Query[relationRow](ctx, c.conn, `
		SELECT c.oid, c.relnamespace AS schema, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relowner AS owner,
		       c.relname AS raw, c.relkind::text AS kind, c.reltype AS type, c.relpersistence::text AS persistence,
		       array_remove(array_remove(c.reloptions, 'check_option=local'), 'check_option=cascaded') AS options,
		       CASE WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL'
		            WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED' END AS check_option,
		       tc.reloptions AS toast, quote_ident(ts.spcname) AS tablespace, quote_ident(am.amname) AS method, CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END AS of_type,
		       c.relreplident::text AS identity, c.relrowsecurity AS security, c.relforcerowsecurity AS forced,
		       c.relispartition AS partition, c.relispopulated AS populated,
		       c.relacl::text[] AS acl,
		       `+initial("pg_class", "c.oid", `CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END`, "c.relowner", "c.relacl")+`,
		       quote_ident(fs.srvname) AS server,
		       CASE WHEN ft.ftoptions IS NOT NULL THEN (SELECT string_agg(quote_ident(option_name) || ' ' || quote_literal(option_value), E',\n    ' ORDER BY option_name)
		        FROM pg_options_to_table(ft.ftoptions)) END AS fdwoptions
		FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid AND c.relkind <> 'p'
		LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
		LEFT JOIN pg_am am ON am.oid = c.relam
		LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid
		LEFT JOIN pg_foreign_server fs ON fs.oid = ft.ftserver
		WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't'
		ORDER BY n.nspname, c.relname`)
	if err != nil {
		return err
	}
	c.counted("relations", len(rows), "SELECT count(*) FROM pg_class WHERE relkind = ANY ('{r,p,f,v,m,S}') AND relpersistence <> 't'")
	for _, row := range rows {
		options := tableOptions
		if row.Kind == view {
			options = viewOptions
		}
		row.Options = options.only(row.Options, row.Name, c.warn)
		row.Toast = tableOptions.only(row.Toast, row.Name, c.warn)
		r := &Relation{relationRow: row}
		r.object = c.add(&object{Address: Address{class: classRelation, OID: row.OID}, kind: kindTable, word: relationWords[row.Kind]}, row.header)
		c.rels[row.OID] = r
		if row.Type != 0 {
			c.at[Address{classType, row.Type}] = r.object
		}
		grantWord := "TABLE"
		if row.Kind == sequence {
			grantWord = "SEQUENCE"
		}
		if err := c.grantOn(r.object, grantWord, row.Owner, row.ACL, row.Def); err != nil {
			return err
		}
		if row.Kind != sequence && row.Kind != view {
			r.define = r.printTable
		}
	}
	if err := selectRelations(ctx, c); err != nil {
		return err
	}
	for _, row := range rows {
		if r := c.rels[row.OID]; !r.state.hidden() {
			c.Tables = append(c.Tables, r)
		}
	}
	if err := c.lock(ctx); err != nil {
		return err
	}
	return c.readConfigTables(ctx)
}

// readConfigTables finds the tables of extensions whose rows belong to the user
// (pg_extension_config_dump): they are dumped without their definition.
func (c *Database) readConfigTables(ctx context.Context) error {
	type row struct {
		Relation  uint32
		Condition string
	}
	rows, err := server.Query[row](ctx, c.conn, `
		SELECT unnest(extconfig) AS relation, unnest(extcondition) AS condition FROM pg_extension WHERE extconfig IS NOT NULL`)
	for _, row := range rows {
		if r := c.rels[row.Relation]; r != nil {
			r.config, r.Condition = true, row.Condition
		}
	}
	return err
}

// printTable writes CREATE TABLE and what has to be altered afterwards, for tables of every sort
// and for materialized views.
func (r *Relation) printTable(p *script.Printer) {
	var b strings.Builder
	b.WriteString("CREATE ")
	if r.Persistence == "u" {
		b.WriteString("UNLOGGED ")
	}
	b.WriteString(r.word + " " + r.Name)
	if r.Kind == materializedView {
		b.WriteString(r.storage())
		p.Stmt("%s AS\n%s\n  WITH NO DATA", b.String(), r.query)
	} else {
		if r.mould != "" {
			p.Stmt("CREATE TABLE %s%s", r.mould, r.mouldBody())
		}
		b.WriteString(r.body())
		b.WriteString(r.storage())
		if r.FDWOptions != nil {
			fmt.Fprintf(&b, "\nOPTIONS (\n    %s\n)", *r.FDWOptions)
		}
		p.Stmt("%s", b.String())
		if r.mould != "" {
			for _, parent := range r.parents {
				p.Stmt("%s INHERIT %s", r.alter(), parent.Name)
			}
			p.Stmt("%s NO INHERIT %s", r.alter(), r.mould)
			p.Stmt("DROP TABLE %s", r.mould)
		}
	}
	r.printColumnSettings(p)
	switch {
	case r.Kind == foreignTable: // always n, and cannot be set
	case r.Identity == "n":
		p.Stmt("%s REPLICA IDENTITY NOTHING", r.alter())
	case r.Identity == "f":
		p.Stmt("%s REPLICA IDENTITY FULL", r.alter())
	}
	if r.Forced {
		p.Stmt("%s FORCE ROW LEVEL SECURITY", r.alter())
	}
}

// body writes what stands between a table's name and its storage: columns, checks, parents, the
// partition key.
func (r *Relation) body() string {
	var elements []string
	for i := range r.columns {
		if s, ok := r.columns[i].definition(r); ok {
			elements = append(elements, s)
		}
		if s, ok := r.columns[i].ownNotNull(r); ok {
			elements = append(elements, s)
		}
	}
	for _, k := range r.checks {
		if !k.separate && (k.Local || r.Partition) {
			elements = append(elements, "CONSTRAINT "+k.Quoted+" "+k.Def)
		}
	}
	var b strings.Builder
	if r.OfType != nil {
		b.WriteString(" OF " + *r.OfType)
	}
	switch {
	case len(elements) > 0:
		b.WriteString(" (\n    " + strings.Join(elements, ",\n    ") + "\n)")
	case r.OfType == nil:
		b.WriteString(" (\n)")
	}
	if r.mould != "" {
		b.WriteString("\nINHERITS (" + r.mould + ")")
	} else if len(r.parents) > 0 && !r.Partition {
		parents := make([]string, len(r.parents))
		for i, parent := range r.parents {
			parents[i] = parent.Name
		}
		b.WriteString("\nINHERITS (" + strings.Join(parents, ", ") + ")")
	}
	if r.key != "" {
		b.WriteString("\nPARTITION BY " + r.key)
	}
	if r.Server != nil {
		b.WriteString("\nSERVER " + *r.Server)
	}
	return b.String()
}

// storage writes access method, options and tablespace, in the grammar's order.
func (r *Relation) storage() string {
	var b strings.Builder
	if r.Method != nil && *r.Method != "heap" {
		b.WriteString("\nUSING " + *r.Method)
	}
	if opts := append(optionList("", r.Options), optionList("toast.", r.Toast)...); len(opts) > 0 {
		b.WriteString("\nWITH (" + strings.Join(opts, ", ") + ")")
	}
	if r.Tablespace != nil {
		b.WriteString("\nTABLESPACE " + *r.Tablespace)
	}
	return b.String()
}

// addOn takes in an object that belongs to a table and is named within it.
func (c *Database) addOn(r *Relation, o *object, name string) *object {
	c.add(o, header{OID: o.OID, Name: name + " ON " + r.Name})
	if !o.state.hidden() {
		o.state = r.state.ofPart()
	}
	o.of = r.object
	o.need(r.object)
	return o
}

// relationOIDs lists the relations that are dumped, and all that those inherit from.
func (c *Database) relationOIDs() []uint32 {
	var oids []uint32
	for oid, r := range c.rels {
		if !r.state.hidden() || r.config {
			oids = append(oids, oid)
		}
	}
	slices.Sort(oids)
	return oids
}
