package scratch

import (
	"context"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// Drop drops a made database: see dump.Scratch.
func (s *Scratch) Drop(ctx context.Context, name string) error {
	if err := s.hasMade(name); err != nil {
		return err
	}
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	s.made[name]() // or it would say again that it lives
	if err := s.drop(ctx, c, name); err != nil {
		s.made[name] = s.live(ctx, c, name)
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	delete(s.made, name)
	return nil
}

// drop drops a database and its mark, and with the last mark the database that they are in. Whose
// mark goes with that, as it comes just then, sets it again in time.
func (s *Scratch) drop(ctx context.Context, c *server.Conn, name string) error {
	if err := dropDatabase(ctx, c, name); err != nil {
		return err
	}
	in := dump.ScratchMarks(s.cfg.Prefix)
	err := run(ctx, c, in, bson.D{
		{Key: "delete", Value: marks},
		{Key: "deletes", Value: bson.A{bson.D{{Key: "q", Value: bson.D{{Key: "_id", Value: name}}}, {Key: "limit", Value: 1}}}},
	})
	if err != nil {
		return fmt.Errorf("delete its mark: %w", err)
	}
	some := false
	err = c.Each(ctx, in, bson.D{{Key: "find", Value: marks}}, func(bson.Raw) error { some = true; return nil })
	if err != nil || some {
		return err
	}
	return dropDatabase(ctx, c, in)
}

// dropDatabase drops a database. The role readWrite has no right to that, but to drop what is in
// it, and then it is gone.
func dropDatabase(ctx context.Context, c *server.Conn, db string) error {
	refused := run(ctx, c, db, bson.D{{Key: "dropDatabase", Value: 1}})
	if !server.HasCode(refused, server.CodeUnauthorized) {
		return refused
	}
	var names []string
	command := bson.D{{Key: "listCollections", Value: 1}, {Key: "nameOnly", Value: true}, {Key: "cursor", Value: bson.D{}}}
	err := c.Each(ctx, db, command, func(doc bson.Raw) error {
		if name, _ := doc.Lookup("name").StringValueOK(); name != "" && (!strings.HasPrefix(name, "system.") || name == "system.js") {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return refused
	}
	for _, name := range names {
		err := run(ctx, c, db, bson.D{{Key: "drop", Value: name}})
		if err != nil && !server.HasCode(err, server.CodeNamespaceNotFound) {
			return fmt.Errorf("%w; and its collection %s: %w", refused, name, err)
		}
	}
	return nil
}
