package web

import (
	"encoding/json"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/status"
)

// What /status and /status/JOB answer. It is an interface to other people's programs: a field keeps
// its name and meaning, and is always there; what is not known, or is not, is null, "" or []. Times
// are of RFC 3339 in UTC, to the second; durations are seconds; the rest are bytes and counts.
// Kinds of runs are backup, drill and check.

// statusJSON is the answer of /status.
type statusJSON struct {
	Version string    `json:"version"` // of the program
	Time    instant   `json:"time"`    // when this was so
	Status  string    `json:"status"`  // ok or unhealthy, as /healthz says it
	Jobs    []jobJSON `json:"jobs"`
}

// jobJSON is a job.
type jobJSON struct {
	Name        string `json:"name"`
	Host        string `json:"host"` // that its snapshots bear
	DBType      string `json:"dbType"`
	Repository  string `json:"repository"`  // without credentials
	Database    string `json:"database"`    // what is dumped, for people
	PerDatabase bool   `json:"perDatabase"` // it stands for all databases of a server, which are jobs themselves

	Status   string           `json:"status"` // ok or unhealthy
	Problems []status.Problem `json:"problems"`

	KnownSince      instant `json:"knownSince"`     // when this process began with it
	RepositoryRead  bool    `json:"repositoryRead"` // what it holds is among what is known
	RepositoryError string  `json:"repositoryError"`

	Schedules    map[string]scheduleJSON `json:"schedules"` // by kind
	Running      *runJSON                `json:"running"`
	QueuedSince  instant                 `json:"queuedSince"` // a run is due, and waits for its turn
	LastRuns     map[string]runJSON      `json:"lastRuns"`    // by kind: the last that ended in this process
	LastError    *errorJSON              `json:"lastError"`   // of this process, whatever went well since
	Runs         map[string]countJSON    `json:"runs"`        // by kind: how many ended in this process
	LastSnapshot *snapshotJSON           `json:"lastSnapshot"`
	Retained     retainedJSON            `json:"retained"`
	LastDrill    *drillJSON              `json:"lastDrill"`
}

// detailsJSON is the answer of /status/JOB: the same and what was before, each list oldest first.
type detailsJSON struct {
	Version string  `json:"version"`
	Time    instant `json:"time"`
	jobJSON
	Snapshots []snapshotJSON `json:"snapshots"` // at most 90
	Drills    []drillJSON    `json:"drills"`    // at most 90
	Ended     []runJSON      `json:"ended"`     // runs of this process, at most 90
}

// scheduleJSON is when something is due.
type scheduleJSON struct {
	Text     string  `json:"text"`
	Jitter   seconds `json:"jitterSeconds"`
	Next     instant `json:"next"`     // when it is done next
	LastGood instant `json:"lastGood"` // backup or drill; null for checks
	Until    instant `json:"until"`    // when the one after that has to be there; null: whenever it comes
}

// runJSON is a run that goes on or has ended.
type runJSON struct {
	Kind       string             `json:"kind"`
	Outcome    string             `json:"outcome"` // running, succeeded, failed, interrupted, or unfollowed: the snapshot is safe, and what follows it failed
	StartedAt  instant            `json:"startedAt"`
	FinishedAt instant            `json:"finishedAt"`
	Waited     seconds            `json:"waitedSeconds"` // for its turn, before it began
	Phase      string             `json:"phase"`         // the present, or the last
	Table      string             `json:"table"`         // the last whose rows have passed
	Bytes      int64              `json:"bytes"`         // that have passed in this phase
	Total      int64              `json:"totalBytes"`    // that will have; 0: nobody knows
	Estimated  bool               `json:"totalEstimated"`
	Rate       int64              `json:"bytesPerSecond"` // of late
	Phases     map[string]seconds `json:"phaseSeconds"`   // by phase
	WarningNum int                `json:"warningCount"`
	Warnings   []string           `json:"warnings"` // the first fifty
	Error      string             `json:"error"`
	Hint       string             `json:"hint"`
	Snapshot   string             `json:"snapshotId"`
	Drill      *drillJSON         `json:"drill"`
}

// errorJSON is the last run that failed, or what followed it.
type errorJSON struct {
	Kind  string  `json:"kind"`
	At    instant `json:"at"`
	Error string  `json:"error"`
	Hint  string  `json:"hint"`
}

// countJSON is how many runs have ended, and how.
type countJSON struct {
	Succeeded   int64 `json:"succeeded"`
	Failed      int64 `json:"failed"`
	Unfollowed  int64 `json:"unfollowed"`
	Interrupted int64 `json:"interrupted"`
}

// snapshotJSON is a backup. Tables are there in /status/JOB alone, for the newest ten at most.
type snapshotJSON struct {
	ID       string      `json:"id"`
	Time     instant     `json:"time"`
	Bytes    uint64      `json:"bytes"`  // of the dump
	Added    uint64      `json:"added"`  // to the repository, before compression
	Stored   uint64      `json:"stored"` // and after it
	Duration seconds     `json:"durationSeconds"`
	Empty    bool        `json:"empty"`
	Count    *int        `json:"tableCount"` // null: nobody has looked
	Rows     *int64      `json:"rows"`       // the same
	Tables   []tableJSON `json:"tables"`
}

// tableJSON is a table, or a collection.
type tableJSON struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

// retainedJSON is what there was of snapshots when last looked at.
type retainedJSON struct {
	Snapshots int     `json:"snapshots"`
	Oldest    instant `json:"oldest"`
	Newest    instant `json:"newest"`
}

// drillJSON is a drill that has ended.
type drillJSON struct {
	FinishedAt   instant  `json:"finishedAt"`
	Verdict      string   `json:"verdict"` // proven, wrong or untried
	Snapshot     string   `json:"snapshotId"`
	SnapshotTime instant  `json:"snapshotTime"`
	Restore      seconds  `json:"restoreSeconds"`
	Bytes        int64    `json:"bytes"`
	Tables       int      `json:"tables"`
	Rows         int64    `json:"rows"`
	Checks       int      `json:"checks"`
	Wrong        []string `json:"wrong"` // what was, a sentence each; of older drills the first
}

// instant is a time as JSON; zero is null.
type instant time.Time

func (i instant) MarshalJSON() ([]byte, error) {
	if time.Time(i).IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(time.Time(i).UTC().Format(time.RFC3339))
}

// seconds is a duration as JSON.
type seconds time.Duration

func (s seconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(s).Round(time.Millisecond).Seconds())
}
