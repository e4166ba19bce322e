package mongo

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

// Survey connects to the server, finds out what would be dumped, and ends the
// connection: what makes every dump fail from the start fails here, before
// anything else is begun. See dump.Survey.
func (s *Source) Survey(ctx context.Context) (dump.Survey, error) {
	found, err := s.survey(ctx)
	if err != nil {
		return dump.Survey{}, fmt.Errorf("dump %s: %w", s.name(), s.withGrant(err))
	}
	return found, nil
}

func (s *Source) survey(ctx context.Context) (dump.Survey, error) {
	c, err := s.cfg.Connect(ctx)
	if err != nil {
		return dump.Survey{}, err
	}
	defer c.Close(ctx)
	q := &inquiry{Source: s, conn: c, quiet: true}
	all, err := q.list(ctx)
	if err != nil {
		return dump.Survey{}, err
	}
	if err := q.nothing(ctx, all); err != nil {
		return dump.Survey{}, err
	}
	return dump.Survey{Source: q.source(ctx), Empty: !slices.ContainsFunc(all, s.isContent)}, nil
}

// isContent tells what somebody put into a database from what each server has
// from its first start, and from the users that are made before all else: a
// server with nothing besides has lost its data, or is another one.
func (s *Source) isContent(c *collection) bool {
	switch s.cfg.Database {
	case "admin", "config":
		return true
	}
	return !namespace.IsAuth(c.DB, c.Name) && c.DB != "config"
}

// nothing refuses a dump that would hold nothing, unless that is allowed.
func (q *inquiry) nothing(ctx context.Context, all []*collection) error {
	if q.cfg.AllowEmpty || slices.ContainsFunc(all, q.isContent) {
		return nil
	}
	e := &dump.EmptyError{Asked: "all databases"}
	if q.cfg.Database != "" {
		e.Asked = "database " + shown.Name(q.cfg.Database)
	}
	if !q.filter.All() {
		e.Asked = q.filter.String() + " of " + strings.TrimPrefix(e.Asked, "all ")
		every := *q.Source
		every.filter = namespace.Filter{}
		if unfiltered, err := (&inquiry{Source: &every, conn: q.conn, quiet: true}).list(ctx); err == nil {
			for _, c := range unfiltered {
				if every.isContent(c) {
					e.There = append(e.There, c.Namespace())
				}
			}
		}
	}
	if len(e.There) == 0 { // what there is instead of the database, as far as the user sees it
		names, err := databaseNames(ctx, q.conn, nil)
		if err == nil {
			e.There = slices.DeleteFunc(names, func(name string) bool {
				return name == q.cfg.Database || name == "admin" || name == "config"
			})
		}
	}
	return e
}

// warnOfUnmatched tells of patterns that select nothing, where others do.
func (q *inquiry) warnOfUnmatched(all []*collection) {
	for _, p := range q.filter.Include {
		if !slices.ContainsFunc(all, func(c *collection) bool { return p.Matches(c.Namespace()) }) {
			q.warn(fmt.Sprintf("include %s matches no collection", shown.Name(p.Text)))
		}
	}
}

// source names the database, see dump.Survey.
//
// What a deployment has of its own from its first start, the same on each of its
// members and on every mongos, is the UUID of admin.system.version: the collection
// is made with the deployment and replicated like all others. Who may not list
// admin, as with the role read of one database, sees the set's name alone, and of
// a single server nothing. FerretDB has neither.
func (q *inquiry) source(ctx context.Context) string {
	id := ""
	if uuid := q.versionUUID(ctx); uuid != "" {
		id = "uuid:" + uuid
	} else if q.conn.Info.Set != "" && !q.conn.Info.Mongos {
		id = "set:" + dump.PlainName(q.conn.Info.Set)
	}
	if id == "" {
		return ""
	}
	id = "mongodb:" + id
	if q.cfg.Database != "" {
		id += "/" + dump.PlainName(q.cfg.Database)
	}
	return id
}

func (q *inquiry) versionUUID(ctx context.Context) (uuid string) {
	command := bson.D{
		{Key: "listCollections", Value: 1},
		{Key: "filter", Value: bson.D{{Key: "name", Value: "system.version"}}},
		{Key: "cursor", Value: bson.D{}},
	}
	err := q.conn.Each(ctx, "admin", command, func(doc bson.Raw) error {
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
