package definition

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
)

// Whatever options and indexes are, they are read as they were; and what mongorestore reads of them
// is what they were, or not there.
func TestRandomMetadata(t *testing.T) {
	seed := rand.Uint64()
	r := &randomBSON{rand.New(rand.NewPCG(seed, 0))}
	exact := 0
	for i := range 3000 {
		c := Metadata{Options: r.document(4), CollectionName: "c", Type: "collection"}
		for range r.IntN(3) {
			c.Indexes = append(c.Indexes, r.document(3))
		}
		text, inexact, err := c.Text()
		if err != nil {
			t.Fatalf("seed %d, round %d: %v", seed, i, err)
		}
		m, err := Parse(text)
		if err != nil || !bytes.Equal(m.Options, c.Options) || !slices.EqualFunc(m.Indexes, c.Indexes, document.Equal) {
			t.Fatalf("seed %d, round %d: %s\nis read as %x %x (%v)\nand was %x %x", seed, i, text, m.Options, m.Indexes, err, c.Options, c.Indexes)
		}
		var theirs Metadata
		if err := bson.UnmarshalExtJSON([]byte(text), true, &theirs); err != nil {
			t.Fatalf("seed %d, round %d: mongorestore reads none of %s: %v", seed, i, text, err)
		}
		elements, err := theirs.Options.Elements()
		if err != nil {
			t.Fatal(err)
		}
		originals, _ := c.Options.Elements()
		for _, e := range elements {
			if !slices.ContainsFunc(originals, func(o bson.RawElement) bool { return bytes.Equal(o, e) }) {
				t.Fatalf("seed %d, round %d: mongorestore reads %x, which is not in %x", seed, i, []byte(e), c.Options)
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

// An archive is a file that anybody may have written: one bracket after the other is no reason to
// end without a word.
func TestMetadataIsDeep(t *testing.T) {
	var deep any = bson.A{}
	for range document.MostDepth - 4 {
		deep = bson.A{deep}
	}
	raw, err := bson.Marshal(bson.D{{Key: "validator", Value: bson.D{{Key: "x", Value: deep}}}})
	if err != nil {
		t.Fatal(err)
	}
	c := Metadata{Options: raw, CollectionName: "c", Type: "collection"}
	text, inexact, err := c.Text()
	if err != nil || len(inexact) > 0 {
		t.Fatal(err, inexact)
	}
	if m, err := Parse(text); err != nil || !bytes.Equal(m.Options, raw) {
		t.Errorf("%d arrays within each other: %v", document.MostDepth-4, err)
	}
	const most = 5 << 20
	for _, text := range []string{
		`{"options":{"a":` + strings.Repeat("[", most),
		`{"options":` + strings.Repeat(`{"a":`, most/5),
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), "nested deeper than") {
			t.Errorf("%s…: %v", text[:20], err)
		}
	}
	if text := `{"options":{"a":"` + strings.Repeat(`[\"[`, document.MostDepth) + `"}}`; nestedDeeper(text, document.MostDepth) {
		t.Error("brackets in a text were counted")
	}
}
