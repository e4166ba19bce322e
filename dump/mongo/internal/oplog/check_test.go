package oplog

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestCheck(t *testing.T) {
	check := NewCheck()
	check.List("app", "users", "collection")
	for _, test := range []struct {
		entry string
		want  string // part of the error; empty: none
	}{
		{`{"op":"i","ns":"app.users","o":{"drop":"users"}}`, ""},
		{`{"op":"n","ns":"","o":{"msg":"x"}}`, ""},
		{`{"op":"c","ns":"app.$cmd","o":{"create":"new"}}`, ""},
		{`{"op":"c","ns":"app.$cmd","o":{"drop":"new"}}`, ""},
		{`{"op":"c","ns":"app.$cmd","o":{"drop":"users"}}`, "app.users was dropped during the dump"},
		{`{"op":"c","ns":"app.$cmd","o":{"dropDatabase":1}}`, "database app was dropped during the dump"},
		{`{"op":"c","ns":"other.$cmd","o":{"dropDatabase":1}}`, ""},
		{`{"op":"c","ns":"app.$cmd","o":{"renameCollection":"app.users","to":"app.people"}}`, "app.users was renamed to app.people during the dump"},
		{`{"op":"c","ns":"app.$cmd","o":{"importCollection":"x"}}`, "imported"},
		{`{"op":"u","ns":"admin.system.version","o":{}}`, "compatibility version"},
		{`{"op":"c","ns":"config.$cmd","o":{"create":"reshardingOperations"}}`, "resharding"},
		{`{"op":"c","ns":"admin.$cmd","o":{"applyOps":[{"op":"i","ns":"app.users","o":{}},{"op":"c","ns":"app.$cmd","o":{"drop":"users"}}]}}`, "app.users was dropped"},
	} {
		var entry bson.Raw
		if err := bson.UnmarshalExtJSON([]byte(test.entry), false, &entry); err != nil {
			t.Fatal(err)
		}
		err := check.Entry(entry)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.entry, err, test.want)
		}
	}
}
