package main

import (
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
)

// insteadOf are, for a variable of a job's own, those that say the same in another way: shared ones
// count no more.
var insteadOf = map[string][]string{
	"BACKUP_INTERVAL_SECONDS":     {"CRON_SCHEDULE"},
	"CRON_SCHEDULE":               {"BACKUP_INTERVAL_SECONDS"},
	"RESTIC_PASSWORD":             {"RESTIC_PASSWORD_COMMAND"},
	"RESTIC_PASSWORD_COMMAND":     {"RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE"},
	"PGPASSFILE":                  {"PGPASSWORD", "PGPASSWORD_FILE"},
	"AWS_ACCESS_KEY_ID":           {"AWS_SESSION_TOKEN", "AWS_SESSION_TOKEN_FILE", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"},
	"AWS_PROFILE":                 awsKeys,
	"AWS_SHARED_CREDENTIALS_FILE": awsKeys,
	"AZURE_ACCOUNT_KEY":           {"AZURE_ACCOUNT_SAS", "AZURE_ACCOUNT_SAS_FILE"},
	"AZURE_ACCOUNT_SAS":           {"AZURE_ACCOUNT_KEY", "AZURE_ACCOUNT_KEY_FILE"},
	"MYSQL_HOST":                  {"MYSQL_SOCKET"},
	"MYSQL_SOCKET":                {"MYSQL_HOST", "MYSQL_PORT"},
	"MONGO_HOST":                  {"MONGO_URI", "MONGODB_URI"},
	"MONGO_URI":                   {"MONGODB_URI", "MONGO_HOST", "MONGO_PORT", "DATABASE_URL"},
	"MONGODB_URI":                 {"MONGO_URI", "MONGO_HOST", "MONGO_PORT", "DATABASE_URL"},
	"DATABASE_URL":                {"MONGO_URI", "MONGODB_URI"},
}

var awsKeys = []string{"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID_FILE", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY_FILE", "AWS_SESSION_TOKEN", "AWS_SESSION_TOKEN_FILE"}

// dropShared unsets what all jobs share and this one's own variables say otherwise: the parts of an
// address, the kind of database that it names, another way to the same. Without an overlay all
// variables are a job's own.
func (l *configLoader) dropShared() {
	if l.Own == nil {
		return
	}
	for own, others := range insteadOf {
		if l.isOwn(own) {
			l.drop(others...)
		}
	}
	address := l.Environ["DATABASE_URL"]
	scheme, _, _ := strings.Cut(address, "://")
	switch {
	case l.isOwn("DATABASE_URL") && schemes[scheme] != "":
		l.drop("DB_TYPE")
		l.dropParts(address)
	case l.isOwn("DB_TYPE") && schemes[scheme] != "" && !sameKind(schemes[scheme], l.Environ["DB_TYPE"]):
		l.drop("DATABASE_URL")
	}
}

// dropParts unsets the shared variables for the parts that an address names.
func (l *configLoader) dropParts(address string) {
	a, err := dump.ParseAddress(address, func(string) bool { return true })
	if err != nil { // which is told where it is used
		return
	}
	for _, kind := range kinds() {
		if len(a.Hosts) > 0 && a.Hosts[0].Host != "" {
			l.drop(kind.names["host"], kind.names["port"], kind.names["socket"])
		}
		if a.User != "" {
			l.drop(kind.names["user"])
		}
		if a.Password != "" {
			l.drop(kind.names["password"])
		}
		if a.Database != "" {
			l.drop(kind.names["database"])
		}
	}
}

func sameKind(a, b string) bool {
	sql := []string{"mysql", "mariadb"}
	return a == b || slices.Contains(sql, a) && slices.Contains(sql, b)
}

// isOwn reports whether a variable is given, and not shared.
func (l *configLoader) isOwn(name string) bool { return l.Given(name) && !l.Shared(name) }

// drop unsets variables that are shared.
func (l *configLoader) drop(names ...string) {
	for _, name := range names {
		if name != "" && l.Shared(name) {
			l.Unset(name)
			l.dropped = append(l.dropped, name)
		}
	}
}
