package definition

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// Servers before 3.4 took nearly anything for an index, kept it as it was written, and made of it
// what they could; servers of today list such an index as it stands and take it from nobody. What
// it has been all along is put in its place here, as far as mongorestore infers it or does so with
// --convertLegacyIndexes:
//
//   - a value of the key that is neither a number but 0 nor text was ascending,
//   - an option that is true or false was true if it was anything,
//   - a 2dsphere index of 2.4 has no version, which is its version: 1,
//   - version 0 of an index is made by nobody, and is the server's own choice then,
//   - two that have become the same are one.
//
// Indexes of version 1, which servers still make with whatever values but documents and arrays,
// stay as they are. So do hashed indexes of fields of embedded documents, which servers make: what
// --fixDottedHashIndex makes of them is another index.

// ModernIndexes returns what makes the indexes today, and what people should know of that. Those
// that need nothing are as they were.
func ModernIndexes(indexes []bson.Raw) (modern []bson.Raw, notes []string, err error) {
	converted := make([][]string, len(indexes))
	definitions := make([]string, len(indexes))
	made := map[string]int{} // of each definition the index that is made: the first, or the first that was one all along
	for i, index := range indexes {
		var changed bson.Raw
		if changed, converted[i], err = modernIndex(index); err == nil {
			definitions[i], err = withoutName(changed)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("index %s: %w", shown.Name(IndexName(index)), err)
		}
		modern = append(modern, changed)
		if other, twice := made[definitions[i]]; !twice || len(converted[i]) == 0 && len(converted[other]) > 0 {
			made[definitions[i]] = i
		}
	}
	all := modern
	modern = nil
	for i, index := range all {
		name := shown.Name(IndexName(index))
		switch other := made[definitions[i]]; {
		case len(converted[i]) == 0:
			modern = append(modern, index)
		case other != i:
			notes = append(notes, fmt.Sprintf("index %s is left out, as it is another name of %s", name, shown.Name(IndexName(all[other]))))
		default:
			modern = append(modern, index)
			notes = append(notes, fmt.Sprintf("index %s says what servers no longer take, and is made as its own took it: %s", name, shown.Names(converted[i])))
		}
	}
	return modern, notes, nil
}

// modernIndex returns what makes an index today, and what of it is not as it was.
func modernIndex(index bson.Raw) (modern bson.Raw, what []string, err error) {
	elements, err := index.Elements()
	if err != nil {
		return nil, nil, err
	}
	version, hasVersion := index.Lookup("v").AsInt64OK()
	var d bson.D
	for _, e := range elements {
		key, value := e.Key(), e.Value()
		switch {
		case key == "key":
			fields, converted, err := modernKey(value, hasVersion && version == 1)
			if err != nil {
				return nil, nil, err
			}
			d = append(d, bson.E{Key: key, Value: fields})
			what = append(what, converted...)
		case key == "v" && version < 1:
			what = append(what, key)
		case slices.Contains(booleanIndexOptions, key) && !isBoolean(value):
			d = append(d, bson.E{Key: key, Value: value.Type != bson.TypeNull && value.Type != bson.TypeUndefined})
			what = append(what, key)
		case key == "expireAfterSeconds" && !value.IsNumber(): // by which nothing ever expired
			what = append(what, key)
		default:
			d = append(d, bson.E{Key: key, Value: value})
		}
	}
	if version < 2 && isSphere(index) && !document.Has(index, sphereVersion) {
		d = append(d, bson.E{Key: sphereVersion, Value: int32(1)})
		what = append(what, sphereVersion)
	}
	if len(what) == 0 {
		return index, nil, nil
	}
	modern, err = bson.Marshal(d)
	return modern, what, err
}

// booleanIndexOptions are options that are true or false; numbers are as well.
var booleanIndexOptions = []string{"unique", "sparse", "background", "dropDups"}

func isBoolean(v bson.RawValue) bool { return v.Type == bson.TypeBoolean || v.IsNumber() }

const sphereVersion = "2dsphereIndexVersion"

func isSphere(index bson.Raw) bool {
	key, _ := index.Lookup("key").DocumentOK()
	fields, _ := key.Elements()
	return slices.ContainsFunc(fields, func(f bson.RawElement) bool {
		kind, _ := f.Value().StringValueOK()
		return kind == "2dsphere"
	})
}

// modernKey returns an index's key as servers take it today, and the fields whose values have
// become 1.
func modernKey(key bson.RawValue, versionOne bool) (fields bson.D, converted []string, err error) {
	doc, ok := key.DocumentOK()
	if !ok {
		return nil, nil, errors.New("its key is no document")
	}
	elements, err := doc.Elements()
	if err != nil {
		return nil, nil, err
	}
	fields = bson.D{}
	for _, f := range elements {
		value := f.Value()
		if isDirection(value) || versionOne && value.Type != bson.TypeEmbeddedDocument && value.Type != bson.TypeArray {
			fields = append(fields, bson.E{Key: f.Key(), Value: value})
			continue
		}
		fields = append(fields, bson.E{Key: f.Key(), Value: int32(1)})
		converted = append(converted, "key "+f.Key())
	}
	return fields, converted, nil
}

// isDirection tells whether servers of today take a value of an index's key.
func isDirection(v bson.RawValue) bool {
	if text, ok := v.StringValueOK(); ok {
		return text != ""
	}
	if n, ok := v.DoubleOK(); ok {
		return n != 0 && !math.IsNaN(n)
	}
	if d, ok := v.Decimal128OK(); ok {
		n, _, err := d.BigInt()
		return err != nil && !d.IsNaN() || err == nil && n.Sign() != 0
	}
	n, ok := v.AsInt64OK()
	return ok && n != 0
}

// withoutName is an index but for its name, as bytes to compare.
func withoutName(index bson.Raw) (string, error) {
	elements, err := index.Elements()
	if err != nil {
		return "", err
	}
	elements = slices.DeleteFunc(elements, func(e bson.RawElement) bool { return slices.Contains([]string{"name", "ns", "v"}, e.Key()) })
	raw, err := document.Of(elements)
	return string(raw), err
}
