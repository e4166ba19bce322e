package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

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
	// A file with the server's public key, PEM (`public_key.pem` in its data folder). Without TLS, a server on
	// another machine that asks for the password itself (`caching_sha2_password`, the first time) gets it under
	// this key or not at all.
	ServerKey string `env:"MYSQL_SERVER_PUBLIC_KEY" help:"file with the server's public key, PEM, under which a password may leave without TLS" shown:"none"`
	// How long to wait for what somebody holds locked. 0: as the server does.
	LockTimeout seconds `env:"MYSQL_LOCK_TIMEOUT_SECONDS" default:"60" help:"wait for what somebody holds locked; 0: as the server does"`
	// Note the binary log's position in the dump, which then differs from run to run.
	Position bool `env:"MYSQL_POSITION" default:"false" help:"note the binary log's position in the dump, which then differs from run to run"`
}

// mysqlEngine is the same for both: the server says which of them it is.
func mysqlEngine() engine {
	return engine{
		variables: "MYSQL_*",
		source: func(cfg *config, warn, debug func(string)) (source, error) {
			return mysql.NewSource(mysql.Config{
				Server:      mysqlServer(cfg),
				Databases:   mysqlDatabases(cfg),
				LockTimeout: time.Duration(cfg.MySQL.LockTimeout),
				Jobs:        int(cfg.Database.DumpJobs),
				Position:    cfg.MySQL.Position,
				AllowEmpty:  cfg.Database.AllowEmpty,
				Warn:        warn,
				Debug:       debug,
			})
		},
		loader: func(cfg *config, opt restoreOptions, hooks loadHooks) (destination, error) {
			database := opt.database
			if all := mysqlDatabases(cfg); database == "" && len(all) == 1 {
				database = all[0]
			}
			return mysql.NewLoader(mysql.LoadConfig{
				Server:      mysqlServer(cfg),
				Database:    database,
				Clean:       opt.clean,
				LockTimeout: time.Duration(cfg.MySQL.LockTimeout),
				Jobs:        int(cfg.Database.RestoreJobs),
				Into:        hooks.into,
				Compared:    hooks.compared,
				Warn:        hooks.warn,
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
		Host: cfg.MySQL.Host, Port: int(cfg.MySQL.Port), Socket: cfg.MySQL.Socket, User: cfg.MySQL.User, Password: cfg.MySQL.Password,
		TLS:            mysql.TLS{Mode: mysql.TLSMode(cfg.MySQL.TLS), CA: cfg.MySQL.TLSCA, Cert: cfg.MySQL.TLSCert, Key: cfg.MySQL.TLSKey},
		PublicKey:      cfg.MySQL.ServerKey,
		ConnectTimeout: time.Duration(cfg.Database.ConnectTimeout),
	}
}

func mysqlDatabases(cfg *config) []string { return splitList(cfg.MySQL.Database) }

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
