package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// jobSettings say which database is backed up, and by what name its snapshots are known.
type jobSettings struct {
	// The kind of database. `mysql` and `mariadb` are the same: either works with either server.
	Type string `env:"DB_TYPE" choices:"postgres | mysql | mariadb | mongo" checked:"where used" required:"required, or DATABASE_URL"`
	// The database's address in one: `postgres://`, `postgresql://`, `mysql://`, `mariadb://`,
	// `mongodb://` or `mongodb+srv://user:password@host:port/database`. It says `DB_TYPE` too.
	// Other variables and flags take precedence over its parts: a host replaces the port as well, a
	// user the password. A `mongodb://` address is `MONGO_URI` by another name, unless that or
	// `MONGO_HOST` is set. Of a `mysql://` address these parameters count: `ssl-mode`, `ssl-ca`,
	// `ssl-cert`, `ssl-key` and `socket`. A parameter of another program (`?schema=public`) is
	// ignored with a warning, unless it is about encryption.
	Address string `env:"DATABASE_URL" secret:"true" help:"where the database is, in one: postgres://, mysql://, mariadb:// or mongodb://user:password@host:port/database; other variables go before its parts" shown:"none"`
	// The job's name, and with it the path of its snapshots: `/postgres-app.sql`.
	Name string `env:"JOB_NAME" flag:"job" help:"name of the job and of the file in its snapshots" shown:"type and database, e.g. postgres-app; postgres-all"`
	// The host that the snapshots bear; never the container's. Set it where the database is reached
	// as `127.0.0.1` or by a socket: together with the job's name it says whose snapshots they are.
	Host string `env:"RESTIC_HOST" flag:"host" help:"host that the snapshots bear" shown:"the database's host"`
	// Each database of the server is a job of its own, found anew at each run, with its own
	// snapshots, retention and status: `postgres-app`, `postgres-shop`, or with `JOB_NAME` in place
	// of the type. Which databases, the engine's own variables say: `PG_DATABASES` and
	// `PG_EXCLUDE_DATABASES`, `MYSQL_DATABASE`, `MONGO_INCLUDE` and `MONGO_EXCLUDE`. What is no
	// database's, roles and accounts, is in none of them. `restore` and `dump` take one: `--job
	// postgres-app`.
	PerDatabase bool `env:"JOB_PER_DATABASE" default:"false" help:"each database of the server is a job of its own, found anew at each run"`
	// Whatever has kept a dump, a restore or the repository's care waiting for this long is given
	// up: a store that takes or gives nothing, a reader of `dump` that sleeps. With
	// `BACKUP_MODE=auto` the rest of the dump then goes into `WORK_DIR`, the database is let go,
	// and the store gets it once it takes bytes again. restic itself is ended when it neither reads
	// nor writes for this long, in a backup or a restore for four times as long (seen on Linux). A
	// database may take its time; what is slow but moves is bounded by `BACKUP_TIMEOUT_SECONDS`
	// alone. restic takes the stream in gulps of as many packs as it has connections (5 of 16 MiB):
	// a store that needs longer for such a gulp, behind less than some 2 Mbit/s or with a larger
	// `RESTIC_PACK_SIZE`, needs more. 0: never.
	StallTimeout seconds `env:"STALL_TIMEOUT_SECONDS" default:"300" help:"end what the store, or the reader of a dump, has kept waiting for so long; 0: never"`
}

