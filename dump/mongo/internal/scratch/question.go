package scratch

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// cursors are the commands that may be asked and answer with documents, answers those that answer
// with one: none of them writes, but aggregate by its last stage.
var (
	cursors = []string{"aggregate", "find", "listCollections", "listIndexes"}
	answers = []string{"collStats", "count", "dataSize", "dbStats", "distinct"}
)

// own are fields of a command that the program itself sets, or that nobody does who only asks.
var own = []string{"autocommit", "awaitData", "batchSize", "cursor", "lsid", "maxTimeMS", "noCursorTimeout", "singleBatch", "startTransaction", "tailable", "txnNumber", "writeConcern"}

// parse reads a question, and bounds it: of documents one is asked for, and of time what there is.
func parse(question string, left time.Duration) (command bson.D, err error) {
	if !json.Valid([]byte(question)) { // the driver would pass over what stands behind a document
		return nil, errors.New("it is no document in JSON")
	}
	if err := bson.UnmarshalExtJSON([]byte(question), false, &command); err != nil {
		return nil, err
	}
	if len(command) == 0 {
		return nil, errors.New("it is an empty document")
	}
	name := command[0].Key
	if !slices.Contains(cursors, name) && !slices.Contains(answers, name) {
		return nil, fmt.Errorf("%q is none of the commands that may be asked: %s", name, strings.Join(slices.Sorted(slices.Values(slices.Concat(cursors, answers))), ", "))
	}
	for _, e := range command[1:] {
		if strings.HasPrefix(e.Key, "$") || slices.Contains([]string{"lsid", "txnNumber", "writeConcern"}, e.Key) {
			return nil, fmt.Errorf("%q is no part of a question", e.Key)
		}
	}
	if stage := writes(command); stage != "" {
		return nil, fmt.Errorf("its stage %s writes", stage)
	}
	command = slices.DeleteFunc(command, func(e bson.E) bool { return slices.Contains(own, e.Key) })
	switch name {
	case "find":
		command = append(command, bson.E{Key: "singleBatch", Value: true}, bson.E{Key: "batchSize", Value: int32(1)})
	case "aggregate", "listCollections", "listIndexes":
		command = append(command, bson.E{Key: "cursor", Value: bson.D{{Key: "batchSize", Value: int32(1)}}})
	}
	if left > 0 {
		command = append(command, bson.E{Key: "maxTimeMS", Value: left.Milliseconds()})
	}
	return command, nil
}

// writes returns the stage by which an aggregation writes, wherever it stands.
func writes(value any) string {
	switch v := value.(type) {
	case bson.D:
		for _, e := range v {
			if e.Key == "$out" || e.Key == "$merge" {
				return e.Key
			}
			if stage := writes(e.Value); stage != "" {
				return stage
			}
		}
	case bson.A:
		for _, e := range v {
			if stage := writes(e); stage != "" {
				return stage
			}
		}
	}
	return ""
}

// first is the value of a document that answers: the first one but _id, or that where there is no
// other.
func first(doc bson.Raw) (bson.RawValue, bool) {
	elements, err := doc.Elements()
	if err != nil || len(elements) == 0 {
		return bson.RawValue{}, false
	}
	for _, e := range elements {
		if e.Key() != "_id" {
			return e.Value(), true
		}
	}
	return elements[0].Value(), true
}

// ofAnswer is the value of a command's answer: n of count, the first of distinct's values, and of
// all else ok, which says that it was done.
func ofAnswer(answer bson.Raw) (bson.RawValue, bool) {
	if n, err := answer.LookupErr("n"); err == nil {
		return n, true
	}
	if values, ok := answer.Lookup("values").ArrayOK(); ok {
		all, err := values.Values()
		if err != nil || len(all) == 0 {
			return bson.RawValue{}, false
		}
		return all[0], true
	}
	n, err := answer.LookupErr("ok")
	return n, err == nil
}

// text is a value as people write it: numbers alike whatever their kind, and a document as JSON.
func text(v bson.RawValue) (string, error) {
	switch v.Type {
	case bson.TypeString:
		return v.StringValue(), nil
	case bson.TypeBoolean:
		return fmt.Sprint(v.Boolean()), nil
	case bson.TypeInt32:
		return fmt.Sprint(v.Int32()), nil
	case bson.TypeInt64:
		return fmt.Sprint(v.Int64()), nil
	case bson.TypeDouble:
		return strconv.FormatFloat(v.Double(), 'f', -1, 64), nil
	case bson.TypeDecimal128:
		return v.Decimal128().String(), nil
	case bson.TypeObjectID:
		return v.ObjectID().Hex(), nil
	case bson.TypeDateTime:
		return v.Time().UTC().Format("2006-01-02T15:04:05.000Z"), nil
	case bson.TypeNull, bson.TypeUndefined:
		return "null", nil
	}
	raw, err := bson.MarshalExtJSON(bson.D{{Key: "v", Value: v}}, false, false)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(raw), `{"v":`), "}"), nil
}
