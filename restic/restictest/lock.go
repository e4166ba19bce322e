package restictest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// AgeLocks has every lock be older than it is, as though its restic had died so long ago.
func (r Repository) AgeLocks(t testing.TB, by time.Duration) {
	t.Helper()
	for _, id := range r.locks(t) {
		var lock map[string]any
		if err := json.Unmarshal(r.Run(t, "cat", "lock", id, "--no-lock"), &lock); err != nil {
			t.Fatal(err)
		}
		made, err := time.Parse(time.RFC3339Nano, lock["time"].(string))
		if err != nil {
			t.Fatal(err)
		}
		lock["time"] = made.Add(-by)
		r.WriteLock(t, lock)
		if err := os.Remove(filepath.Join(r.Folder, "locks", id)); err != nil {
			t.Fatal(err)
		}
	}
}

// WriteLock writes a lock with the given fields of restic's: time, exclusive, hostname, username,
// pid. It returns the lock's ID.
func (r Repository) WriteLock(t testing.TB, fields map[string]any) string {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	sealed := r.seal(t, text)
	sum := sha256.Sum256(sealed)
	id := hex.EncodeToString(sum[:])
	if err := os.MkdirAll(filepath.Join(r.Folder, "locks"), 0o700); err != nil { // an object store has none without locks
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.Folder, "locks", id), sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	return id
}

func (r Repository) locks(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(r.Folder, "locks"))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, entry := range entries {
		if len(entry.Name()) == 2*sha256.Size { // a restic that was killed may leave one half-written, under another name
			ids = append(ids, entry.Name())
		}
	}
	return ids
}
