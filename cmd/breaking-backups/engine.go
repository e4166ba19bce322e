package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres"
	"github.com/breaking-backups/breaking-backups/restic"
)

// source is a database to dump, and its name for people.
type source interface {
	dump.Source
	Check(context.Context) error
	Host() string
	Database() string
}

// newSource is the database that the configuration names; postgres is the one engine that requireJob lets pass. It
// contacts nothing. log may be nil.
func newSource(cfg *config, log *slog.Logger) (source, error) {
	var warn, debug func(string)
	if log != nil {
		warn = func(text string) { log.Warn(text) }
		debug = func(text string) { log.Debug(text) }
	}
	return postgres.NewSource(postgres.Config{
		Conn:         postgresConn(cfg),
		Password:     cfg.overridden["PGPASSWORD"],
		AllDatabases: cfg.PGDumpAll,

		Databases:        postgres.SplitPatterns(cfg.PGDatabases),
		ExcludeDatabases: postgres.SplitPatterns(cfg.PGExcludeDatabases),
		Select: postgres.Selection{
			Schemas:          postgres.SplitPatterns(cfg.PGSchemas),
			ExcludeSchemas:   postgres.SplitPatterns(cfg.PGExcludeSchemas),
			Tables:           postgres.SplitPatterns(cfg.PGTables),
			ExcludeTables:    postgres.SplitPatterns(cfg.PGExcludeTables),
			ExcludeTableData: postgres.SplitPatterns(cfg.PGExcludeTableData),
			SchemaOnly:       cfg.PGSchemaOnly,
			DataOnly:         cfg.PGDataOnly,
		},
		NoOwner:      cfg.PGNoOwner,
		NoPrivileges: cfg.PGNoPrivileges,
		Clean:        cfg.PGClean,

		LockTimeout: time.Duration(cfg.PGLockTimeout),
		RowOrder:    postgres.RowOrder(cfg.PGRowOrder),
		Jobs:        int(cfg.DumpJobs),
		Warn:        warn,
		Debug:       debug,
	})
}

// newLoader is the database that a dump goes into: the named one, or without a name that of the configuration.
func newLoader(cfg *config, database string, clean bool, log *slog.Logger) (dump.Loader, error) {
	return postgres.NewLoader(postgres.LoadConfig{
		Conn:     postgresConn(cfg),
		Database: database,
		Password: cfg.overridden["PGPASSWORD"],
		Clean:    clean,
		Jobs:     int(cfg.RestoreJobs),

		LockTimeout: time.Duration(cfg.PGLockTimeout),
		Warn:        func(text string) { log.Warn(text) },
	})
}

// postgresConn is what the command line says of the connection. The environment's part is read by the driver, whose
// rules for it are libpq's: a service file, for one, goes before PGHOST but not before a flag.
func postgresConn(cfg *config) string {
	var words []string
	for _, keyword := range []struct{ name, env string }{{"host", "PGHOST"}, {"port", "PGPORT"}, {"user", "PGUSER"}, {"dbname", "PGDATABASE"}} {
		if value, ok := cfg.overridden[keyword.env]; ok {
			quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value)
			words = append(words, keyword.name+"='"+quoted+"'")
		}
	}
	return strings.Join(words, " ")
}

// job is what fixes the snapshots of one database: together host and path are the group in which restic forgets.
type job struct {
	name string
	host string
	file string // name of the file in the snapshots; their path is /file
}

func (j job) path() string { return "/" + j.file }

// filter selects the job's snapshots.
func (j job) filter() restic.Filter { return restic.Filter{Host: j.host, Path: j.path()} }

func newJob(cfg *config, src source) job {
	j := job{name: cfg.JobName, host: cfg.ResticHost}
	if j.name == "" {
		j.name = cfg.DBType + "-all"
		switch {
		case cfg.PGDumpAll:
		case cfg.PGDatabases != "":
			j.name = cfg.DBType + "-databases"
		default:
			j.name = cfg.DBType + "-" + url.PathEscape(src.Database()) // a name may hold slashes
		}
	}
	if j.host == "" {
		j.host = src.Host()
	}
	j.file = j.name + ".sql"
	return j
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
