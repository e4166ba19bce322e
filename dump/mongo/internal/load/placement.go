package load

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// A placement is what is dropped for a dump where it goes. place alone makes one, by the plan that
// says for each collection where that is: what is dropped and what people are told go by it.
type placement struct {
	drop   []*target
	target dump.Target
}

// place says what is where the dump goes. It returns what stands in the way as an error, in any
// database, and changes nothing.
func (s *loading) place(ctx context.Context) (placement, error) {
	mine := map[string][]string{} // names by database
	for _, t := range s.plan {
		mine[t.db] = append(mine[t.db], t.name)
	}
	p := placement{target: dump.Target{Server: s.cfg.Server.Address(), Database: s.cfg.Database, Databases: slices.Sorted(maps.Keys(mine))}}
	var stay []string
	for _, db := range p.target.Databases {
		names, err := s.collectionNames(ctx, db)
		if err != nil {
			return p, fmt.Errorf("list the collections of %s: %w", shown.Name(db), err)
		}
		for _, name := range names {
			i := slices.IndexFunc(s.plan, func(t *target) bool { return t.db == db && t.name == name })
			switch {
			case i >= 0 && s.cfg.Clean:
				p.drop = append(p.drop, s.plan[i])
				p.target.Drops = append(p.target.Drops, "collection "+shown.Name(s.plan[i].namespace()))
			case i >= 0 || !s.cfg.Clean && !s.selects() && db != "admin":
				return p, fmt.Errorf("%w: there is %s", dump.ErrNotEmpty, shown.Name(db+"."+name))
			case i < 0 && s.cfg.Clean && !s.selects():
				stay = append(stay, db+"."+name)
			}
		}
	}
	withUsers := s.placeUsers()
	if err := s.checkRights(ctx, p.drop); err != nil {
		return p, err
	}
	if withUsers && s.cfg.Clean {
		what := "users and roles that are not in the dump"
		if s.users.db != "" {
			what = "users and roles of database " + shown.Name(s.users.db) + " that are not in the dump"
		}
		p.target.Drops = append(p.target.Drops, what)
	}
	if len(stay) > 0 {
		s.cfg.Warn(fmt.Sprintf("%d collections of the target are not in the dump and stay, the first of them: %s", len(stay), shown.Name(stay[0])))
	}
	return p, nil
}

// clear drops what the placement says. s.gone keeps what is no longer there.
func (s *loading) clear(ctx context.Context, p placement) error {
	for _, t := range p.drop {
		err := s.run(ctx, t.db, bson.D{{Key: "drop", Value: t.name}}, &bson.Raw{})
		_, isServers := errors.AsType[mongo.ServerError](err)
		s.gone = dump.Dropped(s.gone, "collection "+shown.Name(t.namespace()), err, isServers && !mongo.IsNetworkError(err))
		if err != nil {
			return fmt.Errorf("drop %s: %w", shown.Name(t.namespace()), err)
		}
	}
	if s.users == nil {
		return nil
	}
	return s.dropTemporary(ctx)
}

// collectionNames returns what is in a database, but for what the server makes there itself.
func (s *loading) collectionNames(ctx context.Context, db string) ([]string, error) {
	var names []string
	command := bson.D{{Key: "listCollections", Value: 1}, {Key: "nameOnly", Value: true}, {Key: "cursor", Value: bson.D{}}}
	err := s.conn.Each(ctx, db, command, func(doc bson.Raw) error {
		name, _ := doc.Lookup("name").StringValueOK()
		if !strings.HasPrefix(name, "system.") || name == "system.js" {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}
