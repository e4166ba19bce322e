package mongo

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Who is told what a load drops, and ends it there, finds everything as it was.
func TestDeclined(t *testing.T) {
	db := newTestDB(t)
	db.insert(t, "a", bson.D{{Key: "_id", Value: 1}, {Key: "mark", Value: "dumped"}})
	src, err := NewSource(Config{Server: db.server(t), Database: db.name, Users: UsersOff})
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := src.Dump(t.Context(), &stream); err != nil {
		t.Fatal(err)
	}
	db.insert(t, "a", bson.D{{Key: "_id", Value: 2}, {Key: "mark", Value: "later"}})
	declined := errors.New("declined")
	ctx, decline := context.WithCancelCause(t.Context())
	var target dump.Target
	l, err := NewLoader(LoadConfig{Server: db.server(t), Database: db.name, Clean: true, Into: func(told dump.Target) {
		target = told
		decline(declined)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Load(ctx, &stream); !errors.Is(err, declined) || errors.As(err, new(*dump.PartialError)) {
		t.Errorf("error %v, want %v, and nothing changed", err, declined)
	}
	if n, err := db.coll("a").CountDocuments(t.Context(), bson.D{}); err != nil || n != 2 || len(target.Drops) == 0 {
		t.Errorf("the collection holds %d documents (%v), and %q was to be dropped", n, err, target.Drops)
	}
}
