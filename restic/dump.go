package restic

import (
	"context"
	"io"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// Dump writes a snapshot's file to w. The file's path is its name in [BackupOptions], with or
// without a slash before it. What has been written is the whole file only if the error is nil: a
// reader behind w must not be told of the end before Dump has returned. An error of w is wrapped.
func (c *Client) Dump(ctx context.Context, snapshotID, path string, w io.Writer) error {
	return c.dump(ctx, snapshotID, path, w, false)
}

// dump is Dump, with or without a lock that keeps a prune out meanwhile.
func (c *Client) dump(ctx context.Context, snapshotID, path string, w io.Writer, noLock bool) error {
	args := []string{"dump", "--", snapshotID, path}
	if noLock {
		args = []string{"dump", "--no-lock", "--", snapshotID, path}
	}
	return c.keeper().Read(ctx, process.Command{Op: "dump", Args: args, Stdout: w, Long: true})
}
