package main

import (
	"fmt"
	"slices"
)

// A restore has the flags of all settings of its groups, and some of them say nothing in it. Who
// gives one means this run by it, and would be left with a restore that is not what was asked for:
// such a flag is refused, as pg_restore refuses those of pg_dump. Its variable may be there for the
// backups, and is passed over.

// flagsOfDumps are those of settings for dumps alone, and what there is instead.
var flagsOfDumps = map[string]string{
	"dump-jobs":   "want --restore-jobs",
	"allow-empty": "one that holds nothing is restored as it is",

	"pg-exclude-databases": "want --from-database, for one of several",
	"pg-row-order":         "rows go in as it has them",
	"pg-trust-owners":      "rows go in as it has them",

	"mysql-position": "a restore notes none",

	"mongo-include":           "want --ns-include",
	"mongo-exclude":           "want --ns-exclude",
	"mongo-dump-users":        "users and roles come where it has them",
	"mongo-dump-uuids":        "collections get new ones",
	"mongo-oplog":             "an oplog is replayed where it has one",
	"mongo-order":             "documents go in as it has them",
	"mongo-compression":       "a restore sees by itself how a dump is compressed",
	"mongo-compression-level": "a restore sees by itself how a dump is compressed",
}

// enginesOf are the engines that have a group of settings to themselves: DB_TYPE, and their name.
var enginesOf = map[string]struct {
	name  string
	types []string
}{
	"postgres": {"PostgreSQL", []string{"postgres"}},
	"mysql":    {"MySQL and MariaDB", []string{"mysql", "mariadb"}},
	"mongo":    {"MongoDB", []string{"mongo"}},
}

// checkSettings refuses settings' flags that say nothing in a restore into a database of a type.
func (o *restoreOptions) checkSettings(dbType string) error {
	for _, s := range ownSettings().Settings {
		if s.Flag == "" || !o.says(s.Flag) {
			continue
		}
		if of, ok := enginesOf[s.Group]; ok && !slices.Contains(of.types, dbType) {
			return fmt.Errorf("--%s: it is for %s, and the database is one of %s", s.Flag, of.name, dbType)
		}
		if instead, ok := flagsOfDumps[s.Flag]; ok {
			return fmt.Errorf("--%s: it is for dumps; %s", s.Flag, instead)
		}
	}
	return nil
}

// says tells whether the command line has a flag.
func (o *restoreOptions) says(flag string) bool { return o.line != nil && o.line.Changed(flag) }
