package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/value"
)

// A database is one of those in a dump, with all that is written of it but the rows.
type database struct {
	name      string
	charset   string
	collation string
	encrypted bool   // MySQL: what is made in it is encrypted by default
	comment   string // MariaDB

	sequences []sequence
	tables    []*table
	views     []view
	routines  []program
	triggers  []program
	events    []program

	unknownTables, unknownRoutines int // kinds that this program does not know
}

// A table, with what has to be known to read its rows and write them.
type table struct {
	db            *database
	name          string // quoted
	label         string // for people: database and name
	engine        string
	transactional bool   // a snapshot holds its rows
	rowless       bool   // it holds no rows of its own
	versioned     bool   // MariaDB keeps the history of its rows
	history       bool   // which is in the dump
	bytes, rows   int64  // about
	identity      string // changes when another table takes the name, or the definition changes
	definition    ddl.Table
	columns       []column // whose values are in the dump
	period        []period // of system versioning
	later         []string // keys of the definition that are added after the rows
	foreign       []string // foreign keys of the definition that are added after all tables
	joined        bool     // foreign keys join it with other tables
	key           *key     // by which the rows leave; nil: as they lie
	zone          string   // in which it computes of TIMESTAMPs; "": it computes nothing of them, or in UTC
	machineZone   string   // what that is where it is SYSTEM
	zoned         []string // unique keys of the definition that are added in that zone, after the rows
}

// A key is a unique key without NULLs: an order of the rows in which each has its place.
type key struct {
	name    string   // quoted
	columns []string // quoted
	desc    []bool
	numeric bool // the first column is an integer
	ordered bool // the server keeps it in order: MariaDB has hashes alone of a unique key that is too long
}

// catalog reads definitions on a connection of its own, which sees the server
// as it is, not as it was at the moment of the dump: the servers keep no
// versions of definitions.
type catalog struct {
	conn  *server.Conn
	warn  func(string)
	debug func(string)

	engines  map[string]bool // whether they are transactional
	charsets map[string]*value.Charset
	texts    viewTexts // nil: not read yet; MariaDB's
}

// readEngines learns which storage engines keep versions of rows.
func (c *catalog) readEngines(ctx context.Context) error {
	rows, err := c.conn.List(ctx, "SELECT engine AS name, transactions AS yes FROM information_schema.engines")
	if err != nil {
		return fmt.Errorf("read storage engines: %w", err)
	}
	c.engines = make(map[string]bool)
	for _, r := range rows {
		c.engines[strings.ToLower(r["name"])] = r["yes"] == "YES"
	}
	return nil
}

// databases returns the names of all but the server's own databases.
func (c *catalog) databases(ctx context.Context) ([]string, error) {
	rows, err := c.conn.ListCounted(ctx, "databases", "SELECT schema_name AS name FROM information_schema.schemata", "SELECT COUNT(*) FROM information_schema.schemata")
	if err != nil {
		return nil, fmt.Errorf("read the list of databases: %w", err)
	}
	var names []string
	for _, r := range rows {
		if !c.conn.IsSystemSchema(r["name"]) {
			names = append(names, r["name"])
		}
	}
	slices.Sort(names)
	return names, nil
}

