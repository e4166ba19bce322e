package server

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// RefreshTime is how often a session is renewed. The server ends one of which it has heard nothing
// for 30 minutes, and with it its cursors, noCursorTimeout or not (manual, cursor.noCursorTimeout);
// of one that waits until the collections before it are written, or until the repository takes
// more, it hears nothing.
const RefreshTime = 5 * time.Minute

// InSession returns a context whose commands are of one session, which is kept alive until end is
// called. Only one command may be under way in it at once.
func (c *Conn) InSession(ctx context.Context, refresh time.Duration) (_ context.Context, end func(), err error) {
	if !c.Info.Mongod { // others end cursors as they please
		return ctx, func() {}, nil
	}
	session, err := c.client.StartSession(options.Session().SetCausalConsistency(false))
	if err != nil {
		return nil, nil, err
	}
	refresh = min(refresh, refreshWithin(c.Info.session))
	keep, stop := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { c.keepAlive(keep, session.ID(), refresh) })
	end = func() {
		stop()
		keeping.Wait()
		session.EndSession(context.WithoutCancel(ctx))
	}
	return mongo.NewSessionContext(ctx, session), end, nil
}

// keepAlive renews a session until ctx ends. That it failed is not told: if it matters, the read
// that comes next does.
func (c *Conn) keepAlive(ctx context.Context, session bson.Raw, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = c.Run(ctx, "admin", bson.D{{Key: "refreshSessions", Value: bson.A{session}}}, &bson.Raw{})
		case <-ctx.Done():
			return
		}
	}
}
