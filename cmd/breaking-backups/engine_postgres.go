package main

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// postgresSettings are those of PostgreSQL. libpq's own variables the driver reads as well.
type postgresSettings struct {
	// The server, or the folder of its socket. Unset, there has to be a server's socket on this
	// machine.
	Host string `env:"PGHOST" help:"server, or folder of its socket" shown:"as libpq"`
	// The port.
	Port string `env:"PGPORT" help:"port" shown:"5432"`
	// The role.
	User string `env:"PGUSER" help:"role" shown:"as libpq"`
	// The role's password. A password file that others can read is ignored with a warning, as by
	// libpq: `chmod 600`.
	Password string `env:"PGPASSWORD" secret:"true" help:"password" shown:"PGPASSFILE, ~/.pgpass"`
	// The database, or as in `psql -d` a connection string: `postgres://…`, or `host=db dbname=app
	// …`. Other variables take precedence over its parts (libpq has no such rule: it looks for no
	// string in `PGDATABASE`).
	Database string `env:"PGDATABASE" help:"database" shown:"the role's name"`
	// Every database, roles, tablespaces and settings. Without rights on `pg_authid` roles come
	// without passwords, with a warning.
	DumpAll bool `env:"PG_DUMP_ALL" default:"false" help:"every database, roles and tablespaces"`
	// Several databases, each with its properties, in one dump: names or patterns, `app,shop_*`.
	// With `PG_DUMP_ALL`, which of them.
	Databases string `env:"PG_DATABASES" help:"several databases, each with its properties: names or patterns, e.g. app,shop_*" shown:"PGDATABASE alone"`
	// Of several or all databases, not these: names or patterns.
	ExcludeDatabases string `env:"PG_EXCLUDE_DATABASES" help:"not these, of several or all" shown:"none"`
	// Leave out who owns what: of a dump, or of a restore into a server without those roles.
	NoOwner bool `env:"PG_NO_OWNER" flag:"no-owner" default:"false" help:"leave out who owns what"`
	// Leave out `GRANT` and `REVOKE`: of a dump, or of a restore into a server without those roles.
	NoPrivileges bool `env:"PG_NO_PRIVILEGES" flag:"no-privileges" default:"false" help:"leave out GRANT and REVOKE"`
	// How long to wait for a table that somebody holds locked. 0: without end.
	LockTimeout seconds `env:"PG_LOCK_TIMEOUT_SECONDS" default:"60" help:"wait for a table that somebody holds locked; 0: without end"`
	// The order of rows: by primary key, as they lie, or with `auto` by key where the statistics
	// say that it is cheap.
	RowOrder string `env:"PG_ROW_ORDER" choices:"auto | key | physical" default:"auto" help:"auto: by key where that is cheap"`
	// The owners of tables and schemas may run code as the dumping role: their large tables are
	// read in the order of their keys also where the role may not lock them.
	TrustOwners bool `env:"PG_TRUST_OWNERS" default:"false" help:"the owners of tables and schemas may run code as the dumping role: large tables in the order of their keys where it may not lock them"`

	Select postgresSelection `group:"selection"`

	conn     map[string]string // parameters of the connection that DATABASE_URL, PGDATABASE and flags give
	password string            // what a file or a flag gives in place of what the driver reads
}

