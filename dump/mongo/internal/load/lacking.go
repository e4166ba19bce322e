package load

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A need is what a collection's definition has that not every server knows.
type need struct {
	what  string
	since version.Number
	in    func(options bson.Raw) bool // nil: no option says it
	index func(index bson.Raw) bool   // nil: no index does
}

// needs are those of servers that this program dumps: what all of them since 5.0 know is none.
var needs = []need{
	{what: "clustered collections", since: version.Number{5, 3}, in: has("clusteredIndex")},
	{what: "pre- and post-images of change streams", since: version.Number{6}, in: has("changeStreamPreAndPostImages")},
	{what: "encrypted fields", since: version.Number{6}, in: has("encryptedFields")},
	{what: "spans of a time series' buckets of one's own", since: version.Number{6, 3}, in: has("timeseries", "bucketMaxSpanSeconds")},
	{what: "indexes that are prepared to be unique", since: version.Number{6}, index: has("prepareUnique")},
	{what: "wildcard indexes with other fields", since: version.Number{7}, index: isCompoundWildcard},
}

func has(path ...string) func(bson.Raw) bool {
	return func(doc bson.Raw) bool {
		_, err := doc.LookupErr(path...)
		return err == nil
	}
}

func isCompoundWildcard(index bson.Raw) bool {
	key, _ := index.Lookup("key").DocumentOK()
	fields, err := key.Elements()
	return err == nil && len(fields) > 1 && document.Has(key, "$**")
}

// of tells whether a collection has it.
func (n need) of(t *target) bool {
	return n.in != nil && n.in(t.metadata.Options) || n.index != nil && slices.ContainsFunc(t.metadata.Indexes, n.index)
}

// lacking says what of the dump's definitions the server does not know, by its version, as far as
// that can be said before it is asked for them.
func (s *loading) lacking(ctx context.Context) (all []string) {
	say := func(what string, of func(*target) bool) {
		var names []string
		for _, t := range s.plan {
			if of(t) {
				names = append(names, t.namespace())
			}
		}
		if len(names) > 0 {
			all = append(all, what+": "+shown.Names(names))
		}
	}
	if !s.conn.Info.Mongod {
		say("views, which FerretDB does not have", func(t *target) bool { return t.kind == targetView })
		say("time series, which FerretDB does not have", func(t *target) bool { return t.kind == targetTimeSeries })
		if s.replays {
			all = append(all, "the command applyOps, by which an oplog is played")
		}
	}
	level, limit := s.level(ctx)
	for _, n := range needs {
		if s.conn.Info.Mongod && !level.AtLeast(n.since) {
			say(fmt.Sprintf("%s, which MongoDB has since %d.%d, and %s", n.what, n.since[0], n.since[1], limit), n.of)
		}
	}
	if !s.conn.Info.Mongos {
		say("a sharded cluster, without which this is in one place", func(t *target) bool {
			return document.Has(t.metadata.Sharding, "key")
		})
	}
	say("options that this program does not know, and perhaps not the server", func(t *target) bool {
		return len(definition.UnknownOptions(t.metadata.Options)) > 0
	})
	return all
}

// level is up to which version the server has what its version brings: an upgrade is over only when
// its feature compatibility version was raised. limit says what sets it.
func (s *loading) level(ctx context.Context) (_ version.Number, limit string) {
	var answer struct {
		FCV struct {
			Version string `bson:"version"`
		} `bson:"featureCompatibilityVersion"`
	}
	level := s.conn.Info.Version
	limit = "the server is " + s.conn.Info.Text
	err := s.run(ctx, "admin", bson.D{{Key: "getParameter", Value: 1}, {Key: "featureCompatibilityVersion", Value: 1}}, &answer)
	if fcv := version.Parse(answer.FCV.Version); err == nil && fcv != (version.Number{}) && !fcv.AtLeast(version.Number{level[0], level[1]}) {
		return fcv, "the server's feature compatibility version is " + answer.FCV.Version
	}
	return level, limit
}
