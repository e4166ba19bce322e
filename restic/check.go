package restic

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Check verifies the repository's structure; it does not read the data.
func (c *Client) Check(ctx context.Context) error {
	return c.locked(ctx, command{op: "check", args: []string{"check"}})
}

// CheckVersion makes sure that restic is there and not older than 0.17: earlier ones have neither the exit codes nor
// the snapshot summaries that this package relies on.
func (c *Client) CheckVersion(ctx context.Context) error {
	var out bytes.Buffer
	if err := c.run(ctx, command{op: "restic version", args: []string{"version"}, stdout: &out}); err != nil {
		return err
	}
	version, ok := strings.CutPrefix(out.String(), "restic ")
	version, _, _ = strings.Cut(version, " ")
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	x, errX := strconv.Atoi(major)
	y, errY := strconv.Atoi(minor)
	if !ok || errX != nil || errY != nil {
		return fmt.Errorf("restic version: %s answers %.60q", c.binary(), out.String())
	}
	if x == 0 && y < 17 {
		return fmt.Errorf("restic version: %s is %s, and 0.17 or newer is needed", c.binary(), version)
	}
	return nil
}
