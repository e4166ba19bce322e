package main

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql"
)

// mysqlSettings are those of MySQL and MariaDB.
type mysqlSettings struct {
	// The server.
	Host string `env:"MYSQL_HOST" default:"localhost" help:"server"`
	// The port.
	Port uint `env:"MYSQL_PORT" default:"3306" help:"port"`
	// The path of a socket, in place of host and port.
	Socket string `env:"MYSQL_SOCKET" help:"path of a socket, in place of host and port" shown:"none"`
	// The user.
	User string `env:"MYSQL_USER" default:"root" help:"user"`
	// The user's password.
	Password string `env:"MYSQL_PASSWORD" secret:"true" help:"password" shown:"none"`
	// The database, or several, separated by commas: `app,shop`.
	Database string `env:"MYSQL_DATABASE" help:"database, or several, e.g. app,shop" shown:"all, with users and grants"`
	// Whether the connection is encrypted, and whether the server is verified.
	TLS string `env:"MYSQL_TLS" choices:"disabled | preferred | required | verify-ca | verify-full" checked:"where used" shown:"preferred; verify-full with MYSQL_TLS_CA"`
	// A file of certificates to trust.
	TLSCA string `env:"MYSQL_TLS_CA" help:"file of certificates to trust" shown:"the system's"`
	// A file with a client's certificate.
	TLSCert string `env:"MYSQL_TLS_CERT" help:"file with a client's certificate" shown:"none"`
	// A file with the key of the client's certificate.
	TLSKey string `env:"MYSQL_TLS_KEY" help:"file with its key" shown:"none"`
	// A file with the server's public key, PEM (`public_key.pem` in its data folder). Without TLS,
	// a server on another machine that asks for the password itself (`caching_sha2_password`, the
	// first time) gets it under this key or not at all.
	ServerKey string `env:"MYSQL_SERVER_PUBLIC_KEY" help:"file with the server's public key, PEM, under which a password may leave without TLS" shown:"none"`
	// How long to wait for what somebody holds locked. 0: as the server does.
	LockTimeout seconds `env:"MYSQL_LOCK_TIMEOUT_SECONDS" default:"60" help:"wait for what somebody holds locked; 0: as the server does"`
	// Note the binary log's position in the dump, which then differs from run to run.
	Position bool `env:"MYSQL_POSITION" default:"false" help:"note the binary log's position in the dump, which then differs from run to run"`
	// Whether a restore goes into the server's binary log, and by it to the replicas. Leaving it
	// out takes `BINLOG ADMIN` (MariaDB), `SESSION_VARIABLES_ADMIN` (MySQL) or `SUPER`, and
	// replicas that need the same are to be restored one by one.
	Binlog bool `env:"MYSQL_SQL_LOG_BIN" default:"true" help:"a restore goes into the server's binary log, and so to its replicas"`
}

// mysqlKind is the same for both: the server says which of them it is.
func mysqlKind() kind {
	return kind{
		variables: "MYSQL_*",
		names: map[string]string{
			"host": "MYSQL_HOST", "port": "MYSQL_PORT", "user": "MYSQL_USER", "password": "MYSQL_PASSWORD", "database": "MYSQL_DATABASE",
			"socket": "MYSQL_SOCKET",
		},
		instead:   []string{"MYSQL_SOCKET"},
		foreign:   []string{"MYSQL_", "MARIADB_", "DB_"},
		files:     []string{"MYSQL_TLS_CA", "MYSQL_TLS_CERT", "MYSQL_TLS_KEY", "MYSQL_SERVER_PUBLIC_KEY"},
		extension: ".sql",
		address:   (*configLoader).mysqlAddress,
		check:     (*configLoader).checkMySQL,
		engine:    func(cfg *config) engine { return newMySQLEngine(cfg.MySQL, cfg.Database) },
		only:      func(cfg *config, database string) { cfg.MySQL.Database = database },
	}
}

