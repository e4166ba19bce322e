package main

import (
	"net/url"
	"time"

	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

func postgresEngine() engine {
	return engine{
		variables: "PG*",
		source:    postgresSource,
		loader:    postgresLoader,
		compared:  comparedTables,
		dumped: func(cfg *config, src source) string {
			switch {
			case cfg.PGDumpAll:
				return "all"
			case cfg.PGDatabases != "":
				return "databases"
			}
			return url.PathEscape(src.Database()) // a name may hold slashes
		},
		extension:   ".sql",
		compression: func(*config) string { return "" },
	}
}

func postgresSource(cfg *config, warn, debug func(string)) (source, error) {
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

		AllowEmpty:     cfg.AllowEmpty,
		ConnectTimeout: time.Duration(cfg.ConnectTimeout),
		LockTimeout:    time.Duration(cfg.PGLockTimeout),
		RowOrder:       postgres.RowOrder(cfg.PGRowOrder),
		TrustOwners:    cfg.PGTrustOwners,
		Jobs:           int(cfg.DumpJobs),
		Warn:           warn,
		Debug:          debug,
	})
}

func postgresLoader(cfg *config, opt restoreOptions, tell listener) (destination, error) {
	return postgres.NewLoader(postgres.LoadConfig{
		Conn:     postgresConn(cfg),
		Database: opt.database,
		Several:  cfg.PGDumpAll || cfg.PGDatabases != "",
		Password: cfg.overridden["PGPASSWORD"],
		Clean:    opt.clean,
		Jobs:     int(cfg.RestoreJobs),

		NoOwner:      cfg.PGNoOwner,
		NoPrivileges: cfg.PGNoPrivileges,

		ConnectTimeout: time.Duration(cfg.ConnectTimeout),
		LockTimeout:    time.Duration(cfg.PGLockTimeout),
		Into:           tell.into,
		Compared:       tell.compared,
		Warn:           tell.warn,
	})
}

// postgresConn is what flags say of the connection, and the parts of an address. The environment's part is read by the
// driver, whose rules for it are libpq's: a service file, for one, goes before PGHOST but not before a flag.
func postgresConn(cfg *config) string { return postgres.FormatConn(cfg.pg) }
