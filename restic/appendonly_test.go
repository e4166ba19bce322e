package restic

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// An appendOnly is a server of restic's REST protocol that lets nobody delete anything but locks,
// as rest-server --append-only.
type appendOnly struct {
	mu       sync.Mutex
	files    map[string][]byte // by their paths
	locksToo bool              // as a store whose keys may not delete
	dataOnly bool              // all else may be deleted
}

// keeps reports whether a path stays. It is called with mu held.
func (s *appendOnly) keeps(path string) bool {
	switch folder, _, _ := strings.Cut(path, "/"); folder {
	case "locks":
		return s.locksToo
	case "data":
		return true
	}
	return !s.dataOnly
}

func (s *appendOnly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/")
	content, there := s.files[path]
	switch {
	case r.Method == http.MethodPost && path == "": // ?create=true
	case r.Method == http.MethodPost:
		s.files[path], _ = io.ReadAll(r.Body)
	case r.Method == http.MethodDelete && s.keeps(path):
		http.Error(w, "Forbidden", http.StatusForbidden)
	case r.Method == http.MethodDelete:
		delete(s.files, path)
	case strings.HasSuffix(path, "/"):
		type file struct {
			Name string `json:"name"`
			Size int    `json:"size"`
		}
		list := []file{}
		for name, content := range s.files {
			if name, ok := strings.CutPrefix(name, path); ok {
				list = append(list, file{name, len(content)})
			}
		}
		w.Header().Set("Content-Type", "application/vnd.x.restic.rest.v2")
		_ = json.NewEncoder(w).Encode(list)
	case !there:
		http.NotFound(w, r)
	default:
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// A store that lets nobody delete is told of in one line, and at the first try; a backup works
// there.
func TestAppendOnly(t *testing.T) {
	t.Parallel()
	store := &appendOnly{files: map[string][]byte{}}
	server := httptest.NewServer(store)
	defer server.Close()
	var said []string
	c := &Client{
		Binary: servers.Restic(t), Env: []string{"PATH=" + os.Getenv("PATH"), "RESTIC_PASSWORD=x", "RESTIC_REPOSITORY=rest:" + server.URL + "/", "RESTIC_CACHE_DIR=" + t.TempDir()},
		Said: func(line string) { said = append(said, line) }, LockHistory: new(LockHistory),
	}
	if err := c.program().Run(t.Context(), process.Command{Op: "init", Args: []string{"init"}}); err != nil {
		t.Fatal(err)
	}
	made, err := c.Backup(t.Context(), BackupOptions{Host: "h", Filename: "f"}, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	const want = ": the store refuses to delete: unexpected HTTP response (403): 403 Forbidden"
	if err := c.Forget(t.Context(), []string{made.SnapshotID}, true); !errors.Is(err, ErrNoDelete) || err.Error() != "forget"+want {
		t.Errorf("%v, want forget%s", err, want)
	}
	store.mu.Lock()
	delete(store.files, "snapshots/"+made.SnapshotID)
	store.mu.Unlock()
	if err := c.prune(t.Context()); !errors.Is(err, ErrNoDelete) || err.Error() != "prune"+want {
		t.Errorf("%v, want prune%s", err, want)
	}
	if len(said) > 0 {
		t.Errorf("told besides: %q", said)
	}

	// restic ends well where no more than data stays, which is told as news then.
	store.mu.Lock()
	store.dataOnly = true
	store.mu.Unlock()
	if err := c.prune(t.Context()); err != nil {
		t.Error(err)
	}
	if all := strings.Join(said, "\n"); !strings.Contains(all, "Remove(<data/") || !strings.Contains(all, "failed: unexpected HTTP response (403)") {
		t.Errorf("data that stays is not told: %q", said)
	}
	store.mu.Lock()
	store.dataOnly = false
	store.mu.Unlock()

	// Where locks stay too, nobody waits for his own.
	store.mu.Lock()
	store.locksToo = true
	store.mu.Unlock()
	c.LockWait = time.Hour
	if made, err = c.Backup(t.Context(), BackupOptions{Host: "h", Filename: "f"}, strings.NewReader("more")); err != nil {
		t.Fatal(err)
	}
	const wantLocked = "forget: the locks of earlier commands stay: the store refuses to delete: unexpected HTTP response (403): 403 Forbidden"
	if err := c.Forget(t.Context(), []string{made.SnapshotID}, true); !errors.Is(err, ErrNoDelete) || err.Error() != wantLocked {
		t.Errorf("%v, want %s", err, wantLocked)
	}
}
