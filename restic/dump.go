package restic

import (
	"context"
	"io"
)

// Dump writes a snapshot's file to w. The file's path is its name in [BackupOptions], with or without a slash before it.
// What has been written is the whole file only if the error is nil: a reader behind w must not be told of the end
// before Dump has returned. An error of w is wrapped.
func (c *Client) Dump(ctx context.Context, snapshotID, path string, w io.Writer) error {
	return c.locked(ctx, command{op: "dump", args: []string{"dump", "--", snapshotID, path}, stdout: w, reads: true, long: true})
}