// postgresSelection is the part of a database that is dumped.
type postgresSelection struct {
	// Only these schemas: patterns as psql takes them, `app,shop_*`.
	Schemas string `env:"PG_SCHEMAS" flag:"schema" help:"only these schemas: patterns as psql takes them, e.g. app,shop_*" shown:"all"`
	// Not these schemas.
	ExcludeSchemas string `env:"PG_EXCLUDE_SCHEMAS" flag:"exclude-schema" help:"not these schemas" shown:"none"`
	// Only these tables, views and sequences: `orders`, `app.*`. Partitions follow their tables.
	Tables string `env:"PG_TABLES" flag:"table" help:"only these tables, views, sequences: table or schema.table" shown:"all"`
	// Not these tables, views and sequences.
	ExcludeTables string `env:"PG_EXCLUDE_TABLES" flag:"exclude-table" help:"not these" shown:"none"`
	// The definitions of these tables without their rows.
	ExcludeTableData string `env:"PG_EXCLUDE_TABLE_DATA" flag:"exclude-table-data" help:"not the rows of these tables" shown:"none"`
	// Definitions without rows.
	SchemaOnly bool `env:"PG_SCHEMA_ONLY" flag:"schema-only" default:"false" help:"definitions, no rows"`
	// Rows without definitions.
	DataOnly bool `env:"PG_DATA_ONLY" flag:"data-only" default:"false" help:"rows, no definitions"`
	// The dump drops what it makes first, where it exists: for psql. `restore` has its own
	// `--clean`.
	Clean bool `env:"PG_CLEAN" flag:"clean" default:"false" help:"the dump drops what it makes first, where it exists (for psql; restore has its own --clean)"`
}

