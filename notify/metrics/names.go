package metrics

import "github.com/prometheus/client_golang/prometheus"

// prefix begins the names of all metrics.
const prefix = "breaking_backups_"

// jobLabel names a job. It is not called job, which Prometheus calls what it asks.
const jobLabel = "job_name"

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, labels, nil)
}

func ofJob(name, help string, labels ...string) *prometheus.Desc {
	return desc(name, help, append([]string{jobLabel}, labels...)...)
}

// The metrics. What is not known is not there: an absent time is no time of 1970.
var (
	info    = desc("info", "The program, by its version.", "version")
	jobInfo = ofJob("job_info", "A job: what it backs up, and where to.", "host", "db_type", "repository", "schedule")

	healthy    = ofJob("healthy", "Whether the last good backup, or drill, is as fresh as the schedule allows.", "kind")
	freshUntil = ofJob("fresh_until_timestamp_seconds", "When the next good backup, or drill, has to be there.", "kind")
	nextRun    = ofJob("next_run_timestamp_seconds", "When a run is due next.", "kind")
	running    = ofJob("running", "Whether a run goes on.", "kind")
	queued     = ofJob("queued", "Whether a run is due and waits for its turn at the repository.")

	lastSuccess = ofJob("last_success_timestamp_seconds", "When the last good run ended; of backups and drills also one before the process began.", "kind")
	lastFailure = ofJob("last_failure_timestamp_seconds", "When the last failed run of this process ended.", "kind")
	lastRun     = ofJob("last_run_duration_seconds", "What the last run of this process took.", "kind")
	lastPhase   = ofJob("last_run_phase_seconds", "What a phase of the last run of this process took.", "kind", "phase")
	lastWait    = ofJob("last_run_waited_seconds", "How long the last run of this process waited for its turn at the repository before it began.", "kind")
	warnings    = ofJob("last_run_warnings", "How many warnings the last run of this process had.", "kind")
	runs        = ofJob("runs_total", "Runs of this process that have ended.", "kind", "outcome")

	dumpBytes   = ofJob("last_backup_bytes", "Bytes of the last backup's dump.")
	addedBytes  = ofJob("last_backup_added_bytes", "Bytes by which it let the repository grow, before compression.")
	storedBytes = ofJob("last_backup_stored_bytes", "The same after compression.")
	dumpRows    = ofJob("last_backup_rows", "Rows, or documents, that it holds.")
	dumpTables  = ofJob("last_backup_tables", "Tables, or collections, that it holds.")

	snapshots = ofJob("snapshots", "Snapshots of the job that are kept.")
	oldest    = ofJob("oldest_snapshot_timestamp_seconds", "When the oldest of them was made.")
	newest    = ofJob("newest_snapshot_timestamp_seconds", "When the newest of them was made.")

	lockWaits    = ofJob("lock_waits_total", "How often a run waited for another's lock of the repository.")
	retries      = ofJob("retries_total", "How often a part of a run was tried once more.")
	spools       = ofJob("spooled_total", "How often a dump went over the disk.")
	spooledBytes = ofJob("spooled_bytes_total", "Bytes of the dumps that did.")

	drillVerdict = ofJob("drill_verdict", "The last drill's verdict: 1 for that one, 0 for the others.", "verdict")
	drillTime    = ofJob("drill_timestamp_seconds", "When the last drill ended.")
	drillRestore = ofJob("drill_restore_seconds", "What the restore of the last drill took.")
	drillRows    = ofJob("drill_rows", "Rows that were read back in it.")
	drillTables  = ofJob("drill_tables", "Tables, or collections, that were held against the manifest in it.")
	drillChecks  = ofJob("drill_checks", "Checks of the user's that were asked in it.")
)

// all are the metrics that there can be.
var all = []*prometheus.Desc{
	info, jobInfo, healthy, freshUntil, nextRun, running, queued, lastSuccess, lastFailure, lastRun, lastPhase, lastWait, warnings, runs,
	dumpBytes, addedBytes, storedBytes, dumpRows, dumpTables, snapshots, oldest, newest, lockWaits, retries, spools, spooledBytes,
	drillVerdict, drillTime, drillRestore, drillRows, drillTables, drillChecks,
}

// Describe names the metrics, for Prometheus's library.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range all {
		to <- d
	}
}
