package main

import (
	"context"
	"fmt"
	"io"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/restic"
)

// source is a database to dump, and its name for people.
type source interface {
	dump.Source
	Survey(context.Context) (dump.Survey, error)
	Host() string
	Database() string
}

// destination is where a dump goes back.
type destination interface {
	dump.Loader
	Verify(io.Reader) error // that a dump is whole, and goes where it is told to go
}

// engine is a kind of database: what the commands have to know of it. Each is made in a file of its own.
type engine struct {
	variables string // of its settings, for errors that name no single one

	source func(cfg *config, warn, debug func(string)) (source, error) // warn and debug may be called by several goroutines
	// loader makes the database that a dump goes into: the named one, or without a name that of the configuration.
	loader func(cfg *config, opt restoreOptions, hooks loadHooks) (destination, error)

	compared func(dump.Comparison) string // for people

	dumped      func(cfg *config, src source) string // what is dumped, for the name of a job without one: app, all
	extension   string                               // of the file in the snapshots
	compression func(cfg *config) string             // restic's --compression; empty: its default
}

// engines are those that are built, by DB_TYPE.
func engines() map[string]engine {
	return map[string]engine{"postgres": postgresEngine(), "mysql": mysqlEngine(), "mariadb": mysqlEngine(), "mongo": mongoEngine()}
}

func (cfg *config) engine() engine { return engines()[cfg.Job.Type] }

// newSource is the database that the configuration names, of an engine that requireJob lets pass. It contacts nothing.
// tell may be nil.
func newSource(cfg *config, tell *teller) (source, error) {
	if tell == nil {
		return cfg.engine().source(cfg, nil, nil)
	}
	return cfg.engine().source(cfg, tell.warnOfDump, tell.debug)
}

// loadHooks are told what a load does.
type loadHooks struct {
	into     func(dump.Target)     // where the dump goes and what is dropped there, before anything is changed
	compared func(dump.Comparison) // what was as the dump says of itself, if it says something, once all is done
	warn     func(string)
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
	j := job{name: cfg.Job.Name, host: cfg.Job.Host}
	if j.name == "" {
		j.name = cfg.Job.Type + "-" + cfg.engine().dumped(cfg, src)
	}
	if j.host == "" {
		j.host = src.Host()
	}
	j.file = j.name + cfg.engine().extension
	return j
}
