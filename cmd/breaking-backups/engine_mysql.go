package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/breaking-backups/breaking-backups/dump/mysql"
)

// mysqlEngine is the same for both: the server says which of them it is.
func mysqlEngine() engine {
	return engine{
		variables: "MYSQL_*",
		source: func(cfg *config, warn, debug func(string)) (source, error) {
			return mysql.NewSource(mysql.Config{
				Server:      mysqlServer(cfg),
				Databases:   mysqlDatabases(cfg),
				LockTimeout: time.Duration(cfg.MyLockTimeout),
				Jobs:        int(cfg.DumpJobs),
				Position:    cfg.MyPosition,
				AllowEmpty:  cfg.AllowEmpty,
				Warn:        warn,
				Debug:       debug,
			})
		},
		loader: func(cfg *config, opt restoreOptions, tell listener) (destination, error) {
			database := opt.database
			if all := mysqlDatabases(cfg); database == "" && len(all) == 1 {
				database = all[0]
			}
			return mysql.NewLoader(mysql.LoadConfig{
				Server:      mysqlServer(cfg),
				Database:    database,
				Clean:       opt.clean,
				LockTimeout: time.Duration(cfg.MyLockTimeout),
				Jobs:        int(cfg.RestoreJobs),
				Into:        tell.into,
				Compared:    tell.compared,
				Warn:        tell.warn,
			})
		},
		compared: comparedTables,
		dumped: func(cfg *config, src source) string {
			switch len(mysqlDatabases(cfg)) {
			case 0:
				return "all"
			case 1:
				return url.PathEscape(src.Database()) // a name may hold slashes
			}
			return "databases"
		},
		extension:   ".sql",
		compression: func(*config) string { return "" },
	}
}

func mysqlServer(cfg *config) mysql.Server {
	return mysql.Server{
		Host: cfg.MyHost, Port: int(cfg.MyPort), Socket: cfg.MySocket, User: cfg.MyUser, Password: cfg.MyPassword,
		TLS:            mysql.TLS{Mode: mysql.TLSMode(cfg.MyTLS), CA: cfg.MyTLSCA, Cert: cfg.MyTLSCert, Key: cfg.MyTLSKey},
		PublicKey:      cfg.MyServerKey,
		ConnectTimeout: time.Duration(cfg.ConnectTimeout),
	}
}

func mysqlDatabases(cfg *config) []string { return splitList(cfg.MyDatabase) }

// hintMySQL is what a person can do about an error of a MySQL or MariaDB server.
func hintMySQL(err error, restoring bool) string {
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
		return "the user lacks a right; the README says which it takes"
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
