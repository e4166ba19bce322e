package scratch

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestParse(t *testing.T) {
	for question, want := range map[string]string{
		`{"find": "a", "limit": {"$numberLong": "3"}, "batchSize": 100, "tailable": true}`: `{"find":"a","limit":3,"singleBatch":true,"batchSize":1,"maxTimeMS":2000}`,
		`{"aggregate": "a", "pipeline": [], "cursor": {"batchSize": 9}, "maxTimeMS": 0}`:   `{"aggregate":"a","pipeline":[],"cursor":{"batchSize":1},"maxTimeMS":2000}`,
		`{"count": "a"}`: `{"count":"a","maxTimeMS":2000}`,
		`{"Count": "a"}`: "", `[]`: "", `"count"`: "", `{"count": "a"}{}`: "", `{"query": {}, "count": "a"}`: "", `{"count": "a", "lsid": {}}`: "",
		`{"aggregate": 1, "pipeline": [{"$lookup": {"pipeline": [{"$out": "a"}]}}]}`: "",
	} {
		command, err := parse(question, 2*time.Second)
		if want == "" {
			if err == nil {
				t.Errorf("%s is %v", question, command)
			}
			continue
		}
		if got, jsonErr := bson.MarshalExtJSON(command, false, false); err != nil || jsonErr != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want: %s", question, got, err, want)
		}
	}
}

func TestText(t *testing.T) {
	number, _ := bson.ParseDecimal128("1.50")
	for want, value := range map[string]any{
		"a b": "a b", "true": true, "1000000": 1e6, "0.1": 0.1, "7": int32(7), "8": int64(8), "1.50": number,
		"2026-12-01T01:02:03.004Z": time.Date(2026, 12, 1, 1, 2, 3, 4e6, time.UTC), `{"a":[1]}`: bson.D{{Key: "a", Value: bson.A{1}}},
	} {
		kind, data, err := bson.MarshalValue(value)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := text(bson.RawValue{Type: kind, Value: data}); err != nil || got != want {
			t.Errorf("%v: %s, %v, want: %s", value, got, err, want)
		}
	}
	if got, err := text(bson.RawValue{Type: bson.TypeNull}); err != nil || got != "null" {
		t.Errorf("%s, %v", got, err)
	}
}
