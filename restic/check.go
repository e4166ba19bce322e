package restic

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// Check verifies the repository's structure. Of the data it reads the subset, as restic's
// --read-data-subset takes it; empty: none.
func (c *Client) Check(ctx context.Context, subset string) error {
	args := []string{"check"}
	if subset != "" {
		args = append(args, "--read-data-subset="+subset)
	}
	return c.keeper().Run(ctx, process.Command{Op: "check", Args: args})
}

// CheckVersion makes sure that restic is there and not older than 0.17: earlier ones have neither
// the exit codes nor the snapshot summaries that this package relies on.
func (c *Client) CheckVersion(ctx context.Context) error {
	var out bytes.Buffer
	program := c.program()
	if err := program.Run(ctx, process.Command{Op: "restic version", Args: []string{"version"}, Stdout: &out}); err != nil {
		return err
	}
	version, ok := strings.CutPrefix(out.String(), "restic ")
	version, _, _ = strings.Cut(version, " ")
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	x, errX := strconv.Atoi(major)
	y, errY := strconv.Atoi(minor)
	if !ok || errX != nil || errY != nil {
		return fmt.Errorf("restic version: %s answers %.60q", program.Path(), out.String())
	}
	if x == 0 && y < 17 {
		return fmt.Errorf("restic version: %s is %s, and 0.17 or newer is needed", program.Path(), version)
	}
	return nil
}
