package mysql

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Who is told what a load drops, and ends it there, finds everything as it was: of one database and
// of several.
func TestDeclined(t *testing.T) {
	my := testServer(t)
	db, admin := my.CreateDB(t), my.session(t)
	execute(t, admin, "CREATE TABLE "+db+".t (mark VARCHAR(20) PRIMARY KEY)")
	execute(t, admin, "INSERT INTO "+db+".t VALUES ('dumped')")
	streams := map[string][]byte{
		db: my.dump(t, Config{Databases: []string{db}}),
		"": []byte(my.mysqldump(t, "--databases", "--add-drop-database", db)),
	}
	execute(t, admin, "UPDATE "+db+".t SET mark = 'old'")
	declined := errors.New("declined")
	for database, stream := range streams {
		ctx, decline := context.WithCancelCause(t.Context())
		var target dump.Target
		l := my.loader(t, LoadConfig{Database: database, Clean: true, Into: func(told dump.Target) {
			target = told
			decline(declined)
		}})
		if err := l.Verify(bytes.NewReader(stream)); err != nil {
			t.Fatal(err)
		}
		if err := l.Load(ctx, bytes.NewReader(stream)); !errors.Is(err, declined) || errors.As(err, new(*dump.PartialError)) {
			t.Errorf("into %q: error %v, want %v, and nothing changed", database, err, declined)
		}
		if got := marks(t, admin, db); got != "old" || len(target.Drops) == 0 {
			t.Errorf("into %q: the table holds %q, and %q was to be dropped", database, got, target.Drops)
		}
	}
}
