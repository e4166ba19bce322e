package restic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// Filter chooses snapshots: those of this host, that hold this path (the file name of
// [BackupOptions] behind a slash) and no other, and that bear all of these tags. An empty field
// chooses everything.
type Filter struct {
	Host string
	Path string
	Tags []string
}

// Matches reports whether the filter chooses the snapshot.
func (f Filter) Matches(s Snapshot) bool {
	return (f.Host == "" || s.Host == f.Host) && (f.Path == "" || slices.Equal(s.Paths, []string{f.Path})) &&
		!slices.ContainsFunc(f.Tags, func(tag string) bool { return !slices.Contains(s.Tags, tag) })
}

// Snapshot is one snapshot of the repository.
type Snapshot struct {
	ID       string    `json:"id"`
	Original string    `json:"original"` // the ID that it had before it was written anew for its tags; else empty
	Time     time.Time `json:"time"`     // when the backup began
	Host     string    `json:"hostname"`
	Paths    []string  `json:"paths"`
	Tags     []string  `json:"tags"`
	Summary  Summary   `json:"summary"` // without SnapshotID and TotalDuration; zero in snapshots made before restic 0.17
}

// Snapshots lists the snapshots that match the filter, oldest first.
func (c *Client) Snapshots(ctx context.Context, filter Filter) ([]Snapshot, error) {
	args := append([]string{"snapshots", "--json"}, filter.args()...)
	var out bytes.Buffer
	if err := c.keeper().Read(ctx, process.Command{Op: "snapshots", Args: args, Stdout: &out}); err != nil {
		return nil, err
	}
	var snapshots []Snapshot
	if err := json.Unmarshal(out.Bytes(), &snapshots); err != nil {
		return nil, fmt.Errorf("snapshots: restic's answer: %w", err)
	}
	// restic's own filter lets those pass that hold other paths besides.
	snapshots = slices.DeleteFunc(snapshots, func(s Snapshot) bool { return !filter.Matches(s) })
	slices.SortStableFunc(snapshots, func(a, b Snapshot) int { return a.Time.Compare(b.Time) })
	return snapshots, nil
}

func (f Filter) args() []string {
	var args []string
	if f.Host != "" {
		args = append(args, "--host="+f.Host)
	}
	if f.Path != "" {
		args = append(args, "--path="+f.Path)
	}
	if len(f.Tags) > 0 {
		args = append(args, "--tag="+strings.Join(f.Tags, ",")) // one --tag: all of them; several: any
	}
	return args
}
