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
	return c.keeper().Read(ctx, process.Command{Op: "dump", Args: []string{"dump", "--", snapshotID, path}, Stdout: w, Long: true})
}
