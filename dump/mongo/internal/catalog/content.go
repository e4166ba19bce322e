package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// IsContent tells what somebody put into a database from what each server has from its first start,
// and from the users that are made before all else: a server with nothing besides has lost its
// data, or is another one.
func (c Choice) IsContent(coll *Collection) bool {
	switch c.Database {
	case "admin", "config":
		return true
	}
	return !namespace.IsAuth(coll.DB, coll.Name) && coll.DB != "config"
}

// RefuseNothing refuses a dump that would hold nothing, unless that is allowed.
func (q *Inquiry) RefuseNothing(ctx context.Context, all []*Collection) error {
	if q.AllowEmpty || slices.ContainsFunc(all, q.IsContent) {
		return nil
	}
	e := &dump.EmptyError{Asked: "all databases"}
	if q.Database != "" {
		e.Asked = "database " + shown.Name(q.Database)
	}
	if !q.Filter.All() {
		e.Asked = q.Filter.String() + " of " + strings.TrimPrefix(e.Asked, "all ")
		every := &Inquiry{Conn: q.Conn, Choice: q.Choice}
		every.Filter = namespace.Filter{}
		if unfiltered, err := every.List(ctx); err == nil {
			for _, c := range unfiltered {
				if every.IsContent(c) {
					e.There = append(e.There, c.Namespace())
				}
			}
		}
	}
	if len(e.There) == 0 { // what there is instead of the database, as far as the user sees it
		names, err := databaseNames(ctx, q.Conn, nil)
		if err == nil {
			e.There = slices.DeleteFunc(names, func(name string) bool {
				return name == q.Database || name == "admin" || name == "config"
			})
		}
	}
	return e
}

// warnOfUnmatched tells of patterns that select nothing, where others do.
func (q *Inquiry) warnOfUnmatched(all []*Collection) {
	for _, p := range q.Filter.Include {
		if !slices.ContainsFunc(all, func(c *Collection) bool { return p.Matches(c.Namespace()) }) {
			q.Warn(fmt.Sprintf("include %s matches no collection", shown.Name(p.Text)))
		}
	}
}

// Source names the database, see dump.Survey.
//
// What a deployment has of its own from its first start, the same on each of its members and on
// every mongos, is the UUID of admin.system.version: the collection is made with the deployment and
// replicated like all others. Who may not list admin, as with the role read of one database, sees
// the set's name alone, and of a single server nothing. FerretDB has neither.
func (q *Inquiry) Source(ctx context.Context) string {
	id := ""
	if uuid := q.versionUUID(ctx); uuid != "" {
		id = "uuid:" + uuid
	} else if q.Conn.Info.Set != "" && !q.Conn.Info.Mongos {
		id = "set:" + dump.PlainName(q.Conn.Info.Set)
	}
	if id == "" {
		return ""
	}
	id = "mongodb:" + id
	if q.Database != "" {
		id += "/" + dump.PlainName(q.Database)
	}
	return id
}

func (q *Inquiry) versionUUID(ctx context.Context) (uuid string) {
	command := bson.D{
		{Key: "listCollections", Value: 1},
		{Key: "filter", Value: bson.D{{Key: "name", Value: "system.version"}}},
		{Key: "cursor", Value: bson.D{}},
	}
	err := q.Conn.Each(ctx, "admin", command, func(doc bson.Raw) error {
		name, _ := doc.Lookup("name").StringValueOK()
		if _, id, ok := doc.Lookup("info", "uuid").BinaryOK(); ok && name == "system.version" {
			uuid = fmt.Sprintf("%x", id)
		}
		return nil
	})
	if err != nil {
		return ""
	}
	return uuid
}
