// Package document looks into BSON documents that are otherwise passed on as the bytes that they
// are, and puts together small ones of their elements. It knows nothing of what they say.
package document

import (
	"bytes"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Empty is a document without fields.
var Empty = []byte{5, 0, 0, 0, 0}

// Has tells whether a document has a field.
func Has(doc bson.Raw, key string) bool {
	_, err := doc.LookupErr(key)
	return err == nil
}

// True tells whether a field is true, as MongoDB takes numbers for that.
func True(doc bson.Raw, key string) bool {
	v, err := doc.LookupErr(key)
	if err != nil {
		return false
	}
	if b, ok := v.BooleanOK(); ok {
		return b
	}
	n, ok := v.AsInt64OK()
	return ok && n != 0
}

// Unlisted returns the names of a document's fields that are in none of the lists.
func Unlisted(doc bson.Raw, lists ...[]string) []string {
	elements, _ := doc.Elements()
	var names []string
	for _, e := range elements {
		if !slices.ContainsFunc(lists, func(list []string) bool { return slices.Contains(list, e.Key()) }) {
			names = append(names, e.Key())
		}
	}
	return names
}

// Of makes a document of elements.
func Of(elements []bson.RawElement) (bson.Raw, error) {
	d := bson.D{} // which is a document also without elements
	for _, e := range elements {
		d = append(d, bson.E{Key: e.Key(), Value: e.Value()})
	}
	return bson.Marshal(d)
}

// Equal tells of two that are the same, to the byte.
func Equal(a, b bson.Raw) bool { return bytes.Equal(a, b) }

// MostDepth is how deep an option may be nested. A server allows 250; what is deeper is there to
// keep its reader busy.
const MostDepth = 300

// Deeper tells whether documents and arrays within a document are nested deeper than most.
func Deeper(doc bson.Raw, most int) bool {
	if most == 0 {
		return true
	}
	elements, _ := doc.Elements()
	return slices.ContainsFunc(elements, func(e bson.RawElement) bool {
		if inner, ok := e.Value().DocumentOK(); ok {
			return Deeper(inner, most-1)
		}
		inner, ok := e.Value().ArrayOK()
		return ok && Deeper(bson.Raw(inner), most-1)
	})
}
