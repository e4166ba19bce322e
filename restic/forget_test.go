package restic

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

var filter = Filter{Host: options.Host, Path: "/" + options.Filename}

func TestSnapshotsAndForget(t *testing.T) {
	client, _ := newClient(t)
	var ids []string
	for _, text := range []string{"one", "two", "three"} {
		ids = append(ids, backUp(t, client, strings.NewReader(text)).SnapshotID)
	}
	for _, other := range []BackupOptions{{Host: "other", Filename: options.Filename}, {Host: options.Host, Filename: "other.sql"}} {
		if _, err := client.Backup(t.Context(), other, strings.NewReader("other")); err != nil {
			t.Fatal(err)
		}
	}

	wantIDs := func(filter Filter, want ...string) []Snapshot {
		t.Helper()
		snapshots, err := client.Snapshots(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, snapshotIDs(snapshots)); diff != "" {
			t.Errorf("snapshots of %+v (-want +got):\n%s", filter, diff)
		}
		return snapshots
	}
	newest := wantIDs(filter, ids...)[2]
	if newest.Host != options.Host || newest.Paths[0] != filter.Path || newest.Summary.TotalBytesProcessed != 5 || newest.Time.IsZero() ||
		cmp.Diff(newest.Tags, options.Tags) != "" {
		t.Errorf("newest: %+v", newest)
	}
	wantIDs(Filter{Tags: []string{"app", "env=test"}}, ids...)
	wantIDs(Filter{Tags: []string{"app", "env=prod"}})
	wantIDs(Filter{Host: "nobody"})

	// Others have snapshots that hold the path besides others.
	several := filepath.Join(t.TempDir(), "other.txt")
	if err := os.WriteFile(several, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := client.program().Run(t.Context(), process.Command{Op: "backup", Args: []string{"backup", "--host=" + options.Host, several, "/dev/null"}}); err != nil {
		t.Fatal(err)
	}
	if found, err := client.Snapshots(t.Context(), Filter{Host: options.Host, Path: several}); err != nil || len(found) != 0 {
		t.Errorf("a snapshot of two paths is taken for one of its first: %v, %v", found, err)
	}

	if err := client.Forget(t.Context(), ids[:2], false); err != nil {
		t.Error(err)
	}
	wantIDs(filter, ids[2])
	wantSnapshots(t, client, 4)
	// What another has forgotten in the meantime hinders nothing.
	fourth := backUp(t, client, strings.NewReader("four"))
	if err := client.Forget(t.Context(), []string{ids[0], fourth.SnapshotID, ids[1]}, true); err != nil {
		t.Error(err)
	}
	wantIDs(filter, ids[2])
	if err := client.Forget(t.Context(), nil, true); err != nil {
		t.Error(err)
	}
	if err := client.AddTag(t.Context(), ids[2:], "more"); err != nil {
		t.Error(err)
	}
	if found, err := client.Snapshots(t.Context(), Filter{Host: filter.Host, Path: filter.Path, Tags: []string{"app", "more"}}); err != nil || len(found) != 1 || !found[0].Time.Equal(newest.Time) {
		t.Errorf("with a further tag: %+v, %v", found, err)
	}
	wantSnapshots(t, client, 4)
	if err := client.Check(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

func snapshotIDs(snapshots []Snapshot) []string {
	var ids []string
	for _, snapshot := range snapshots {
		ids = append(ids, snapshot.ID)
	}
	return ids
}
