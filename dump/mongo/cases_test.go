package mongo

import (
	"math"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/dumptest"
)

// cases are what the shared server can hold of what there is.
func cases(t *testing.T) []dumptest.Case[*testDB] {
	all := []dumptest.Case[*testDB]{
		{Name: "types that all servers know", Fill: func(t *testing.T, db *testDB) {
			for i, v := range commonValues() {
				db.insert(t, "values", bson.D{{Key: "_id", Value: i}, {Key: "v", Value: v}})
			}
			for _, id := range []any{"text", 1.5, true, time.UnixMilli(0), bson.ObjectID{1, 2}, bson.Binary{Subtype: 4, Data: make([]byte, 16)}, bson.D{{Key: "a", Value: 1}, {Key: "b", Value: "x"}}} {
				db.insert(t, "ids", bson.D{{Key: "_id", Value: id}})
			}
		}},
		{Name: "names", Fill: func(t *testing.T, db *testDB) {
			for _, name := range []string{"a", "A", "a.b", "a b", "ünï", "a-b", "x.chunks", strings.Repeat("n", 100), "\x1b[2J", "\u202eevil", "`'\\", "prelude.json"} { // mongorestore --nsFrom renames none with a line feed
				db.insert(t, name, bson.D{{Key: "_id", Value: name}})
			}
		}},
		{Name: "empty collections", Fill: func(t *testing.T, db *testDB) {
			db.run(t, bson.D{{Key: "create", Value: "b"}})
			db.run(t, bson.D{{Key: "create", Value: "a"}})
			db.insert(t, "c", bson.D{{Key: "_id", Value: 1}})
		}},
		{Name: "large documents", Fill: func(t *testing.T, db *testDB) {
			for i, n := range []int{1, 100, 300 << 10, 1 << 20} {
				db.insert(t, "large", bson.D{{Key: "_id", Value: i}, {Key: "text", Value: strings.Repeat("x", n)}})
			}
		}},
	}
	if isFerretV1(t) {
		return all // it refuses the rest, and the indexes as mongorestore makes them
	}
	return append(all, []dumptest.Case[*testDB]{
		{Name: "types", Fill: func(t *testing.T, db *testDB) {
			for i, v := range otherValues() {
				db.insert(t, "values", bson.D{{Key: "_id", Value: i}, {Key: "v", Value: v}})
			}
			for _, id := range []any{decimal("1.50"), math.NaN(), bson.MinKey{}, bson.MaxKey{}, bson.JavaScript("x"), bson.Timestamp{T: 1}} {
				db.insert(t, "ids", bson.D{{Key: "_id", Value: id}})
			}
		}},
		{Name: "odd documents", Fill: func(t *testing.T, db *testDB) {
			db.insert(
				t, "odd",
				bson.D{{Key: "_id", Value: 1}, {Key: "a", Value: 1}, {Key: "a", Value: 2}},
				bson.D{{Key: "_id", Value: 2}, {Key: "", Value: 1}, {Key: "a.b", Value: 2}, {Key: "x", Value: bson.D{{Key: "$y", Value: 3}, {Key: " ", Value: 4}}}},
				bson.D{{Key: "_id", Value: 3}, {Key: "deep", Value: nested(90)}},
				bson.D{{Key: "z", Value: 1}, {Key: "_id", Value: 4}},
			)
		}},
		{Name: "a document of 16 MB", Fill: func(t *testing.T, db *testDB) {
			doc := bson.D{{Key: "_id", Value: 1}, {Key: "text", Value: ""}}
			empty, err := bson.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			doc[1].Value = strings.Repeat("x", 16<<20-len(empty))
			db.insert(t, "largest", doc)
		}},
		{Name: "indexes", Fill: func(t *testing.T, db *testDB) {
			db.insert(t, "c", bson.D{{Key: "_id", Value: 1}, {Key: "b", Value: 1}, {Key: "a", Value: 2}})
			db.run(t, bson.D{{Key: "createIndexes", Value: "c"}, {Key: "indexes", Value: bson.A{
				bson.D{{Key: "key", Value: bson.D{{Key: "b", Value: 1}, {Key: "a", Value: -1}}}, {Key: "name", Value: "b and a"}},
				bson.D{{Key: "key", Value: bson.D{{Key: "a", Value: 1}}}, {Key: "name", Value: "a_1"}, {Key: "unique", Value: true}},
				bson.D{{Key: "key", Value: bson.D{{Key: "c", Value: 1}}}, {Key: "name", Value: "expiring"}, {Key: "expireAfterSeconds", Value: 1 << 30}},
				bson.D{{Key: "key", Value: bson.D{{Key: "d", Value: 1}}}, {Key: "name", Value: "partial"}, {Key: "partialFilterExpression", Value: bson.D{{Key: "d", Value: bson.D{{Key: "$gt", Value: 5}}}}}},
				bson.D{{Key: "key", Value: bson.D{{Key: "e", Value: "hashed"}}}, {Key: "name", Value: "hashed"}},
				bson.D{{Key: "key", Value: bson.D{{Key: "f", Value: "2dsphere"}}}, {Key: "name", Value: "sphere"}},
				bson.D{{Key: "key", Value: bson.D{{Key: "g", Value: 1}}}, {Key: "name", Value: "sparse"}, {Key: "sparse", Value: true}},
				bson.D{{Key: "key", Value: bson.D{{Key: "$**", Value: 1}}}, {Key: "name", Value: "wildcard"}},
			}}})
		}},
	}...)
}

