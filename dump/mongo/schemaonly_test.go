package mongo

import (
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Without documents a load makes all that has a definition, and nothing else, of a whole server's
// dump as of some of its collections.
func TestSchemaOnly(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3}`))
	to := startFake(t)
	var compared dump.Comparison
	warnings, err := loadFake(t, to, LoadConfig{SchemaOnly: true, Compared: func(c dump.Comparison) { compared = c }}, stream)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range to.collections {
		names = append(names, c.db+"."+c.name)
		if len(c.docs) > 0 {
			t.Errorf("%s has documents", c.name)
		}
	}
	slices.Sort(names)
	const want = "app.active app.by_name app.clustered app.images app.system.buckets.weather app.users app.weather app.zlog"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
	if users := to.collection("app", "users"); len(users.indexes) != 3 || len(users.options) == 0 {
		t.Errorf("app.users has the indexes %v and the options %v", users.indexes, users.options)
	}
	for _, command := range []string{"insert", "applyOps", "_mergeAuthzCollections"} {
		if sent := to.sent(command); len(sent) > 0 {
			t.Errorf("sent %q", sent)
		}
	}
	if compared.Tables != 0 || compared.Rows != 0 || len(warnings) != 2 || !strings.Contains(warnings[0], "oplog is not replayed") && !strings.Contains(warnings[1], "oplog is not replayed") {
		t.Errorf("compared %+v, warned of %q", compared, warnings)
	}
	l, err := NewLoader(LoadConfig{SchemaOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if l.Wants(dump.Part{Kind: dump.Rows, Name: "app.users"}) || l.Wants(dump.Part{Kind: dump.AfterRows}) || !l.Wants(dump.Part{Kind: dump.Definitions}) {
		t.Error("it wants other parts than the definitions")
	}
	// Of what is refused no document is missing.
	to = startFake(t)
	to.handle("create", func(_ string, command bson.Raw) any {
		if command.Lookup("create").StringValue() == "users" {
			return failure(72, "not with these options")
		}
		return nil
	})
	_, err = goOn(t, to, LoadConfig{SchemaOnly: true, Include: []string{"app.users"}}, stream)
	isIncomplete(t, err, dump.IncompleteError{Refused: 1, Of: 1})
}