// identities returns what tells each table of a database from a later one of
// its name. It misses a change within a second of the last one.
func (c *catalog) identities(ctx context.Context, db string) (map[string]string, error) {
	rows, err := c.entries(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("read the list of tables: %w", err)
	}
	list := make(map[string]string, len(rows))
	var tables []string
	for _, r := range rows {
		list[r["name"]] = r["type"]
		if r["type"] != "VIEW" {
			tables = append(tables, r["name"])
		}
	}
	err = c.holding(ctx, db, tables, func(_ []string, condition string) error {
		rows, err := c.conn.List(ctx, `SELECT table_name AS name, CONCAT_WS(' ', table_type, engine, create_time) AS identity
			FROM information_schema.tables WHERE `+c.conn.DatabaseIs("table_schema", db)+condition)
		for _, r := range rows {
			list[r["name"]] = r["identity"]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at the tables: %w", err)
	}
	return list, nil
}

// identity returns what identities returns of one table, whose rows have just been read in a transaction that still
// keeps others from giving its name to a view.
func (c *catalog) identity(ctx context.Context, t *table) (string, error) {
	rows, err := c.conn.List(ctx, `SELECT CONCAT_WS(' ', table_type, engine, create_time) AS identity
		FROM information_schema.tables WHERE `+c.conn.DatabaseIs("table_schema", t.db.name)+` AND `+server.NameIs("table_name", quote.Unquoted(t.name)))
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0]["identity"], nil
}

// sameDefinition tells whether a table whose identity is another is the same all the same: MariaDB does not know the
// time when it was made of one that it opened while its file was being renamed, at the end of its making, and the next
// time that it opens it it does. Then the definition decides. (InnoDB's own word on a table that is younger than the
// dump's moment is an error of the query of its rows.)
func (c *catalog) sameDefinition(ctx context.Context, t *table, identity string) (bool, error) {
	if !strings.HasPrefix(identity, t.identity+" ") && !strings.HasPrefix(t.identity, identity+" ") {
		return false, nil
	}
	rows, err := c.conn.List(ctx, "SHOW CREATE TABLE "+t.qualified())
	if err != nil || len(rows) != 1 {
		return false, err
	}
	now, err := ddl.ParseTable(rows[0]["create table"])
	now.Tail, now.Head = counter.ReplaceAllString(now.Tail, ""), t.definition.Head
	was := t.definition
	was.Tail = counter.ReplaceAllString(was.Tail, "")
	return now.Head == was.Head && slices.Equal(now.Elements, was.Elements) && now.Tail == was.Tail, err
}

// counter is where a table's counter stands, which rows of others move on.
var counter = regexp.MustCompile(` AUTO_INCREMENT=\d+`)

// read reads the definitions of a database.
func (c *catalog) read(ctx context.Context, name string) (*database, error) {
	if err := c.conn.Exec(ctx, "USE "+quote.Name(name)); err != nil {
		return nil, err
	}
	db := &database{name: name}
	for _, step := range []struct {
		what string
		read func(context.Context, *database) error
	}{
		{"defaults", c.readDefaults},
		{"tables", c.readTables},
		{"views", c.readViews},
		{"routines", c.readRoutines},
		{"triggers", c.readTriggers},
		{"events", c.readEvents},
	} {
		if err := step.read(ctx, db); err != nil {
			return nil, fmt.Errorf("read %s: %w", step.what, err)
		}
	}
	return db, c.count(ctx, db)
}

func (c *catalog) readDefaults(ctx context.Context, db *database) error {
	columns := "schema_name AS name, default_character_set_name AS charset, default_collation_name AS collation"
	if c.conn.IsMariaDB() {
		columns += ", schema_comment AS comment"
	} else {
		columns += ", default_encryption AS encryption"
	}
	rows, err := c.conn.List(ctx, "SELECT "+columns+" FROM information_schema.schemata WHERE "+c.conn.DatabaseIs("schema_name", db.name))
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("information_schema knows %d databases of this name", len(rows))
	}
	r := rows[0]
	if c.conn.Fold(r["name"]) != c.conn.Fold(db.name) {
		return fmt.Errorf("information_schema has %+q for its name", guard.Shortened(r["name"]))
	}
	if db.name = r["name"]; c.conn.IsSystemSchema(db.name) {
		return fmt.Errorf("it is the server's own")
	}
	db.charset, db.collation, db.comment, db.encrypted = r["charset"], r["collation"], r["comment"], r["encryption"] == "YES"
	return (guard.Settings{Charset: db.charset, Collation: db.collation}).Check()
}

// readTables reads what there is by way of tables, and all that is to know of the tables themselves and of sequences.
func (c *catalog) readTables(ctx context.Context, db *database) error {
	rows, err := c.entries(ctx, db.name)
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b server.Record) int { return strings.Compare(a["name"], b["name"]) })
	var tables, sequences []string
	for _, r := range rows {
		switch r["type"] {
		case "BASE TABLE", "SYSTEM VERSIONED":
			tables = append(tables, r["name"])
		case "VIEW":
			db.views = append(db.views, view{name: r["name"]})
		case "SEQUENCE":
			sequences = append(sequences, r["name"])
		case "TEMPORARY":
		default:
			c.warnOfKind(db, r["name"], r["type"])
			db.unknownTables++
		}
	}
	err = c.holding(ctx, db.name, sequences, func(names []string, _ string) error { return c.readSequences(ctx, db, names) })
	if err != nil {
		return err
	}
	return c.holding(ctx, db.name, tables, func(_ []string, condition string) error {
		some, err := c.readSome(ctx, db, condition)
		if err != nil {
			return err
		}
		db.tables = append(db.tables, some...)
		if err := c.readColumns(ctx, db, some, condition); err != nil {
			return fmt.Errorf("columns: %w", err)
		}
		if err := c.readKeys(ctx, db, some, condition); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
		return c.readZones(ctx, some)
	})
}

