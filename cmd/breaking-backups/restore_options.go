package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
)

// restoreOptions are what the flags of restore say. An engine takes what it has of them; check sees
// to it that there is nothing else.
type restoreOptions struct {
	snapshot, at, file, database string
	clean, yes, ifEmpty          bool
	wait                         time.Duration // for a server that does not let one in yet; 0: not at all

	nsInclude, nsExclude, nsFrom, nsTo []string // of MongoDB

	notAfter time.Time // what at says; zero: nothing
}

// latestSnapshot is what --snapshot is unless it names one.
const latestSnapshot = "latest"

// addTo gives flags those of the options.
func (o *restoreOptions) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&o.snapshot, "snapshot", latestSnapshot, "the snapshot's `id`")
	flags.StringVar(&o.at, "at", "", "the latest snapshot that is not of later than this `time` (in TZ), e.g. '2026-11-01 02:00'")
	flags.StringVar(&o.file, "file", "", "a `file` instead of a snapshot; - is stdin")
	flags.StringVar(&o.database, "database", "", "the `name` of the database to load into")
	flags.BoolVar(&o.clean, "clean", false, "drop what is in the way first; on a terminal it asks before it does")
	flags.BoolVar(&o.yes, "yes", false, "the answer to what --clean asks")
	flags.BoolVar(&o.ifEmpty, "if-empty", false, "do nothing, and end with 0, where the database holds something")
	flags.DurationVar(&o.wait, "wait", 0, "wait for so `long`, e.g. 60s, for a server that is starting")
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
func (o *restoreOptions) check(zone *time.Location, stdin any) error {
	switch {
	case o.ifEmpty && o.clean:
		return errors.New("--if-empty leaves what is there, and --clean drops it: only one of them can be meant")
	case o.wait < 0:
		return fmt.Errorf("--wait %s: a time expected, such as 60s", o.wait)
	case o.file == "-" && terminal.Is(stdin):
		return errFromTerminal
	case o.file == "-" && o.clean:
		return errStdinOnce
	case o.at == "":
		return nil
	}
	return o.checkTime(zone)
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
