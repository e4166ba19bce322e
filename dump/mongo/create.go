package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

func (s *loading) createCollection(ctx context.Context, t *target) error {
	create := func(without []string) error {
		options, err := t.metadata.CreateOptions(without)
		if err != nil {
			return err
		}
		return s.run(ctx, t.db, append(bson.D{{Key: "create", Value: t.name}}, options...), &bson.Raw{})
	}
	err := create(nil)
	if names := definition.UnknownOptions(t.metadata.Options); len(names) > 0 && server.HasCode(err, server.CodeUnknownField) {
		s.cfg.Warn(fmt.Sprintf("%s is made without options of the dump that the server does not know: %s: %v", shown.Name(t.namespace()), shown.Names(names), err))
		err = create(names)
	}
	if err != nil {
		return fmt.Errorf("%s: create: %w", shown.Name(t.namespace()), err)
	}
	return nil
}

func (s *loading) warnOfWriteConcern() {
	if s.conn.IsPrimaryAlone() {
		s.cfg.Warn("w=1 of the URI has the primary alone acknowledge what is restored: an election meanwhile may take some of it back unseen; leave it out, unless no majority can be had")
	}
}

// run runs a command of the restore.
func (s *loading) run(ctx context.Context, db string, command bson.D, answer any) error {
	return s.conn.RunLasting(ctx, db, command, answer)
}
