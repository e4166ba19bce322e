package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/dump"
)

// restoreOptions are what the flags of restore say. An engine takes what it has of them; check sees
// to it that there is nothing else.
type restoreOptions struct {
	snapshot, at, file, database string
	clean, yes, ifEmpty, dryRun  bool
	wait                         time.Duration // for a server that does not let one in yet; 0: not at all
	onError                      string        // stopOnError or continueOnError

	tables, excludeTables, schemas, excludeSchemas []string
	schemaOnly, dataOnly                           bool
	fromDatabase, toSchema                         string
	singleTransaction, disableTriggers             bool

	nsInclude, nsExclude, nsFrom, nsTo []string // of MongoDB

	drill bool // no person's: what is restored may act on nothing

	notAfter time.Time // what at says; zero: nothing

	line *pflag.FlagSet // the command line, with the flags that are settings'; nil: there is none
}

// What --on-error may say.
const (
	stopOnError     = "stop"
	continueOnError = "continue"
)

// latestSnapshot is what --snapshot is unless it names one.
const latestSnapshot = "latest"

// addTo gives flags those of the options.
func (o *restoreOptions) addTo(flags *pflag.FlagSet) {
	o.line = flags
	flags.StringVar(&o.snapshot, "snapshot", latestSnapshot, "the snapshot's `id`")
	flags.StringVar(&o.at, "at", "", "the latest snapshot that is not of later than this `time` (in TZ), e.g. '2026-11-01 02:00'")
	flags.StringVar(&o.file, "file", "", "a `file` instead of a snapshot; - is stdin")
	flags.StringVar(&o.database, "database", "", "the `name` of the database to load into")
	flags.BoolVar(&o.clean, "clean", false, "drop what is in the way first; on a terminal it asks before it does")
	flags.BoolVar(&o.yes, "yes", false, "the answer to what --clean asks")
	flags.BoolVar(&o.ifEmpty, "if-empty", false, "do nothing, and end with 0, where the database holds something")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be done and what is in the way, and change nothing; ends with 0 if a restore would begin")
	flags.StringVar(&o.onError, "on-error", stopOnError, "what becomes of the rest when the server refuses something: `stop|continue`")
	flags.DurationVar(&o.wait, "wait", 0, "wait for so `long`, e.g. 60s, for a server that is starting")
	flags.StringArrayVar(&o.tables, "table", nil, "only these `tables`, with what they need: names or patterns, e.g. orders,app.log_*")
	flags.StringArrayVar(&o.excludeTables, "exclude-table", nil, "not these `tables`")
	flags.StringVar(&o.fromDatabase, "from-database", "", "of a dump of several databases the one of this `name`")
	flags.BoolVar(&o.schemaOnly, "schema-only", false, "definitions, no rows")
	flags.BoolVar(&o.dataOnly, "data-only", false, "rows, no definitions: into tables that are there")
	flags.StringArrayVar(&o.schemas, "schema", nil, "PostgreSQL: only these `schemas`")
	flags.StringArrayVar(&o.excludeSchemas, "exclude-schema", nil, "PostgreSQL: not these `schemas`")
	flags.StringVar(&o.toSchema, "to-schema", "", "PostgreSQL: put it into the schema of this `name`")
	flags.BoolVar(&o.singleTransaction, "single-transaction", false, "PostgreSQL: all of it or nothing, on one connection")
	flags.BoolVar(&o.disableTriggers, "disable-triggers", false, "PostgreSQL: keep triggers silent while rows go in, with --data-only")
	flags.StringArrayVar(&o.nsInclude, "ns-include", nil, "MongoDB: only these `collections`, e.g. app.users,shop.*")
	flags.StringArrayVar(&o.nsExclude, "ns-exclude", nil, "MongoDB: not these `collections`")
	flags.StringArrayVar(&o.nsFrom, "ns-from", nil, "MongoDB: rename these `collections`, e.g. app.*")
	flags.StringArrayVar(&o.nsTo, "ns-to", nil, "MongoDB: to these `names`, e.g. app_copy.*")
}

// Why a dump is not taken from where it is to come from.
var (
	errFromTerminal = errors.New("stdin: it is a terminal")
	errStdinOnce    = errors.New("stdin: it can be read only once, and --clean reads the dump to its end before it drops anything")
)

