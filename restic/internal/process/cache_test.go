package process

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A cache that cannot be kept costs no backup.
func TestWithoutCache(t *testing.T) {
	repository := restictest.New(t, servers.Restic(t))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	told := ""
	backUp := func(env ...string) error {
		told = ""
		program := &Program{Binary: repository.Restic, Env: slices.Concat(repository.Env, env), Said: func(line string) { told += line + "\n" }}
		return program.Run(t.Context(), Command{Op: "backup", Args: []string{"backup", file}})
	}
	for name, env := range map[string][]string{
		"a file in its place": {"RESTIC_CACHE_DIR=" + file},
		"no place":            {"RESTIC_CACHE_DIR=", "XDG_CACHE_HOME=", "HOME="},
	} {
		if err := backUp(env...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(told, "it works without a cache") {
			t.Errorf("%s: told %q", name, told)
		}
	}
	home := t.TempDir()
	if err := backUp("RESTIC_CACHE_DIR=", "XDG_CACHE_HOME=", "HOME="+home); err != nil || told != "" {
		t.Errorf("with a cache: %v, told %q", err, told)
	}
	if entries, err := filepath.Glob(filepath.Join(home, "*", "*", "*")); err != nil || len(entries) == 0 {
		t.Errorf("restic keeps its cache elsewhere: %q, %v", entries, err)
	}
	if made := repository.Count(t, "snapshots"); made != 3 {
		t.Errorf("%d snapshots, want 3", made)
	}
}