func postgresKind() kind {
	return kind{
		variables: "PG*",
		names:     map[string]string{"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "database": "PGDATABASE"},
		foreign:   []string{"POSTGRES_", "POSTGRESQL_", "PG_", "PG", "DB_"},
		files:     []string{"PGPASSFILE", "PGSERVICEFILE", "PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT"},
		extension: ".sql",
		address:   (*configLoader).postgresAddress,
		check:     func(*configLoader, *config) bool { return true }, // by those who know libpq's rules
		engine:    func(cfg *config) engine { return newPostgresEngine(cfg.Postgres, cfg.Database) },
		only: func(cfg *config, database string) {
			s := &cfg.Postgres
			s.DumpAll, s.Databases, s.ExcludeDatabases, s.Database = false, "", "", database
			s.conn["dbname"] = database
		},
	}
}

func newPostgresEngine(s postgresSettings, db databaseSettings) engine {
	return engine{
		source: func(hooks dumpHooks) (source, error) { return postgresSource(s, db, hooks) },
		loader: func(opt restoreOptions, hooks loadHooks) (destination, error) {
			return postgresLoader(s, db, opt, hooks)
		},
		lacks:    noNamespaces(),
		compared: comparedTables,
		table:    "table",
		row:      "row",
		sql:      true,

		scratch: func(prefix string, warn func(string)) (dump.Scratch, error) {
			return postgres.NewScratch(postgres.ScratchConfig{
				Conn: s.connection(), Password: s.password, Prefix: prefix, ConnectTimeout: time.Duration(db.ConnectTimeout), Warn: warn,
			})
		},
		tablesOf:       postgres.TablesOf,
		within:         postgres.DatabasesIn,
		scratchOptions: sqlScratchOptions,
		several:        s.DumpAll || s.Databases != "",
		headed:         true,
		rowsAlone:      s.Select.DataOnly,
		dumped: func(src source) string {
			switch {
			case s.DumpAll:
				return "all"
			case s.Databases != "":
				return "databases"
			}
			return url.PathEscape(src.Database()) // a name may hold slashes
		},
	}
}

func postgresSource(s postgresSettings, db databaseSettings, hooks dumpHooks) (source, error) {
	return postgres.NewSource(postgres.Config{
		Conn:         s.connection(),
		Password:     s.password,
		AllDatabases: s.DumpAll,

		Databases:        postgres.SplitPatterns(s.Databases),
		ExcludeDatabases: postgres.SplitPatterns(s.ExcludeDatabases),
		Select: postgres.Selection{
			Schemas:          postgres.SplitPatterns(s.Select.Schemas),
			ExcludeSchemas:   postgres.SplitPatterns(s.Select.ExcludeSchemas),
			Tables:           postgres.SplitPatterns(s.Select.Tables),
			ExcludeTables:    postgres.SplitPatterns(s.Select.ExcludeTables),
			ExcludeTableData: postgres.SplitPatterns(s.Select.ExcludeTableData),
			SchemaOnly:       s.Select.SchemaOnly,
			DataOnly:         s.Select.DataOnly,
		},
		NoOwner:      s.NoOwner,
		NoPrivileges: s.NoPrivileges,
		Clean:        s.Select.Clean,

		AllowEmpty:     db.AllowEmpty,
		ConnectTimeout: time.Duration(db.ConnectTimeout),
		LockTimeout:    time.Duration(s.LockTimeout),
		RowOrder:       postgres.RowOrder(s.RowOrder),
		TrustOwners:    s.TrustOwners,
		Jobs:           int(db.DumpJobs),
		Table:          hooks.table,
		Warn:           hooks.warn,
		Debug:          hooks.debug,
	})
}

func postgresLoader(s postgresSettings, db databaseSettings, opt restoreOptions, hooks loadHooks) (destination, error) {
	return postgres.NewLoader(postgres.LoadConfig{
		Conn:     s.connection(),
		Database: opt.database,
		Several:  s.DumpAll || s.Databases != "",
		Password: s.password,
		Clean:    opt.clean,
		Drill:    opt.drill,
		Jobs:     int(db.RestoreJobs),

		Part:              opt.part(postgres.SplitPatterns),
		ToSchema:          opt.toSchema,
		SingleTransaction: opt.singleTransaction,
		DisableTriggers:   opt.disableTriggers,
		NoAnalyze:         !db.RestoreAnalyze,

		NoOwner:      s.NoOwner,
		NoPrivileges: s.NoPrivileges,

		ConnectTimeout: time.Duration(db.ConnectTimeout),
		LockTimeout:    time.Duration(s.LockTimeout),
		Refused:        hooks.refused,
		Into:           hooks.into,
		Compared:       hooks.compared,
		Working:        hooks.working,
		Warn:           hooks.warn,
	})
}

// connection is what flags say of the connection, and the parts of an address. The environment's
// part is read by the driver, whose rules for it are libpq's: a service file, for one, goes before
// PGHOST but not before a flag.
func (s postgresSettings) connection() string { return postgres.FormatConn(s.conn) }

// postgresAddress reads DATABASE_URL, or PGDATABASE where that is a connection string, and the
// flags. The other variables are the driver's to read. (libpq takes such a string where a database
// is named on a command line, psql -d, and there before its variables; PGDATABASE it takes for a
// name whatever is in it. So there is no rule of its to follow, and that of our other addresses
// holds.)
func (l *configLoader) postgresAddress(cfg *config) (name string, err error) {
	cfg.Postgres.conn = map[string]string{}
	name, inName := "DATABASE_URL", postgres.IsConn(cfg.Postgres.Database)
	switch {
	case inName && cfg.Job.Address != "":
		return name, errors.New("PGDATABASE is an address as well; want one of them")
	case inName:
		name = "PGDATABASE"
		cfg.Postgres.conn, err = postgres.ParseConn(cfg.Postgres.Database, nil)
	case cfg.Job.Address != "":
		cfg.Postgres.conn, err = postgres.ParseConn(cfg.Job.Address, passedOver(cfg))
	}
	if err != nil {
		cfg.Postgres.Database = ""
		return name, err
	}
	cfg.redact.Learn([]string{cfg.Postgres.conn["password"], cfg.Postgres.conn["sslpassword"]})
	if l.Given("PGHOST") { // a port belongs to its host, a password to its user
		delete(cfg.Postgres.conn, "port")
	} else if slices.Contains(l.dropped, "PGPORT") { // which the driver would read
		cfg.Postgres.conn["port"] = cmp.Or(cfg.Postgres.conn["port"], "5432")
	}
	if user := l.Environ["PGUSER"]; user != "" && user != cfg.Postgres.conn["user"] {
		delete(cfg.Postgres.conn, "password")
	}
	for keyword, variable := range postgres.Variables {
		ownAddress := name == "DATABASE_URL" && !l.Shared(name)
		if l.Given(variable) && !(inName && keyword == "dbname") && !(ownAddress && l.Shared(variable)) {
			delete(cfg.Postgres.conn, keyword)
		}
	}
	for keyword, variable := range postgres.Variables {
		if value, ok := l.Overridden(variable); ok && keyword != "password" && !(inName && keyword == "dbname") {
			cfg.Postgres.conn[keyword] = value
		}
	}
	if inName { // which the driver would read too
		cfg.Postgres.conn["dbname"] = cmp.Or(cfg.Postgres.conn["dbname"], cfg.Postgres.User, cfg.Postgres.conn["user"])
		cfg.Postgres.Database = cfg.Postgres.conn["dbname"]
	}
	return name, nil
}

// hintLost is for a server that has ended a session in the middle.
const hintLost = "the server's log says why: was it stopped, has it crashed or run out of memory, or did somebody end the session?"

// hintPatterns is for patterns that fit nothing.
const hintPatterns = "patterns are table or schema.table (MySQL, MariaDB: database.table), with * and ?; within double quotes every letter stands for itself"

// hintPostgres is what a person can do about an error of PostgreSQL, and whether it is one. A
// restore asks for other things than a dump.
func hintPostgres(err error, restoring bool) (text string, known bool) {
	var server interface{ SQLState() string }
	switch {
	case errors.Is(err, postgres.ErrUndroppable):
		return "nothing is dropped while one of the databases has to stay: end what is named there, or restore as their owner", true
	case errors.Is(err, postgres.ErrWholeCluster):
		return "leave --database out: the dump makes its databases by their own names", true
	case errors.Is(err, postgres.ErrCleartext):
		return "encrypt the connection: PGSSLMODE=require, or verify-full with PGSSLROOTCERT; PGSSLMODE=disable says that nobody is between", true
	case errors.Is(err, postgres.ErrRecoveryConflict):
		return "on the standby hot_standby_feedback = on, or a larger max_standby_streaming_delay; or dump from the primary", true
	case errors.Is(err, postgres.ErrNothingFits):
		return hintPatterns, true
	case errors.Is(err, postgres.ErrNoDatabase):
		return "--from-database names one of the databases that are in the dump, and --database where it goes", true
	case errors.Is(err, postgres.ErrSchemas):
		return "restore them schema by schema: --schema chooses one", true
	case errors.Is(err, postgres.ErrEnded):
		return hintLost, true
	case errors.Is(err, postgres.ErrNoName):
		return "name it with --database; PG_DUMP_ALL and PG_DATABASES are for dumps of several", true
	case errors.As(err, new(*postgres.RightError)): // it says what to grant
		return "", true
	case restoring && postgres.IsNoRole(err):
		return "roles are no part of a dump of one database: CREATE ROLE them first, or leave them out: --no-owner --no-privileges", true
	case errors.As(err, &server):
		return hintSQLState(server.SQLState(), restoring), true
	}
	return "", false
}

func hintSQLState(state string, restoring bool) string {
	if restoring {
		switch state {
		case "3D000":
			return "restore does not make the database: CREATE DATABASE it first"
		case "42501":
			return "restore as the owner of the database and of what is in the dump, or as a superuser"
		case "42704":
			return "what the error names is neither in what is restored nor on the server: make it there first"
		case "55P03":
			return "somebody uses the database; PG_LOCK_TIMEOUT_SECONDS says how long to wait"
		}
	}
	switch state {
	case "28P01", "28000":
		return "are PGUSER and PGPASSWORD right, and does pg_hba.conf let this host in?"
	case "3D000":
		return "is PGDATABASE right?"
	case "42501":
		return "the role lacks a right: GRANT pg_read_all_data TO it, or dump as the owner"
	case "55P03":
		return "somebody holds a table locked; PG_LOCK_TIMEOUT_SECONDS says how long to wait"
	}
	return ""
}

// refusedByPostgres reports whether a server has not accepted who we say we are.
func refusedByPostgres(err error) bool {
	var server interface{ SQLState() string }
	return errors.As(err, &server) && slices.Contains([]string{"28P01", "28000"}, server.SQLState())
}