// databaseSettings hold for a database of any kind.
type databaseSettings struct {
	// How long a server may take to let the program in, from dialling to its word that it is ready;
	// each server, where several are named. `connect_timeout` (PostgreSQL) and
	// `serverSelectionTimeoutMS` (MongoDB) take precedence. 0: without end.
	ConnectTimeout seconds `env:"CONNECT_TIMEOUT_SECONDS" default:"10" help:"for a server to let one in, each that is named; a URI's own and PGCONNECT_TIMEOUT go before it; 0: without end"`
	// Connections that read rows, besides one for the definitions. The dump is the same, byte for
	// byte, for every number.
	DumpJobs jobs `env:"DUMP_JOBS" unit:"connections" default:"2" help:"connections that read rows; the dump is the same for every number"`
	// Connections of a restore. PostgreSQL: all build indexes, keys and foreign keys, and share the
	// rows of large tables that are dumped in the order of their keys. MySQL, MariaDB: all load
	// rows and build indexes, and one more does everything else. MongoDB: all insert documents in
	// batches, so that their order changes, except in capped collections and time series. 1:
	// everything in the dump's order, on one connection.
	RestoreJobs jobs `env:"RESTORE_JOBS" unit:"connections" shown:"the smaller of 4 and the processors of this side" help:"connections of a restore: they load rows, and build indexes and keys"`
	// Whether a restore ends with the statistics by which queries are planned, of the tables that
	// it has loaded: in PostgreSQL with `ANALYZE` on all its connections, by which a dump also
	// finds out which tables lie in the order of their keys, and which autovacuum makes some time
	// later otherwise; in MySQL and MariaDB where the server does not make them by itself.
	RestoreAnalyze bool `env:"RESTORE_ANALYZE" default:"true" help:"a restore of PostgreSQL, MySQL or MariaDB ends with the planner's statistics of what it has loaded"`
	// A dump that holds nothing is no error: a new database, or an include that may match nothing.
	// Such a snapshot pushes none with content out of a retention policy.
	AllowEmpty bool `env:"ALLOW_EMPTY" flag:"allow-empty" default:"false" help:"a dump that holds nothing is no error"`
}

// requireJob makes sure that there is a database to back up, and a name for its snapshots.
func (l *configLoader) requireJob(cfg *config) {
	kind, ok := kinds()[cfg.Job.Type]
	switch {
	case ok && !l.readAddress(cfg, kind): // which has told it
	case ok && !kind.check(l, cfg): // likewise
	case ok:
		src, err := kind.engine(cfg).source(dumpHooks{})
		switch {
		case err != nil:
			l.sourceMistakes(kind.variables, err)
		case cfg.Job.Host == "" && !utf8.ValidString(src.Host()):
			l.Mistake("RESTIC_HOST", fmt.Errorf("want the name that the snapshots bear: the database's host is not UTF-8, as restic keeps names: %q", src.Host()))
		}
	case cfg.Job.Type == "" && cfg.Job.Address != "":
		l.Mistake("DATABASE_URL", errScheme)
	case cfg.Job.Type == "":
		l.Mistake("DB_TYPE", errors.New("not set, nor DATABASE_URL; want postgres, mysql, mariadb or mongo"))
	default:
		l.Mistake("DB_TYPE", fmt.Errorf("want postgres, mysql, mariadb or mongo, got %q", cfg.Job.Type))
	}
	if err := checkJobName(cfg.Job.Name); err != nil {
		l.Mistake("JOB_NAME", err)
	}
	if !utf8.ValidString(cfg.Job.Host) {
		l.Mistake("RESTIC_HOST", fmt.Errorf("want UTF-8, as restic keeps names, got %q", cfg.Job.Host))
	}
}

// readAddress puts the parts of the database's address where variables and flags say nothing else,
// and reports whether it could be read.
func (l *configLoader) readAddress(cfg *config, kind kind) bool {
	name, err := kind.address(l, cfg)
	if err != nil {
		l.Mistake(name, err)
	}
	return err == nil
}

// sourceMistakes notes what is wrong with the settings of a database, by the variables that say it
// where they are known, else by the name of all.
func (l *configLoader) sourceMistakes(variables string, err error) {
	var one *postgres.SettingError
	var several postgres.SettingErrors
	switch {
	case errors.As(err, &several):
	case errors.As(err, &one):
		several = append(several, one)
	default:
		l.Mistake(variables, err)
	}
	for _, wrong := range several {
		l.Mistake(wrong.Variable, wrong.Err)
	}
}

func checkJobName(name string) error {
	if !utf8.ValidString(name) {
		return fmt.Errorf("want UTF-8, as restic keeps names, got %q", name)
	}
	if strings.ContainsAny(name, "/\\*?[") || strings.HasPrefix(name, ".") || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("want a name without blanks, slashes and wildcards, got %q", name)
	}
	return nil
}
