package restic

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
)

// BenchmarkBackup holds Backup against `cat file | restic backup --stdin`, after a first backup, so
// that restic reads and hashes but stores nothing.
func BenchmarkBackup(b *testing.B) {
	const size = 256 << 20
	client, _ := newClient(b)
	path := filepath.Join(b.TempDir(), "stream")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	if _, err := io.Copy(file, restictest.Noise(size, 14)); err != nil {
		b.Fatal(err)
	}
	open := func() io.Reader {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		return io.MultiReader(file) // not one that Backup could close
	}
	backUp(b, client, open())

	b.Run("Backup", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			backUp(b, client, open())
		}
	})
	b.Run("cat", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			cmd := exec.Command("sh", "-c", "cat "+path+" | "+client.Binary+" backup --json --stdin --stdin-filename=app.sql --host=db.example")
			cmd.Env = client.Env
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
	})
}
