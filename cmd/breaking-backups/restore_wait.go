package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/dump"
)

// How long passes between one try to reach a server that is starting and the next: the first time,
// and at most.
const (
	firstReachWait = 500 * time.Millisecond
	mostReachWait  = 5 * time.Second
)

// awaitServer asks again and again whether the server can be reached, for as long as waiting may
// help and the time is not over. A limit of 0 asks nothing: the load finds out by itself.
func awaitServer(ctx context.Context, loader destination, limit time.Duration, tell *audience.Teller) error {
	if limit == 0 {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error // of those for which waiting may help
	final := false
	reach := func() (struct{}, error) {
		err := loader.Reach(within)
		switch {
		case err == nil:
		case errors.As(err, new(*dump.NotReadyError)):
			if last == nil {
				tell.Note("waiting for the server, which is not ready yet", "most", limit, "error", err)
			}
			last = err
		case within.Err() == nil || !errors.Is(err, context.DeadlineExceeded):
			final = true
			err = backoff.Permanent(err)
		case last == nil: // the first try was still going on
			last = err
		}
		return struct{}{}, err
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = firstReachWait, mostReachWait
	_, err := backoff.Retry(within, reach, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !final:
		return fmt.Errorf("restore: after waiting %s: %w", limit, last)
	}
	return fmt.Errorf("restore: %w", err)
}
