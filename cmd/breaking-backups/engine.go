package main

import (
	"context"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/dump"
)

// source is a database to dump, and its name for people.
type source interface {
	dump.Source
	Survey(context.Context) (dump.Survey, error)
	// ListDatabases are those of the server that the settings take, each to be dumped by itself.
	ListDatabases(context.Context) ([]string, error)
	Host() string
	Database() string
}

// destination is where a dump goes back.
type destination interface {
	dump.Loader
	Verify(io.Reader) error // that a dump is whole, and goes where it is told to go
	// Rehearse finds out what a load would do, and changes nothing.
	Rehearse(context.Context, io.Reader) (dump.Rehearsal, error)
	Reach(context.Context) error // that the server lets one in; a *dump.NotReadyError: waiting may help
}

// kind is a kind of database: how the settings of one are read. Each is made in a file of its own.
type kind struct {
	variables string            // of its settings, for errors that name no single one
	names     map[string]string // of these, by what each says: host, port, user, password, database, and where there are such socket, address
	instead   []string          // variables that say where the server is in place of host and port
	foreign   []string          // what the names of others' variables for the same begin with
	files     []string          // variables that name files with credentials, which its driver reads
	extension string            // of the file in the snapshots

	address func(l *configLoader, cfg *config) (variable string, err error) // puts the parts of an address where no variable says else
	check   func(l *configLoader, cfg *config) bool                         // looks at what variables of ours say of a server, and tells what is wrong
	engine  func(cfg *config) engine
	only    func(cfg *config, database string) // has the settings say one database of the server in place of several
}

// kinds are those that are built, by DB_TYPE.
func kinds() map[string]kind {
	return map[string]kind{"postgres": postgresKind(), "mysql": mysqlKind(), "mariadb": mysqlKind(), "mongo": mongoKind()}
}

// engine is a database with its settings: what the commands have to know of it. It may be used any
// number of times, and contacts nothing by itself.
type engine struct {
	source func(hooks dumpHooks) (source, error)
	// loader makes the database that a dump goes into: the named one, or without a name that of the
	// settings.
	loader func(opt restoreOptions, hooks loadHooks) (destination, error)
	lacks  map[string]string // flags of restore that are not for it, and what there is instead

	compared   func(dump.Comparison) string // for people
	table, row string                       // what it calls them
	sql        bool                         // its dumps are SQL, of which a part can be read

	// scratch makes databases for drills on the server of the settings.
	scratch func(prefix string, warn func(string)) (dump.Scratch, error)
	// tablesOf are, of those that a dump says it holds, the ones of a database, by the names that a
	// dump of a copy of it has for them; database is empty for a dump of one.
	tablesOf func(said dump.Manifest, database string) dump.Manifest
	// within are the names of the databases that a dump of several holds.
	within func(of *dump.Contents) []string
	// scratchOptions are those of a restore into a drill's database, of the one database of a dump
	// of several that is named.
	scratchOptions func(name, database string) restoreOptions
	several        bool // its dumps are of several databases
	headed         bool // a drill's database is made by what the dump says at its head
	rowsAlone      bool // its dumps have no definitions
	named          bool // its tables bear their database's name, also in a dump of one

	dumped      func(src source) string // what is dumped, for the name of a job without one: app, all
	compression string                  // restic's --compression; empty: its default
}

// dumpHooks are told what a dump does. Any may be nil; warn and debug may be called by several
// goroutines.
type dumpHooks struct {
	table func(dump.Table) // each whose rows have passed; it holds the dump up
	warn  func(string)     // of what the dump leaves out or cannot vouch for
	debug func(string)     // of choices made on the way
}

// toldBy has a run tell what its dump does.
func toldBy(tell *audience.Teller) dumpHooks {
	return dumpHooks{
		table: func(t dump.Table) { tell.Table(t.Name, t.Rows) },
		warn:  tell.WarnOfDump,
		debug: tell.Debug,
	}
}

// loadHooks are told what a load does.
type loadHooks struct {
	into     func(dump.Target)     // where the dump goes and what is dropped there, before anything is changed
	compared func(dump.Comparison) // what was as the dump says of itself, if it says something, once all is done
	working  func(dump.Work)       // what is built besides the rows, of an engine that tells
	refused  func(dump.Refusal)    // what the server has not taken, in a load that goes on; nil: it stops at the first
	warn     func(string)
}

// sqlScratchOptions are scratchOptions for a dump in SQL.
func sqlScratchOptions(name, database string) restoreOptions {
	return restoreOptions{database: name, onError: stopOnError, fromDatabase: database, drill: true}
}

// comparedTables tells what was compared of a dump in SQL.
func comparedTables(c dump.Comparison) string {
	return fmt.Sprintf("compared %s, %s with the dump's manifest", number(c.Tables, "table"), number(c.Rows, "row"))
}

// number writes a number of things.
func number[N int | int64](n N, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
