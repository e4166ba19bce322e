//go:build linux

package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// axe-core, as npm packs it: one script.
const (
	axeVersion = "4.14.1"
	axeSHA512  = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// axe is the checker's script, below .cache/axe. The first call on a machine fetches it.
func axe(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", ".cache", "axe")
	path := filepath.Join(dir, "axe-core-"+axeVersion+".tgz")
	archive, err := os.ReadFile(path)
	if err != nil {
		archive = fetchAxe(t, dir, path)
	}
	sum := sha512.Sum512(archive)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != axeSHA512 {
		t.Fatalf("%s: its sha512 is %s, want %s", path, got, axeSHA512)
	}
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		entry, err := r.Next()
		if err != nil {
			t.Fatalf("axe.min.js in %s: %v", path, err)
		}
		if entry.Name == "package/axe.min.js" {
			script, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(script)
		}
	}
}

func fetchAxe(t *testing.T, dir, path string) []byte {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	cmd := exec.Command("npm", "pack", "--loglevel=error", "--no-update-notifier", "--cache="+filepath.Join(tmp, "npm"), "--pack-destination="+tmp, "axe-core@"+axeVersion)
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm pack axe-core: %v\n%s", err, out)
	}
	archive, err := os.ReadFile(filepath.Join(tmp, filepath.Base(path)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", archive, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return archive
}
