package restic

import (
	"context"
	"errors"
	"slices"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// forgetMany is how many snapshots one restic is told to forget: their IDs must fit on its command
// line.
const forgetMany = 1000

// Forget removes the snapshots with these full IDs, and nothing else; those that are gone already
// are no error. With prune the data that no snapshot needs any more is removed as well, whether or
// not a snapshot was.
//
// The choice is the caller's. restic's own policies reach every snapshot that holds a path, those
// of others with several paths included, count snapshots of the future, and know of no snapshot
// that has just been made.
func (c *Client) Forget(ctx context.Context, ids []string, prune bool) error {
	for tries := 0; ; tries++ {
		err := c.forget(ctx, ids, prune)
		if err == nil || errors.Is(err, ErrLocked) || errors.Is(err, ErrNoDelete) || tries == 2 || len(ids) == 0 {
			return err
		}
		// restic stops at a snapshot that another has removed in the meantime.
		there, listErr := c.Snapshots(ctx, Filter{})
		if listErr != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
			return !slices.ContainsFunc(there, func(s Snapshot) bool { return s.ID == id })
		})
		if len(left) == len(ids) {
			return err
		}
		ids = left
	}
}

func (c *Client) forget(ctx context.Context, ids []string, prune bool) error {
	if len(ids) == 0 && prune {
		return c.prune(ctx)
	}
	for len(ids) > 0 {
		some := ids[:min(len(ids), forgetMany)]
		ids = ids[len(some):]
		args := append([]string{"forget"}, some...)
		if len(ids) == 0 && prune { // to open the repository once more takes restic a while
			args = append(args, "--prune")
		}
		if err := c.keeper().Run(ctx, process.Command{Op: "forget", Args: args}); err != nil {
			return err
		}
	}
	return nil
}

// prune removes the data that no snapshot needs, such as what a backup that was taken back has
// stored.
func (c *Client) prune(ctx context.Context) error {
	return c.keeper().Run(ctx, process.Command{Op: "prune", Args: []string{"prune"}})
}

// AddTag has snapshots bear a tag besides those that they have. restic writes them anew for that:
// they get new IDs.
func (c *Client) AddTag(ctx context.Context, ids []string, tag string) error {
	for some := range slices.Chunk(ids, forgetMany) {
		args := append([]string{"tag", "--add=" + tag}, some...)
		if err := c.keeper().Run(ctx, process.Command{Op: "tag", Args: args}); err != nil {
			return err
		}
	}
	return nil
}