// check reads what the options say, and refuses those that do not go together, before anything is
// contacted.
func (o *restoreOptions) check(zone *time.Location, stdin any, of engine, dbType string) error {
	for _, flag := range o.ofEngines() {
		if why, lacking := of.lacks[flag]; lacking {
			return fmt.Errorf("--%s: %s", flag, why)
		}
	}
	if err := o.checkSettings(dbType); err != nil {
		return err
	}
	if err := o.checkPairs(); err != nil {
		return err
	}
	switch {
	case o.yes && !o.clean:
		return errors.New("--yes answers what --clean asks, and without --clean nothing is asked or dropped: want both, or neither")
	case o.file != "" && o.says("host"):
		return errors.New("--host says whose snapshots are meant, and --file is read in place of one; the database's server is named by --pghost, --mysql-host or --mongo-host")
	case o.onError != stopOnError && o.onError != continueOnError:
		return fmt.Errorf("--on-error %q: want stop or continue", o.onError)
	case o.wait < 0:
		return fmt.Errorf("--wait %s: want a time, such as 60s", o.wait)
	case o.file == "-" && terminal.Is(stdin):
		return errFromTerminal
	case o.file == "-" && o.clean && !o.dryRun:
		return errStdinOnce
	case o.at == "":
		return nil
	}
	return o.checkTime(zone)
}

// ofEngines are the flags given that not every engine has.
func (o *restoreOptions) ofEngines() (given []string) {
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"table", len(o.tables) > 0},
		{"exclude-table", len(o.excludeTables) > 0},
		{"schema", len(o.schemas) > 0},
		{"exclude-schema", len(o.excludeSchemas) > 0},
		{"schema-only", o.schemaOnly},
		{"data-only", o.dataOnly},
		{"from-database", o.fromDatabase != ""},
		{"to-schema", o.toSchema != ""},
		{"single-transaction", o.singleTransaction},
		{"disable-triggers", o.disableTriggers},
		{"ns-include", len(o.nsInclude) > 0},
		{"ns-exclude", len(o.nsExclude) > 0},
		{"ns-from", len(o.nsFrom) > 0},
		{"ns-to", len(o.nsTo) > 0},
	} {
		if flag.given {
			given = append(given, flag.name)
		}
	}
	return given
}

// checkPairs refuses two options of which only one can be meant.
func (o *restoreOptions) checkPairs() error {
	for _, pair := range []struct {
		both bool
		why  string
	}{
		{o.ifEmpty && o.clean, "--if-empty leaves what is there, and --clean drops it"},
		{o.ifEmpty && o.dryRun, "--if-empty ends with 0 where nothing is to be done, and --dry-run where a restore would begin"},
		{o.file != "" && o.snapshot != latestSnapshot, "--file is read in place of a snapshot, and --snapshot chooses one"},
		{o.schemaOnly && o.dataOnly, "--schema-only leaves the rows out, and --data-only all else"},
		{o.dataOnly && o.clean, "--data-only fills tables that are there, and --clean drops them"},
		{o.dataOnly && o.ifEmpty, "--data-only fills tables that are there, and --if-empty does nothing where there are any"},
		{o.schemaOnly && o.disableTriggers, "--schema-only has no rows, for which --disable-triggers is"},
		{o.file != "" && o.says("repository"), "--file is read in place of a snapshot, and --repository says where snapshots are"},
		{o.singleTransaction && o.says("restore-jobs") && o.line.Lookup("restore-jobs").Value.String() != "1", "--single-transaction goes over one connection, and --restore-jobs asks for several"},
		{o.singleTransaction && o.onError == continueOnError, "--single-transaction is all or nothing, and --on-error continue goes on without what fails"},
	} {
		if pair.both {
			return errors.New(pair.why + ": only one of them can be meant")
		}
	}
	return nil
}

// part is what of the dump is wanted, in an engine whose lists of patterns are read by split.
func (o *restoreOptions) part(split func(string) []string) dump.Choice {
	return dump.Choice{
		Tables: splitAll(o.tables, split), ExcludeTables: splitAll(o.excludeTables, split),
		Schemas: splitAll(o.schemas, split), ExcludeSchemas: splitAll(o.excludeSchemas, split),
		SchemaOnly: o.schemaOnly, DataOnly: o.dataOnly, FromDatabase: o.fromDatabase,
	}
}

// splitAll are the patterns of a flag, which may be given several times, each time with several.
func splitAll(lists []string, split func(string) []string) (all []string) {
	for _, list := range lists {
		all = append(all, split(list)...)
	}
	return all
}

// checkTime reads --at.
func (o *restoreOptions) checkTime(zone *time.Location) error {
	switch {
	case o.snapshot != latestSnapshot:
		return errors.New("--at chooses a snapshot by its time, and --snapshot by its id: only one of them can be meant")
	case o.file != "":
		return errors.New("--at chooses a snapshot, and --file is read in place of one: only one of them can be meant")
	}
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, o.at, zone); err == nil {
			o.notAfter = t
			return nil
		}
	}
	return fmt.Errorf("--at %q: a time expected, such as '2026-11-01 02:00', '2026-11-01 02:00:30' (both in TZ) or 2026-11-01T02:00:00+01:00", o.at)
}