// readSome reads those of a database's tables for which the condition holds.
func (c *catalog) readSome(ctx context.Context, db *database, condition string) ([]*table, error) {
	rows, err := c.conn.List(ctx, `SELECT table_name AS name, table_type AS type, engine, data_length AS bytes, table_rows AS row_count,
			CONCAT_WS(' ', table_type, engine, create_time) AS identity, table_comment AS comment
		FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND `+c.conn.DatabaseIs("table_schema", db.name)+condition)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b server.Record) int { return strings.Compare(a["name"], b["name"]) })
	var tables []*table
	for _, r := range rows {
		if !r.Has("engine") {
			return nil, fmt.Errorf("table %s cannot be opened: %s", r["name"], r["comment"])
		}
		t := &table{db: db, name: quote.Name(r["name"]), label: db.name + "." + r["name"], engine: r["engine"], identity: r["identity"]}
		t.versioned = r["type"] == "SYSTEM VERSIONED"
		t.bytes, _ = strconv.ParseInt(r["bytes"], 10, 64)
		t.rows, _ = strconv.ParseInt(r["row_count"], 10, 64)
		t.transactional = c.engines[strings.ToLower(t.engine)]
		switch strings.ToLower(t.engine) {
		case "mrg_myisam", "federated", "blackhole":
			t.rowless = true
		}
		if t.definition, err = c.readDefinition(ctx, t); err != nil {
			return nil, fmt.Errorf("table %s: %w", r["name"], err)
		}
		c.warnOfUnknown(t)
		tables = append(tables, t)
	}
	return tables, nil
}

func (c *catalog) readDefinition(ctx context.Context, t *table) (ddl.Table, error) {
	rows, err := c.conn.List(ctx, "SHOW CREATE TABLE "+t.name)
	if err != nil {
		return ddl.Table{}, err
	}
	if len(rows) != 1 || !rows[0].Has("create table") {
		return ddl.Table{}, fmt.Errorf("the server shows no definition")
	}
	d, err := ddl.ParseTable(rows[0]["create table"])
	if err == nil && d.Head != "CREATE TABLE "+t.name+" (" {
		err = fmt.Errorf("the server shows %+q for its definition", guard.Shortened(d.Head))
	}
	if err == nil && query.MatchString(quote.Emptied(d.Tail)) {
		err = fmt.Errorf("the definition that the server shows has a query behind it")
	}
	return d, err
}

// query are words of what may stand behind a definition but is none: rows for the table, which a restore would read
// wherever it runs.
var query = regexp.MustCompile(`(?i)\b(SELECT|TABLE|LIKE)\b`)

// readKeys finds the key by which each table's rows leave.
func (c *catalog) readKeys(ctx context.Context, db *database, tables []*table, condition string) error {
	rows, err := c.conn.List(ctx, `SELECT table_name AS tab, index_name AS name, column_name AS col, sub_part AS part, nullable, collation AS direction, index_type AS type
		FROM information_schema.statistics WHERE non_unique = 0 AND `+c.conn.DatabaseIs("table_schema", db.name)+condition+` ORDER BY table_name, index_name, seq_in_index`)
	if err != nil {
		return err
	}
	type candidate struct {
		key
		unfit bool
	}
	found := make(map[string]map[string]*candidate) // by quoted names of table and key
	for _, r := range rows {
		tab, name := quote.Name(r["tab"]), quote.Name(r["name"])
		keys := found[tab]
		if keys == nil {
			keys = make(map[string]*candidate)
			found[tab] = keys
		}
		k := keys[name]
		if k == nil {
			k = &candidate{key: key{name: name, ordered: r["type"] == "BTREE"}}
			keys[name] = k
		}
		k.columns = append(k.columns, quote.Name(r["col"]))
		k.desc = append(k.desc, r["direction"] == "D")
		k.unfit = k.unfit || !r.Has("col") || r.Has("part") || r["nullable"] == "YES"
	}
	for _, t := range tables {
		// The server lists the keys of a definition so that the first that fits
		// is the one by which InnoDB stores the rows.
		for _, name := range t.definition.UniqueKeys() {
			k := found[t.name][name]
			if k == nil || k.unfit {
				continue
			}
			for _, col := range t.columns {
				if col.name == k.columns[0] {
					k.numeric = col.integer
				}
			}
			if t.history && !slices.Contains(k.columns, t.period[1].name) { // the server shows that it is in the key only to who put it there
				k.columns, k.desc = append(k.columns, t.period[1].name), append(k.desc, false)
			}
			t.key = &k.key
			break
		}
	}
	return nil
}
