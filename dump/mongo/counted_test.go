package mongo

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
)

// FerretDB reads all that it counts, so it is asked to only where its statistics have another
// number than went in.
func TestCountByStatistics(t *testing.T) {
	for name, test := range map[string]struct {
		statistics any
		counted    int
		counts     int // how often it is asked to count
		want       string
	}{
		"the right number":      {bson.D{{Key: "ok", Value: 1}, {Key: "count", Value: int64(9)}}, 7, 0, ""},
		"a guess":               {bson.D{{Key: "ok", Value: 1}, {Key: "count", Value: int64(8)}}, 9, 1, ""},
		"a guess, and it lacks": {bson.D{{Key: "ok", Value: 1}, {Key: "count", Value: int64(7)}}, 7, 1, "app.c: it holds 7 documents after 9 were inserted"},
		"no number":             {bson.D{{Key: "ok", Value: 1}, {Key: "count", Value: "nine"}}, 9, 1, ""},
		"no statistics":         {failure(59, "no such command"), 9, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			to := startFake(t)
			to.handle("buildInfo", func(string, bson.Raw) any {
				return bson.D{{Key: "ok", Value: 1}, {Key: "version", Value: "7.0.77"}, {Key: "ferretdbVersion", Value: "v1.24.0"}}
			})
			to.handle("collStats", func(string, bson.Raw) any { return test.statistics })
			to.handle("count", func(string, bson.Raw) any { return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: test.counted}} })
			_, err := loadFake(t, to, LoadConfig{}, archiveOf(t, []archive.Collection{{DB: "app", Name: "c", Type: "collection"}}, numbered(9)))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if n := len(to.sent("count")); n != test.counts {
				t.Errorf("it is asked to count %d times, want %d", n, test.counts)
			}
		})
	}
}
