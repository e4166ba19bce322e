package mongo

import (
	"bytes"
	"math"
	"os/exec"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// lookalikes are documents that extended JSON takes for something else, and values of which it
// keeps a part.
func lookalikes() map[string]any {
	return map[string]any{
		"date of text":        bson.D{{Key: "$date", Value: "2024-01-01T00:00:00Z"}},
		"date of words":       bson.D{{Key: "$date", Value: "tomorrow"}},
		"oid":                 bson.D{{Key: "$oid", Value: "64b000000000000000000001"}},
		"oid of a field":      bson.D{{Key: "$oid", Value: "$x"}},
		"uuid":                bson.D{{Key: "$uuid", Value: "00112233-4455-6677-8899-aabbccddeeff"}},
		"binary":              bson.D{{Key: "$binary", Value: bson.D{{Key: "base64", Value: "AAAA"}, {Key: "subType", Value: "04"}}}},
		"literal":             bson.D{{Key: "$literal", Value: bson.D{{Key: "$numberLong", Value: "7"}}}},
		"numberLong":          bson.D{{Key: "$numberLong", Value: int64(7)}},
		"minKey":              bson.D{{Key: "$minKey", Value: 1}},
		"undefined":           bson.D{{Key: "$undefined", Value: true}},
		"code":                bson.D{{Key: "$code", Value: "x"}, {Key: "more", Value: 1}},
		"no UTF-8":            "caf\xe9",
		"a field of no UTF-8": bson.D{{Key: "caf\xe9", Value: 1}},
		"a half pair":         "\xed\xa0\x80",
		"a pattern's options": bsoncore.Value{Type: bsoncore.TypeRegex, Data: bsoncore.AppendRegex(nil, "a", "xi")},
		"another NaN":         math.Float64frombits(0x7ff8_0000_0000_1234),
		"deep":                nested(240),
	}
}

// Metadata that extended JSON does not hold is restored as it was, the dump says what mongorestore
// will leave out, and mongorestore loads the archive.
func TestMetadataThatExtendedJSONDoesNotHold(t *testing.T) {
	f := startFake(t)
	want := map[string]bson.Raw{}
	for name, value := range lookalikes() {
		if v, ok := value.(bsoncore.Value); ok {
			value = bson.RawValue{Type: bson.Type(v.Type), Value: v.Data}
		}
		f.add(t, "app", name, "view", "").options = bson.D{{Key: "viewOn", Value: "users"}, {Key: "pipeline", Value: bson.A{bson.D{{Key: "$set", Value: bson.D{{Key: "x", Value: value}}}}}}}
		c := f.add(t, "app", "c "+name, "collection", "", `{"_id":1}`)
		c.options = bson.D{{Key: "validator", Value: bson.D{{Key: "x", Value: value}}}, {Key: "validationLevel", Value: "off"}}
		c.indexes = append(c.indexes, bson.D{{Key: "v", Value: 2}, {Key: "key", Value: bson.D{{Key: "x", Value: 1}}}, {Key: "name", Value: "x"}, {Key: "partialFilterExpression", Value: bson.D{{Key: "x", Value: value}}}})
		for _, c := range []*fakeCollection{f.collection("app", name), c} {
			raw, err := bson.Marshal(c.options)
			if err != nil {
				t.Fatal(err)
			}
			want[c.name] = raw
		}
	}
	stream, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff, Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	if len(said.warnings) != len(want) {
		t.Errorf("%d warnings, want %d: %q", len(said.warnings), len(want), said.warnings)
	}
	if warning := "app.c oid: extended JSON, which is what mongorestore reads, does not hold all that it has: option validator, index x; "; !strings.Contains(strings.Join(said.warnings, "\n"), warning) {
		t.Errorf("%q, want: … %s …", said.warnings, warning)
	}
	to := startFake(t)
	if warnings, err := loadFake(t, to, LoadConfig{}, stream); err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	for name, options := range want {
		got, err := bson.Marshal(to.collection("app", name).options)
		if err != nil || !bytes.Equal(got, options) {
			t.Errorf("%s: made with %x, want %x (%v)", name, got, options, err)
		}
	}
	// What is left for mongorestore is true as far as it goes.
	for _, c := range preludeOf(t, stream).Collections {
		var read definition.Metadata
		if err := bson.UnmarshalExtJSON([]byte(c.Metadata), true, &read); err != nil {
			t.Errorf("%s: mongorestore does not read its metadata: %v", c.Name, err)
		} else if c.Type == "view" && len(read.Options) != len(document.Empty) || c.Type != "view" && !document.Has(read.Options, "validationLevel") || len(read.Indexes) > 1 {
			t.Errorf("%s: mongorestore reads %v, %v", c.Name, read.Options, read.Indexes)
		}
	}

	db := newTestDB(t)
	cmd := exec.CommandContext(t.Context(), servers.MongoTool(t, "mongorestore"),
		"--uri", db.uri, "--archive", "--nsFrom", "app.*", "--nsTo", db.name+".*", "--noOptionsRestore", "--noIndexRestore", "--stopOnError")
	cmd.Stdin = bytes.NewReader(stream)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mongorestore: %v\n%s", err, out)
	}
	if n, err := db.coll("c no UTF-8").CountDocuments(t.Context(), bson.D{}); err != nil || n != 1 {
		t.Errorf("after mongorestore there are %d documents, %v", n, err)
	}
}

func preludeOf(t *testing.T, stream []byte) *archive.Prelude {
	t.Helper()
	a, err := archive.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	return a.Prelude()
}