func newMySQLEngine(s mysqlSettings, db databaseSettings) engine {
	databases := splitList(s.Database)
	return engine{
		source: func(hooks dumpHooks) (source, error) {
			return mysql.NewSource(mysql.Config{
				Server:      mysqlServer(s, db),
				Databases:   databases,
				LockTimeout: time.Duration(s.LockTimeout),
				Jobs:        int(db.DumpJobs),
				Position:    s.Position,
				AllowEmpty:  db.AllowEmpty,
				Table:       hooks.table,
				Warn:        hooks.warn,
				Debug:       hooks.debug,
			})
		},
		loader: func(opt restoreOptions, hooks loadHooks) (destination, error) {
			database := opt.database
			if database == "" && len(databases) == 1 {
				database = databases[0]
			}
			return mysql.NewLoader(mysql.LoadConfig{
				Server:      mysqlServer(s, db),
				Database:    database,
				Clean:       opt.clean,
				LockTimeout: time.Duration(s.LockTimeout),
				Jobs:        int(db.RestoreJobs),
				Part:        opt.part(mysql.SplitPatterns),
				NoBinlog:    !s.Binlog,
				Drill:       opt.drill,
				NoAnalyze:   !db.RestoreAnalyze,
				Refused:     hooks.refused,
				Into:        hooks.into,
				Compared:    hooks.compared,
				Warn:        hooks.warn,
			})
		},
		lacks:    mysqlLacks(),
		compared: comparedTables,
		table:    "table",
		row:      "row",
		sql:      true,

		scratch: func(prefix string, _ func(string)) (dump.Scratch, error) {
			return mysql.NewScratch(mysql.ScratchConfig{Server: mysqlServer(s, db), Prefix: prefix, NoBinlog: !s.Binlog})
		},
		tablesOf:       mysql.TablesOf,
		within:         (*dump.Contents).Databases,
		scratchOptions: sqlScratchOptions,
		several:        len(databases) != 1,
		dumped: func(src source) string {
			switch len(databases) {
			case 0:
				return "all"
			case 1:
				return url.PathEscape(src.Database()) // a name may hold slashes
			}
			return "databases"
		},
	}
}

// mysqlLacks are the flags of restore that are not for MySQL and MariaDB.
func mysqlLacks() map[string]string {
	lacks := map[string]string{
		"schema":             "a schema is a database here: --from-database, or --table 'app.*'",
		"exclude-schema":     "a schema is a database here: --exclude-table 'app.*'",
		"to-schema":          "a schema is a database here: --database",
		"single-transaction": "the server commits each definition by itself, so that no restore is all or nothing",
		"disable-triggers":   "the server has no switch for triggers; a dump's own come after its rows",
	}
	maps.Copy(lacks, noNamespaces())
	return lacks
}

func mysqlServer(s mysqlSettings, db databaseSettings) mysql.Server {
	return mysql.Server{
		Host: s.Host, Port: int(s.Port), Socket: s.Socket, User: s.User, Password: s.Password,
		TLS:            mysql.TLS{Mode: mysql.TLSMode(s.TLS), CA: s.TLSCA, Cert: s.TLSCert, Key: s.TLSKey},
		PublicKey:      s.ServerKey,
		ConnectTimeout: time.Duration(db.ConnectTimeout),
	}
}

// mysqlModes are MySQL's words for what MYSQL_TLS says.
var mysqlModes = map[string]string{
	"DISABLED": "disabled", "PREFERRED": "preferred", "REQUIRED": "required", "VERIFY_CA": "verify-ca", "VERIFY_IDENTITY": "verify-full",
}

// mysqlAddress reads DATABASE_URL where variables and flags say nothing else.
func (l *configLoader) mysqlAddress(cfg *config) (name string, err error) {
	return "DATABASE_URL", l.readMySQLAddress(cfg)
}

func (l *configLoader) readMySQLAddress(cfg *config) error {
	if cfg.Job.Address == "" {
		return nil
	}
	a, err := dump.ParseAddress(cfg.Job.Address, func(string) bool { return false })
	if err != nil {
		return err
	}
	cfg.redact.Learn([]string{a.Password})
	if len(a.Hosts) > 1 {
		return errors.New("several hosts; want one")
	}
	take := func(field *string, value string, names ...string) {
		if value != "" && !l.Given(names...) {
			*field = value
		}
	}
	take(&cfg.MySQL.Host, a.Hosts[0].Host, "MYSQL_HOST", "MYSQL_SOCKET")
	if port := a.Hosts[0].Port; port != "" && !l.Given("MYSQL_HOST", "MYSQL_PORT", "MYSQL_SOCKET") {
		n, _ := strconv.ParseUint(port, 10, 16) // a number, as the address could be read
		cfg.MySQL.Port = uint(n)
	}
	if user := l.Environ["MYSQL_USER"]; user == "" || user == a.User {
		take(&cfg.MySQL.Password, a.Password, "MYSQL_PASSWORD")
	}
	take(&cfg.MySQL.User, a.User, "MYSQL_USER")
	take(&cfg.MySQL.Database, a.Database, "MYSQL_DATABASE")
	for _, o := range a.Options {
		wrong := func(why string) error { return dump.AddressMistake(cfg.Job.Address, o.At, why) }
		switch name := strings.ToLower(strings.ReplaceAll(o.Name, "_", "-")); {
		case name == "socket":
			take(&cfg.MySQL.Socket, o.Value, "MYSQL_HOST", "MYSQL_PORT", "MYSQL_SOCKET")
		case name == "ssl-mode":
			mode, ok := mysqlModes[strings.ToUpper(o.Value)]
			if !ok {
				return wrong("want ssl-mode as mysql takes it: DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY")
			}
			take(&cfg.MySQL.TLS, mode, "MYSQL_TLS")
		case name == "ssl-ca":
			take(&cfg.MySQL.TLSCA, o.Value, "MYSQL_TLS_CA")
		case name == "ssl-cert":
			take(&cfg.MySQL.TLSCert, o.Value, "MYSQL_TLS_CERT")
		case name == "ssl-key":
			take(&cfg.MySQL.TLSKey, o.Value, "MYSQL_TLS_KEY")
		case strings.Contains(name, "ssl"), strings.Contains(name, "tls"):
			return wrong("a parameter about encryption that is not known; want ssl-mode, or MYSQL_TLS")
		default:
			passedOver(cfg)(dump.AddressMistake(cfg.Job.Address, o.At, "").At)
		}
	}
	return nil
}

