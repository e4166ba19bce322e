package definition

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
)

// IndexSpec is what makes an index that a server has listed so.
//
// The simple collation is not listed before 9.0, but an index without a collation takes on that of
// its collection. Since 9.0 it is listed, even where an index is of version 1, for which no server
// allows one.
func IndexSpec(index bson.Raw, collated bool) (bson.D, error) {
	elements, err := index.Elements()
	if err != nil {
		return nil, err
	}
	version, _ := index.Lookup("v").AsInt64OK()
	var d bson.D
	for _, e := range elements {
		switch {
		case slices.Contains(ownIndexOptions, e.Key()):
		case e.Key() == "v" && version == 2: // what a server makes of its own accord, but not all know the word
		case e.Key() == "collation" && version == 1:
		default:
			d = append(d, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	if collated && version != 1 && !document.Has(index, "collation") {
		d = append(d, bson.E{Key: "collation", Value: bson.D{{Key: "locale", Value: "simple"}}})
	}
	return d, nil
}

// HasCollation tells whether a collection has a collation that its indexes take on.
func HasCollation(options bson.Raw) bool {
	locale, ok := options.Lookup("collation", "locale").StringValueOK()
	return ok && locale != "simple"
}

// IsIDIndex tells whether an index is that of _id, which there is one of.
func IsIDIndex(index bson.Raw) bool {
	key, ok := index.Lookup("key").DocumentOK()
	return ok && IsIDKey(key)
}

// IsIDKey tells whether a key is that of the index of _id.
func IsIDKey(key bson.Raw) bool {
	fields, err := key.Elements()
	if err != nil || len(fields) != 1 || fields[0].Key() != "_id" {
		return false
	}
	_, isText := fields[0].Value().StringValueOK() // a hashed one may be there as well
	return !isText
}

// IndexName is the name of an index; empty: it has none.
func IndexName(index bson.Raw) string {
	name, _ := index.Lookup("name").StringValueOK()
	return name
}

// BeginsWith tells whether the fields of an index's key begin with those of a key.
func BeginsWith(index, key bson.Raw) bool {
	whole, _ := index.Lookup("key").DocumentOK()
	fields, err := whole.Elements()
	start, err2 := key.Elements()
	if err != nil || err2 != nil || len(fields) < len(start) {
		return false
	}
	return slices.EqualFunc(fields[:len(start)], start, func(a, b bson.RawElement) bool {
		x, xIsNumber := a.Value().AsFloat64OK()
		y, yIsNumber := b.Value().AsFloat64OK()
		return a.Key() == b.Key() && (a.Value().Equal(b.Value()) || xIsNumber && yIsNumber && x == y)
	})
}

// indexKinds are what an index's key may have in the place of a direction.
var indexKinds = []string{"text", "2d", "2dsphere", "hashed", "columnstore", "queryable_encrypted_range", "geoHaystack"}

// UnknownKind is what an index is, unless that is known.
func UnknownKind(index bson.Raw) string {
	key, _ := index.Lookup("key").DocumentOK()
	fields, _ := key.Elements()
	for _, f := range fields {
		if kind, ok := f.Value().StringValueOK(); ok && !slices.Contains(indexKinds, kind) {
			return kind
		}
	}
	return ""
}
