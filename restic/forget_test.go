package restic

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		cmp.Diff(newest.Tags, options.Tags) != "" || !strings.HasPrefix(newest.ID, newest.ShortID) {
		t.Errorf("newest: %+v", newest)
	}
	wantIDs(Filter{Tags: []string{"app", "env=test"}}, ids...)
	wantIDs(Filter{Tags: []string{"app", "env=prod"}})
	wantIDs(Filter{Host: "nobody"})

	last := ForgetOptions{Filter: filter, Policy: []string{"--keep-last=1"}, Prune: true, DryRun: true}
	wantForget := func() {
		t.Helper()
		result, err := client.Forget(t.Context(), last)
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Keep) != 1 || result.Keep[0].Snapshot.ID != ids[2] || cmp.Diff(result.Keep[0].Reasons, []string{"last snapshot"}) != "" {
			t.Errorf("keep: %+v", result.Keep)
		}
		removed := snapshotIDs(result.Remove)
		if len(removed) != 2 || !strings.Contains(strings.Join(ids[:2], " "), removed[0]) {
			t.Errorf("remove: %v", removed)
		}
	}
	wantForget()
	wantIDs(filter, ids...)
	last.DryRun = false
	wantForget()
	wantIDs(filter, ids[2])
	wantSnapshots(t, client, 3)

	for name, options := range map[string]ForgetOptions{
		"no policy": {Filter: filter},
		"no host":   {Filter: Filter{Path: filter.Path}, Policy: last.Policy},
		"no path":   {Filter: Filter{Host: filter.Host}, Policy: last.Policy},
	} {
		if _, err := client.Forget(t.Context(), options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	nobody := ForgetOptions{Filter: Filter{Host: "nobody", Path: "/x"}, Policy: last.Policy}
	if result, err := client.Forget(t.Context(), nobody); err != nil || len(result.Keep)+len(result.Remove) != 0 {
		t.Errorf("nothing to forget: %+v, %v", result, err)
	}
	wantSnapshots(t, client, 3)
	if err := client.Prune(t.Context()); err != nil {
		t.Error(err)
	}
	if err := client.Check(t.Context()); err != nil {
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