// checkMySQL looks at what variables say of a server and of the way to it, and reports whether it
// can be meant.
func (l *configLoader) checkMySQL(cfg *config) bool {
	s, good := cfg.MySQL, true
	check := func(name string, err error) {
		if err != nil {
			l.Mistake(name, err)
			good = false
		}
	}
	check("MYSQL_SERVER_PUBLIC_KEY", checkFile(s.ServerKey))
	if s.Socket != "" { // the rest is for a way through a network
		return good
	}
	check("MYSQL_HOST", dump.CheckHost(s.Host, "MYSQL_PORT"))
	good = l.CheckChoice(cfg, ownSettings().Named("MYSQL_TLS")) && good
	if s.TLS != "disabled" {
		check("MYSQL_TLS_CA", checkFile(s.TLSCA))
		check("MYSQL_TLS_CERT", checkFile(s.TLSCert))
		check("MYSQL_TLS_KEY", checkFile(s.TLSKey))
	}
	return good
}

// hintMySQL is what a person can do about an error of MySQL or MariaDB, and whether it is one.
func hintMySQL(err error, restoring bool) (text string, known bool) {
	switch {
	case errors.Is(err, mysql.ErrNoKey):
		return "encrypt the connection (MYSQL_TLS=required, or verify-full with MYSQL_TLS_CA); or where there is no TLS give the server's public_key.pem, as it is known: MYSQL_SERVER_PUBLIC_KEY", true
	case errors.Is(err, mysql.ErrNothingFits):
		return hintPatterns, true
	case errors.Is(err, mysql.ErrOfOne):
		return "name the table alone, and the database it goes into with --database", true
	case errors.Is(err, mysql.ErrLost) && !errors.Is(err, syscall.ECONNREFUSED):
		return hintLost, true
	case errors.Is(err, mysql.ErrNoName):
		return "name it with --database or MYSQL_DATABASE", true
	case errors.Is(err, mysql.ErrSeveral):
		return "leave --database out, and MYSQL_DATABASE unset or as it was for the dump", true
	case mysql.ErrorNumber(err) != 0:
		return hintErrorNumber(err, restoring), true
	}
	return "", false
}

func hintErrorNumber(err error, restoring bool) string {
	switch mysql.ErrorNumber(err) {
	case 1045, 1698:
		return "are MYSQL_USER and MYSQL_PASSWORD right, and may the user come from this host?"
	case 1049:
		if restoring {
			return "restore does not make the database: CREATE DATABASE it first"
		}
		return "is MYSQL_DATABASE right?"
	case 1044, 1142, 1143, 1227, 1370:
		if restoring {
			return "restore as a user that may make all that is in the dump: GRANT ALL ON the database; a server's dump takes a superuser"
		}
		return "the user lacks a right; docs/mysql.md says which it takes"
	case 1205:
		return "somebody holds a lock; MYSQL_LOCK_TIMEOUT_SECONDS says how long to wait"
	case 1418, 1419:
		return "the server writes a binary log and does not trust who makes functions: SET GLOBAL log_bin_trust_function_creators = 1, or restore as a superuser"
	case 1298:
		return "load the time zones into the server: mysql_tzinfo_to_sql or mariadb-tzinfo-to-sql"
	case 1153:
		packet := &mysql.PacketError{Needed: 1 << 30}
		if errors.As(err, &packet) && packet.Needed > 1<<30 {
			return "no server takes a statement of that length, and with it this dump"
		}
		return fmt.Sprintf("the server's max_allowed_packet is too small for a row: SET GLOBAL max_allowed_packet = %d", packet.Needed)
	}
	return ""
}

// refusedByMySQL reports whether a server has not accepted who we say we are.
func refusedByMySQL(err error) bool {
	return slices.Contains([]uint16{1045, 1698}, mysql.ErrorNumber(err))
}
