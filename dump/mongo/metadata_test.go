package mongo

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// lookalikes are documents that extended JSON takes for something else, and values
// of which it keeps a part.
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

// Metadata that extended JSON does not hold is restored as it was, the dump says what
// mongorestore will leave out, and mongorestore loads the archive.
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
		var read metadata
		if err := bson.UnmarshalExtJSON([]byte(c.Metadata), true, &read); err != nil {
			t.Errorf("%s: mongorestore does not read its metadata: %v", c.Name, err)
		} else if c.Type == "view" && len(read.Options) != len(emptyDocument) || c.Type != "view" && !has(read.Options, "validationLevel") || len(read.Indexes) > 1 {
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

// Whatever options and indexes are, they are read as they were; and what
// mongorestore reads of them is what they were, or not there.
func TestRandomMetadata(t *testing.T) {
	seed := rand.Uint64()
	r := &randomBSON{rand.New(rand.NewPCG(seed, 0))}
	exact := 0
	for i := range 3000 {
		c := &collection{Collection: archive.Collection{DB: "app", Name: "c", Type: "collection"}, options: r.document(4)}
		for range r.IntN(3) {
			c.indexes = append(c.indexes, r.document(3))
		}
		inexact, err := c.describe(false)
		if err != nil {
			t.Fatalf("seed %d, round %d: %v", seed, i, err)
		}
		m, err := parseMetadata(c.Metadata)
		if err != nil || !bytes.Equal(m.Options, c.options) || !slices.EqualFunc(m.Indexes, c.indexes, equalDocuments) {
			t.Fatalf("seed %d, round %d: %s\nis read as %x %x (%v)\nand was %x %x", seed, i, c.Metadata, m.Options, m.Indexes, err, c.options, c.indexes)
		}
		var theirs metadata
		if err := bson.UnmarshalExtJSON([]byte(c.Metadata), true, &theirs); err != nil {
			t.Fatalf("seed %d, round %d: mongorestore reads none of %s: %v", seed, i, c.Metadata, err)
		}
		elements, err := theirs.Options.Elements()
		if err != nil {
			t.Fatal(err)
		}
		originals, _ := c.options.Elements()
		for _, e := range elements {
			if !slices.ContainsFunc(originals, func(o bson.RawElement) bool { return bytes.Equal(o, e) }) {
				t.Fatalf("seed %d, round %d: mongorestore reads %x, which is not in %x", seed, i, []byte(e), c.options)
			}
		}
		if len(inexact) > 0 {
			exact++
		}
	}
	t.Logf("%d of 3000 are not held by extended JSON", exact)
}

// randomBSON makes documents of every type, and of the words that extended JSON has.
type randomBSON struct{ *rand.Rand }

func (r *randomBSON) word() string {
	words := []string{
		"", "a", "x.y", "$date", "$oid", "$uuid", "$binary", "$literal", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$symbol",
		"code", "$scope", "$timestamp", "$regularExpression", "$dbPointer", "$ref", "$id", "$minKey", "$maxKey", "$undefined", "$type", "$match",
		"base64", "subType", "pattern", "options", "t", "i", "0", "1", "\xff", "\xed\xa0\x80", "ü\u2028\"\\", "2024-01-01T00:00:00Z", "64b000000000000000000001",
	}
	return words[r.IntN(len(words))]
}

func (r *randomBSON) document(depth int) bson.Raw {
	index, doc := bsoncore.AppendDocumentStart(nil)
	for range r.IntN(4) {
		doc = r.element(doc, r.word(), depth)
	}
	doc, _ = bsoncore.AppendDocumentEnd(doc, index)
	return bson.Raw(doc)
}

func (r *randomBSON) element(doc []byte, key string, depth int) []byte {
	types := []bson.Type{
		bson.TypeDouble, bson.TypeString, bson.TypeBinary, bson.TypeUndefined, bson.TypeObjectID, bson.TypeBoolean, bson.TypeDateTime, bson.TypeNull, bson.TypeRegex,
		bson.TypeDBPointer, bson.TypeJavaScript, bson.TypeSymbol, bson.TypeCodeWithScope, bson.TypeInt32, bson.TypeTimestamp, bson.TypeInt64, bson.TypeDecimal128,
		bson.TypeMinKey, bson.TypeMaxKey,
		bson.TypeEmbeddedDocument, bson.TypeArray, bson.TypeEmbeddedDocument, bson.TypeString,
	}
	kind := types[r.IntN(len(types))]
	if depth == 0 && (kind == bson.TypeEmbeddedDocument || kind == bson.TypeArray || kind == bson.TypeCodeWithScope) {
		kind = bson.TypeString
	}
	doc = bsoncore.AppendHeader(doc, bsoncore.Type(kind), key)
	id := bson.ObjectID{byte(r.Uint32()), 11: byte(r.Uint32())}
	switch kind {
	case bson.TypeDouble:
		return bsoncore.AppendDouble(doc, []float64{0, math.Copysign(0, -1), 1, 1e300, math.Inf(1), math.NaN(), math.Float64frombits(r.Uint64())}[r.IntN(7)])
	case bson.TypeString:
		return bsoncore.AppendString(doc, r.word())
	case bson.TypeBinary:
		return bsoncore.AppendBinary(doc, []byte{0, 2, 3, 4, 6, 0x80}[r.IntN(6)], []byte(r.word()))
	case bson.TypeObjectID:
		return bsoncore.AppendObjectID(doc, id)
	case bson.TypeBoolean:
		return bsoncore.AppendBoolean(doc, r.IntN(2) == 1)
	case bson.TypeDateTime, bson.TypeInt64:
		return bsoncore.AppendInt64(doc, int64(r.Uint64()))
	case bson.TypeTimestamp:
		return bsoncore.AppendTimestamp(doc, r.Uint32(), r.Uint32())
	case bson.TypeRegex:
		return bsoncore.AppendRegex(doc, r.word(), []string{"", "i", "im", "mi", "\xff"}[r.IntN(5)])
	case bson.TypeDBPointer:
		return bsoncore.AppendDBPointer(doc, r.word(), id)
	case bson.TypeJavaScript:
		return bsoncore.AppendJavaScript(doc, r.word())
	case bson.TypeSymbol:
		return bsoncore.AppendSymbol(doc, r.word())
	case bson.TypeCodeWithScope:
		return bsoncore.AppendCodeWithScope(doc, r.word(), bsoncore.Document(r.document(depth-1)))
	case bson.TypeInt32:
		return bsoncore.AppendInt32(doc, r.Int32())
	case bson.TypeDecimal128:
		return bsoncore.AppendDecimal128(doc, r.Uint64(), r.Uint64())
	case bson.TypeEmbeddedDocument:
		return append(doc, r.document(depth-1)...)
	case bson.TypeArray:
		index, doc := bsoncore.AppendArrayStart(doc)
		for i := range r.IntN(4) {
			key := fmt.Sprint(i)
			if r.IntN(20) == 0 {
				key = r.word()
			}
			doc = r.element(doc, key, depth-1)
		}
		doc, _ = bsoncore.AppendArrayEnd(doc, index)
		return doc
	}
	return doc // of undefined, null and the keys there is no more
}

// An archive is a file that anybody may have written: one bracket after the other
// is no reason to end without a word.
func TestMetadataIsDeep(t *testing.T) {
	var deep any = bson.A{}
	for range mostDepth - 4 {
		deep = bson.A{deep}
	}
	raw, err := bson.Marshal(bson.D{{Key: "validator", Value: bson.D{{Key: "x", Value: deep}}}})
	if err != nil {
		t.Fatal(err)
	}
	c := &collection{Collection: archive.Collection{DB: "app", Name: "c", Type: "collection"}, options: raw}
	if inexact, err := c.describe(false); err != nil || len(inexact) > 0 {
		t.Fatal(err, inexact)
	}
	if m, err := parseMetadata(c.Metadata); err != nil || !bytes.Equal(m.Options, raw) {
		t.Errorf("%d arrays within each other: %v", mostDepth-4, err)
	}
	const most = 5 << 20
	for _, text := range []string{
		`{"options":{"a":` + strings.Repeat("[", most),
		`{"options":` + strings.Repeat(`{"a":`, most/5),
	} {
		if _, err := parseMetadata(text); err == nil || !strings.Contains(err.Error(), "nested deeper than") {
			t.Errorf("%s…: %v", text[:20], err)
		}
	}
	if text := `{"options":{"a":"` + strings.Repeat(`[\"[`, mostDepth) + `"}}`; nestedDeeper(text, mostDepth) {
		t.Error("brackets in a text were counted")
	}
}
