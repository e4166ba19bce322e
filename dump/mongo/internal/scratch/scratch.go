// Package scratch makes databases for drills on a server and drops them again: see dump.Scratch.
//
// A database of a drill is known by its name alone, which has a checksum. It is there with the
// first document that a load puts into it. A server has no lock that ends with a session, so a
// living drill writes the time, by the server's clock, into a document every half minute: in a
// database beside (dump.ScratchMarks), as one of the copy's would be taken for what was restored. A
// drill of which nothing was heard for ten minutes is dead.
package scratch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// Config says where databases are made.
type Config struct {
	Server server.Config
	Prefix string
	Every  time.Duration // a living drill says so; 0: half a minute
}

const (
	stale = 10 * time.Minute // after which one is dead that has said nothing
	marks = "drills"         // the collection in which they say it
)

// A Scratch is a dump.Scratch.
type Scratch struct {
	cfg  Config
	conn *server.Conn      // nil: nobody was asked yet
	made map[string]func() // which end the sign of life
}

// New connects to nothing.
func New(cfg Config) *Scratch {
	cfg.Every = cmp.Or(cfg.Every, 30*time.Second)
	return &Scratch{cfg: cfg, made: map[string]func(){}}
}

// hasMade returns an error for a database that the Scratch has not made, or has dropped.
func (s *Scratch) hasMade(name string) error {
	if s.made[name] == nil {
		return fmt.Errorf("database %q was not made by this drill", name)
	}
	return nil
}

// Close ends the signs of life and the connection.
func (s *Scratch) Close() error {
	for _, end := range s.made {
		end()
	}
	clear(s.made)
	if s.conn != nil {
		s.conn.Close(context.Background())
		s.conn = nil
	}
	return nil
}

func (s *Scratch) connect(ctx context.Context) (*server.Conn, error) {
	if s.conn == nil {
		c, err := s.cfg.Server.ConnectPrimary(ctx)
		if err != nil {
			return nil, err
		}
		s.conn = c
	}
	return s.conn, nil
}

// Create takes a name, under which a load makes a database: see dump.Scratch.
func (s *Scratch) Create(ctx context.Context, _ []byte) (string, error) {
	const longest = 63
	if len(s.cfg.Prefix)+dump.ScratchNameLength > longest {
		return "", fmt.Errorf("prefix %q: %d bytes at most expected", s.cfg.Prefix, longest-dump.ScratchNameLength)
	}
	c, err := s.connect(ctx)
	if err != nil {
		return "", err
	}
	now, err := clock(ctx, c)
	if err != nil {
		return "", err
	}
	name := dump.NewScratchName(s.cfg.Prefix, now)
	if err := s.beat(ctx, c, name); err != nil {
		return "", fmt.Errorf("say that the drill %s lives: %w", name, err)
	}
	s.made[name] = s.live(ctx, c, name)
	return name, nil
}

// live goes on saying that a drill lives until what it returns is called. That it failed is not
// told: it is tried again, and a server that is gone is noticed by others.
func (s *Scratch) live(ctx context.Context, c *server.Conn, name string) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it lasts until it is dropped
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(s.cfg.Every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = s.beat(ctx, c, name)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// beat writes the time into a drill's mark.
func (s *Scratch) beat(ctx context.Context, c *server.Conn, name string) error {
	now, err := clock(ctx, c)
	if err != nil {
		return err
	}
	set := bson.D{{Key: "$set", Value: bson.D{{Key: "at", Value: now}}}}
	return run(ctx, c, dump.ScratchMarks(s.cfg.Prefix), bson.D{
		{Key: "update", Value: marks},
		{Key: "updates", Value: bson.A{bson.D{{Key: "q", Value: bson.D{{Key: "_id", Value: name}}}, {Key: "u", Value: set}, {Key: "upsert", Value: true}}}},
	})
}

// clock is the server's.
func clock(ctx context.Context, c *server.Conn) (time.Time, error) {
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	err := c.Run(ctx, "admin", bson.D{{Key: "hello", Value: 1}}, &hello)
	if err == nil && hello.LocalTime.IsZero() {
		err = errors.New("the server does not tell its time")
	}
	return hello.LocalTime, err
}

// run runs a command that writes, which lasts.
func run(ctx context.Context, c *server.Conn, db string, command bson.D) error {
	if c.Info.Mongod {
		command = append(command, c.WriteConcern())
	}
	return c.Unacknowledged(c.Run(ctx, db, command, &bson.Raw{}))
}

// Sweep drops what drills have left: see dump.Scratch.
func (s *Scratch) Sweep(ctx context.Context) (dropped []string, err error) {
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	there, heard, err := s.look(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("look for what drills have left: %w", err)
	}
	now, err := clock(ctx, c)
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, name := range slices.Sorted(maps.Keys(heard)) {
		if s.made[name] != nil || now.Sub(heard[name]) < stale {
			continue
		}
		if err := s.drop(ctx, c, name); err != nil {
			failed = append(failed, fmt.Errorf("drop %s: %w", name, err))
		} else if there[name] {
			dropped = append(dropped, name)
		}
	}
	return dropped, errors.Join(failed...)
}

// look returns when something was last heard of the drills under the prefix, and of which of them
// there is a database. Of one without a mark it was when the name was made.
func (s *Scratch) look(ctx context.Context, c *server.Conn) (there map[string]bool, heard map[string]time.Time, err error) {
	var answer struct {
		Databases []struct {
			Name string `bson:"name"`
		} `bson:"databases"`
	}
	if err := c.Run(ctx, "admin", bson.D{{Key: "listDatabases", Value: 1}, {Key: "nameOnly", Value: true}}, &answer); err != nil {
		return nil, nil, err
	}
	there, heard = map[string]bool{}, map[string]time.Time{}
	for _, db := range answer.Databases {
		if prefix, made, ok := dump.ParseScratchName(db.Name); ok && prefix == s.cfg.Prefix && !made.IsZero() {
			there[db.Name], heard[db.Name] = true, made
		}
	}
	err = c.Each(ctx, dump.ScratchMarks(s.cfg.Prefix), bson.D{{Key: "find", Value: marks}}, func(doc bson.Raw) error {
		name, _ := doc.Lookup("_id").StringValueOK()
		at, isTime := doc.Lookup("at").TimeOK()
		if prefix, made, ok := dump.ParseScratchName(name); ok && isTime && prefix == s.cfg.Prefix && !made.IsZero() {
			heard[name] = at
		}
		return nil
	})
	return there, heard, err
}
