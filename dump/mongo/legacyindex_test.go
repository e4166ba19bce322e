package mongo

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
)

// oldArchive is an archive as mongodump before 100.4 wrote it, of empty collections: names and
// metadata.
func oldArchive(t *testing.T, collections [][2]string) []byte {
	t.Helper()
	terminator := []byte{0xff, 0xff, 0xff, 0xff}
	stream := binary.LittleEndian.AppendUint32(nil, 0x8199e26d)
	add := func(d bson.D) {
		raw, err := bson.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		stream = append(stream, raw...)
	}
	add(bson.D{{Key: "concurrent_collections", Value: int32(4)}, {Key: "version", Value: "0.1"}, {Key: "server_version", Value: "4.0.28"}, {Key: "tool_version", Value: "r4.0.28"}})
	for _, c := range collections {
		add(bson.D{{Key: "db", Value: "app"}, {Key: "collection", Value: c[0]}, {Key: "metadata", Value: c[1]}, {Key: "size", Value: int32(0)}})
	}
	stream = append(stream, terminator...)
	for _, c := range collections {
		add(bson.D{{Key: "db", Value: "app"}, {Key: "collection", Value: c[0]}, {Key: "EOF", Value: true}, {Key: "CRC", Value: int64(0)}})
		stream = append(stream, terminator...)
	}
	return stream
}

// What old servers kept of indexes is made of them as these took it.
func TestIndexesOfOldServers(t *testing.T) {
	stream := oldArchive(t, [][2]string{
		{"v", `{"options":{"viewOn":"c","pipeline":[]},"indexes":[]}`},
		{"c", `{"options":{},"indexes":[{"v":1,"key":{"_id":1},"name":"_id_","ns":"app.c"},` + strings.Join([]string{
			`{"v":1,"key":{"p":"2dsphere"},"name":"sphere","ns":"app.c","safe":true}`,
			`{"v":1,"key":{"q":"2dsphere"},"name":"newer","2dsphereIndexVersion":2}`,
			`{"v":1,"key":{"a":1.0},"name":"a","background":"true","dropDups":true,"unique":"yes"}`,
			`{"v":1,"key":{"b":true,"c":""},"name":"as it was"}`,
			`{"v":1,"key":{"d":{"$numberLong":"-1"},"e":{"x":1}},"name":"nested"}`,
			`{"v":0,"key":{"f":true,"g":"","h":0,"i":-1,"j":"hashed"},"name":"oldest"}`,
			`{"key":{"f":1,"g":[],"h":{"$numberDouble":"NaN"},"i":-1,"j":"hashed"},"name":"another oldest"}`,
			`{"v":1,"key":{"k.l":"hashed"},"name":"dotted"}`,
			`{"key":{"n":true},"name":"converted"}`,
			`{"key":{"n":1},"name":"sound"}`,
			`{"v":1,"key":{"m":1},"name":"expiring","expireAfterSeconds":"3600","sparse":null}`,
		}, ",") + `]}`},
	})
	to := startFake(t)
	warnings, err := loadFake(t, to, LoadConfig{}, stream)
	if err != nil {
		t.Fatal(err)
	}
	equalStrings(t, "create", to.sent("create"), []string{`app: {"create":"c"}`, `app: {"create":"v","viewOn":"c","pipeline":[]}`})
	equalStrings(t, "createIndexes", to.sent("createIndexes"), []string{`app: {"createIndexes":"c","indexes":[` + strings.Join([]string{
		`{"v":1,"key":{"p":"2dsphere"},"name":"sphere","2dsphereIndexVersion":1}`,
		`{"v":1,"key":{"q":"2dsphere"},"name":"newer","2dsphereIndexVersion":2}`,
		`{"v":1,"key":{"a":1.0},"name":"a","background":true,"dropDups":true,"unique":true}`,
		`{"v":1,"key":{"b":true,"c":""},"name":"as it was"}`,
		`{"v":1,"key":{"d":-1,"e":1},"name":"nested"}`,
		`{"key":{"f":1,"g":1,"h":1,"i":-1,"j":"hashed"},"name":"oldest"}`,
		`{"v":1,"key":{"k.l":"hashed"},"name":"dotted"}`,
		`{"key":{"n":1},"name":"sound"}`,
		`{"v":1,"key":{"m":1},"name":"expiring","sparse":false}`,
	}, ",") + `],"ignoreUnknownIndexOptions":true}`})
	equalStrings(t, "warnings", warnings, []string{
		"app.c: index sphere says what servers no longer take, and is made as its own took it: 2dsphereIndexVersion",
		"app.c: index a says what servers no longer take, and is made as its own took it: background, unique",
		"app.c: index nested says what servers no longer take, and is made as its own took it: key e",
		"app.c: index oldest says what servers no longer take, and is made as its own took it: v, key f, key g, key h",
		"app.c: index another oldest is left out, as it is another name of oldest",
		"app.c: index converted is left out, as it is another name of sound",
		"app.c: index expiring says what servers no longer take, and is made as its own took it: expireAfterSeconds, sparse",
	})
}

// withoutTypes makes of an archive one of mongodump before 100.4.
func withoutTypes(t *testing.T, stream []byte) []byte {
	t.Helper()
	old, rest, first := bytes.Clone(stream[:4]), stream[4:], true
	for binary.LittleEndian.Uint32(rest) != 0xffffffff {
		raw := bson.Raw(rest[:binary.LittleEndian.Uint32(rest)])
		rest = rest[len(raw):]
		if !first {
			elements, err := raw.Elements()
			if err != nil {
				t.Fatal(err)
			}
			if raw, err = document.Of(elements[:len(elements)-1]); err != nil || elements[len(elements)-1].Key() != "type" {
				t.Fatal(err)
			}
		}
		old, first = append(old, raw...), false
	}
	return append(old, rest...)
}

// An archive of mongodump before 100.4, which says of no collection what it is.
func TestArchiveWithoutTypes(t *testing.T) {
	db, restored := newTestDB(t), newTestDB(t)
	db.insert(t, "c", bson.D{{Key: "_id", Value: 1}})
	stream := mongodumpArchive(t, db)
	l, err := NewLoader(LoadConfig{Server: restored.server(t), Database: restored.name})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Load(t.Context(), bytes.NewReader(withoutTypes(t, stream))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(contents(t, stream), mongodump(t, restored)); diff != "" {
		t.Errorf("mongodump tells the restored database from the original (-original +restored):\n%s", diff)
	}
	// One of this program's says it always.
	a, err := archive.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := archive.NewWriter(&b, *a.Prelude()); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.NewReader(bytes.NewReader(withoutTypes(t, b.Bytes()))); err == nil {
		t.Error("without its types an archive of this program is whole")
	}
}
