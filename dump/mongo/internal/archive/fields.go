package archive

import (
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// fields are the values of a small document of the archive's own. Its methods take one each; done
// tells what was missing, of another type, or left over.
type fields struct {
	values map[string]bson.RawValue
	err    error
}

// mostFields is more than any document of the archive's own has.
const mostFields = 16

func decodeFields(doc []byte) (*fields, error) {
	f := &fields{values: map[string]bson.RawValue{}}
	for rest := doc[4 : len(doc)-1]; len(rest) > 0; {
		element, after, ok := bsoncore.ReadElement(rest)
		if !ok {
			return nil, errors.New("decode: it is no document")
		}
		value, err := bson.RawElement(element).ValueErr()
		if err != nil {
			return nil, fmt.Errorf("decode: %w", err)
		}
		if f.values[element.Key()] = value; len(f.values) > mostFields {
			return nil, fmt.Errorf("decode: it has more than %d fields", mostFields)
		}
		rest = after
	}
	return f, nil
}

func (f *fields) take(key string, want bson.Type) bson.RawValue {
	v, ok := f.values[key]
	if (!ok || v.Type != want) && f.err == nil {
		f.err = fmt.Errorf("want a %v %q", want, key)
	}
	delete(f.values, key)
	return v
}

func (f *fields) has(key string) bool {
	_, ok := f.values[key]
	return ok
}

func (f *fields) string(key string) string {
	s, _ := f.take(key, bson.TypeString).StringValueOK()
	return s
}

func (f *fields) int32(key string) int32 {
	n, _ := f.take(key, bson.TypeInt32).Int32OK()
	return n
}

func (f *fields) int64(key string) int64 {
	n, _ := f.take(key, bson.TypeInt64).Int64OK()
	return n
}

func (f *fields) bool(key string) bool {
	b, _ := f.take(key, bson.TypeBoolean).BooleanOK()
	return b
}

func (f *fields) done() error {
	for key := range f.values {
		if f.err == nil {
			f.err = fmt.Errorf("there is an unknown field %q", key)
		}
	}
	return f.err
}
