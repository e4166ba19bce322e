package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/stream"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// restic ends its chunks at the boundaries of a compressed stream, whatever a repository's
// polynomial is: another end of the stream never costs more than the smallest chunk and the last
// frame. Without boundaries it is a megabyte on average, and less than this in one of three
// repositories.
func TestBoundaries(t *testing.T) {
	const (
		smallestChunk = 512 << 10
		lastFrame     = 4<<10 + 1<<10 // and the marks
		folders       = 4 << 10       // restic's own: what holds the file, with its chunks' names
	)
	data := make([]byte, 4<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	binary := servers.Restic(t)
	for _, name := range []string{"a repository", "another", "a third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &restic.Client{Binary: binary, Env: repositoryVars(t.TempDir(), binary)}
			if _, err := client.Ensure(t.Context()); err != nil {
				t.Fatal(err)
			}
			if first := backupCompressed(t, client, data); first.DataAdded < uint64(len(data)) {
				t.Errorf("first backup: %d bytes added", first.DataAdded)
			}
			changed := bytes.Clone(data)
			copy(changed[len(changed)-100:], "another end")
			if second := backupCompressed(t, client, changed); second.DataAdded > smallestChunk+lastFrame+folders {
				t.Errorf("second backup: %d bytes added", second.DataAdded)
			}
		})
	}
}

func backupCompressed(t *testing.T, client *restic.Client, data []byte) restic.Summary {
	var packed bytes.Buffer
	_, err := stream.Compress(t.Context(), &packed, stream.CompressOptions{}, func(_ context.Context, w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	options := restic.BackupOptions{Host: "db", Filename: "mongo-all.archive.zst", Compression: "off"}
	summary, err := client.Backup(t.Context(), options, &packed)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}
