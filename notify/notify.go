// Package notify tells others how a run went: a webhook, with retries. What is in it are listeners
// to the events of a run.
//
// It owns the report's form on the wire and its delivery. It is blind to databases and restic, and
// knows of a run what its events say; taking secrets out of them is the emitter's. Errors made here
// name the receiver's host and nothing else of its address, which often is a secret itself.
package notify

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// report is what is told about one run. Its JSON form is an interface to other people's programs:
// every field is always there except error, which is there after a failure.
type report struct {
	Status     status    // of the whole run
	Message    string    // one sentence for a person
	StartedAt  time.Time // written in UTC, whole seconds
	FinishedAt time.Time
	Duration   time.Duration // from start to finish, written as seconds

	Repository string // without credentials
	DBType     string
	Host       string // the snapshot's host
	Tags       []string

	// What restic said of its part, zero where no snapshot was made.
	SnapshotID          string
	DataAddedBytes      uint64
	TotalBytesProcessed uint64
	ResticDuration      time.Duration // restic's own count of its time, written as totalDurationSeconds
	FilesNew            uint64
	FilesChanged        uint64
	FilesUnmodified     uint64

	Error string // why the run failed
}

// status is a run's outcome in one word.
type status string

// The two outcomes.
const (
	success status = "success"
	failed  status = "failed"
)

// newReport is what is told of a run that has ended. One whose snapshot is safe but whose forget or
// prune failed is told as failed, with the exit code 3, the snapshot's figures and what went wrong:
// who only reads the webhook must learn of it.
func newReport(e event.Event, ended event.Ended) report {
	r := report{
		Status:     success,
		Message:    "Backup geslaagd",
		StartedAt:  ended.Began,
		FinishedAt: e.At,
		Duration:   e.At.Sub(ended.Began),

		Repository: e.Run.Repository,
		DBType:     e.Run.DBType,
		Host:       e.Run.Host,
		Tags:       e.Run.Tags,

		SnapshotID:          ended.Snapshot.ID,
		DataAddedBytes:      ended.Snapshot.Added,
		TotalBytesProcessed: ended.Snapshot.Bytes,
		ResticDuration:      ended.Snapshot.Duration,
		FilesNew:            ended.Snapshot.FilesNew,
		FilesChanged:        ended.Snapshot.FilesChanged,
		FilesUnmodified:     ended.Snapshot.FilesUnmodified,
	}
	if ended.Error != "" {
		r.Status = failed
		r.Message = fmt.Sprintf("Backup mislukt (exitcode=%d)", ended.ExitCode)
		r.Error = ended.Error
	}
	return r
}

// MarshalJSON writes the fields under the names that receivers know.
func (r report) MarshalJSON() ([]byte, error) {
	tags := r.Tags
	if tags == nil {
		tags = []string{} // [], never null
	}
	return json.Marshal(struct {
		Status               status   `json:"status"`
		Message              string   `json:"message"`
		StartedAt            string   `json:"startedAt"`
		FinishedAt           string   `json:"finishedAt"`
		DurationSeconds      float64  `json:"durationSeconds"`
		Repository           string   `json:"repository"`
		DBType               string   `json:"dbType"`
		Host                 string   `json:"host"`
		Tags                 []string `json:"tags"`
		SnapshotID           string   `json:"snapshotId"`
		DataAddedBytes       uint64   `json:"dataAddedBytes"`
		TotalBytesProcessed  uint64   `json:"totalBytesProcessed"`
		TotalDurationSeconds float64  `json:"totalDurationSeconds"`
		FilesNew             uint64   `json:"filesNew"`
		FilesChanged         uint64   `json:"filesChanged"`
		FilesUnmodified      uint64   `json:"filesUnmodified"`
		Error                string   `json:"error,omitempty"`
	}{
		r.Status, r.Message, rfc3339(r.StartedAt), rfc3339(r.FinishedAt), seconds(r.Duration),
		r.Repository, r.DBType, r.Host, tags,
		r.SnapshotID, r.DataAddedBytes, r.TotalBytesProcessed, seconds(r.ResticDuration),
		r.FilesNew, r.FilesChanged, r.FilesUnmodified, r.Error,
	})
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
