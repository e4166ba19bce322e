package main

import (
	"context"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

// checkAnew has restic check the job's repository, as its settings are by now, and tells all who
// listen how that went.
func checkAnew(ctx context.Context, j job, env environment) error {
	started := time.Now()
	now, err := j.anew(ctx, env, event.Check)
	if err != nil {
		return err
	}
	tell := env.teller(now.run(event.Check))
	tell.Subscribe(env.hearers(nil))
	tell.Emit(event.Begun{})
	client, err := env.checkedRestic(ctx, now.store, tell)
	if err == nil {
		tell.Phase(event.Checking)
		err = client.Check(ctx, now.drill.CheckSubset)
	}
	return ended(ctx, tell, audience.Outcome{Started: started, Err: err})
}