// commonValues are of the types that FerretDB v1 keeps.
func commonValues() []any {
	return []any{
		0.0, math.Copysign(0, -1), 1.5, math.MaxFloat64, math.SmallestNonzeroFloat64,
		"", "text", "a\x00b", "\u2028 ünï 🎉",
		bson.D{},
		bson.D{{Key: "b", Value: 1}, {Key: "a", Value: bson.D{{Key: "c", Value: nil}}}},
		bson.A{},
		bson.A{1, "two", nil, bson.D{{Key: "x", Value: bson.A{}}}},
		bson.Binary{},
		bson.Binary{Subtype: 0, Data: []byte{0, 1, 255}},
		bson.Binary{Subtype: 4, Data: make([]byte, 16)},
		bson.Binary{Subtype: 0x80, Data: []byte("u")},
		bson.ObjectID{},
		bson.NewObjectIDFromTimestamp(time.Unix(1_700_000_000, 0)),
		true, false, nil,
		time.UnixMilli(0), time.UnixMilli(-1), time.UnixMilli(1_700_000_000_123),
		bson.Regex{Pattern: "^a.*b$", Options: "i"},
		bson.Regex{},
		int32(0), int32(math.MinInt32), int32(math.MaxInt32),
		int64(0), int64(math.MinInt64), int64(math.MaxInt64),
		bson.Timestamp{},
		bson.Timestamp{T: 1, I: 2},
		bson.Timestamp{T: math.MaxUint32, I: math.MaxUint32},
	}
}

// otherValues are of the types that FerretDB v1 refuses.
func otherValues() []any {
	return []any{
		math.NaN(), math.Float64frombits(0xfff8_0000_0000_0001), math.Inf(1), math.Inf(-1),
		bson.A{bson.A{bson.A{}}, bson.A{1, bson.A{2.0, nil}}},
		bson.Undefined{},
		bson.DBPointer{DB: "db.c", Pointer: bson.ObjectID{1}},
		bson.JavaScript("f()"), bson.Symbol("s"),
		bson.CodeWithScope{Code: "f(x)", Scope: bson.D{{Key: "x", Value: 1}}},
		decimal("0"), decimal("-1.000"), decimal("9.999999999999999999999999999999999E+6144"), decimal("NaN"), decimal("-Infinity"),
		bson.MinKey{},
		bson.MaxKey{},
		bson.Binary{Subtype: 2, Data: []byte{1, 2}},
		bson.Binary{Subtype: 3, Data: make([]byte, 16)},
		bson.Binary{Subtype: 9, Data: []byte{0x10, 0}},
		bson.Regex{Pattern: "a", Options: "imsx"},
	}
}

func decimal(text string) bson.Decimal128 {
	d, err := bson.ParseDecimal128(text)
	if err != nil {
		panic(err)
	}
	return d
}

func nested(depth int) bson.D {
	if depth == 0 {
		return bson.D{}
	}
	return bson.D{{Key: "x", Value: nested(depth - 1)}}
}
