package restic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ForgetOptions say what to forget.
type ForgetOptions struct {
	// Filter chooses the snapshots that the policy is applied to. Its Host and Path are required: the policy of one
	// job must not reach another's snapshots.
	Filter Filter
	// Policy holds restic's --keep flags. restic refuses an empty policy.
	Policy []string
	// DryRun only tells what would be done.
	DryRun bool
	// Prune removes the data that no snapshot needs any more. restic does it only if a snapshot was forgotten.
	Prune bool
}

// ForgetResult is what the policy did, or would do, to the snapshots it was applied to.
type ForgetResult struct {
	Keep   []Kept
	Remove []Snapshot
}

// Kept is a snapshot that stays, with restic's reasons ("daily snapshot", "last snapshot", …).
type Kept struct {
	Snapshot Snapshot `json:"snapshot"`
	Reasons  []string `json:"matches"`
}

// Forget applies a policy. Snapshots are grouped by host and path.
func (c *Client) Forget(ctx context.Context, options ForgetOptions) (ForgetResult, error) {
	if options.Filter.Host == "" || options.Filter.Path == "" {
		return ForgetResult{}, errors.New("forget: host and path are required")
	}
	args := append([]string{"forget", "--json", "--group-by=host,paths"}, options.Filter.args()...)
	args = append(args, options.Policy...)
	if options.DryRun {
		args = append(args, "--dry-run")
	}
	if options.Prune {
		args = append(args, "--prune")
	}
	var out bytes.Buffer
	runErr := c.locked(ctx, command{op: "forget", args: args, stdout: &out})
	result, err := readForget(&out)
	if runErr != nil {
		// restic tells what it has forgotten before it prunes: a failed prune does not take that back.
		return result, runErr
	}
	return result, err
}

// readForget reads the array of groups that restic writes; nothing at all if no snapshot matched. What prune says after
// it is text in older versions and is left alone.
func readForget(r io.Reader) (ForgetResult, error) {
	var groups []struct {
		Reasons []Kept     `json:"reasons"`
		Remove  []Snapshot `json:"remove"`
	}
	if err := json.NewDecoder(r).Decode(&groups); err != nil && err != io.EOF {
		return ForgetResult{}, fmt.Errorf("forget: restic's answer: %w", err)
	}
	var result ForgetResult
	for _, group := range groups {
		result.Keep = append(result.Keep, group.Reasons...)
		result.Remove = append(result.Remove, group.Remove...)
	}
	return result, nil
}

// Prune removes the data that no snapshot needs, such as what a backup that was taken back has stored.
func (c *Client) Prune(ctx context.Context) error {
	return c.locked(ctx, command{op: "prune", args: []string{"prune"}})
}
