package restic

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A cache that cannot be kept costs no backup.
func TestWithoutCache(t *testing.T) {
	client, _ := newClient(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	told := ""
	for name, env := range map[string][]string{
		"a file in its place": {"RESTIC_CACHE_DIR=" + file},
		"no place":            {"RESTIC_CACHE_DIR=", "XDG_CACHE_HOME=", "HOME="},
	} {
		other := &Client{Binary: client.Binary, Env: append(append([]string{}, client.Env...), env...), Said: func(line string) { told += line + "\n" }}
		told = ""
		if _, err := other.Backup(t.Context(), options, strings.NewReader("x")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(told, "it works without a cache") {
			t.Errorf("%s: told %q", name, told)
		}
	}
	told = ""
	home := t.TempDir()
	other := &Client{Binary: client.Binary, Env: append(append([]string{}, client.Env...), "RESTIC_CACHE_DIR=", "XDG_CACHE_HOME=", "HOME="+home), Said: func(line string) { told += line + "\n" }}
	if _, err := other.Backup(t.Context(), options, strings.NewReader("x")); err != nil || told != "" {
		t.Errorf("with a cache: %v, told %q", err, told)
	}
	if entries, err := filepath.Glob(filepath.Join(home, "*", "*", "*")); err != nil || len(entries) == 0 {
		t.Errorf("restic keeps its cache elsewhere: %q, %v", entries, err)
	}
	wantSnapshots(t, &Client{Binary: client.Binary, Env: client.Env}, 3)
}
