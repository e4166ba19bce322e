package load

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A placement is where a dump goes and what is dropped there. place alone makes one: what is
// checked, what is dropped and what people are told all go by it.
type placement struct {
	dropped []string // databases that Clean drops
	emptied []string // databases whose contents Clean drops
	objects []object // that Clean drops for a part of a dump
	target  dump.Target
}

// place says where the dump goes: into the configured database, or into those that a dump of
// several names. It returns what stands in the way as an error, in any of them, and changes
// nothing. Of a mysqldump that has not been read before, it is called again for each database that
// is named: see toolDump.makeRoom.
func (s *loading) place(ctx context.Context, named []string) (placement, error) {
	p := placement{target: dump.Target{Server: s.cfg.Server.Address(), Databases: named}}
	if s.cfg.Database != "" {
		p.target.Database, p.target.Databases = s.cfg.Database, []string{s.cfg.Database}
		if err := s.conn.Exec(ctx, "USE "+quote.Name(s.cfg.Database)); err != nil {
			return p, err
		}
	}
	exists, err := s.existing(ctx)
	if err != nil {
		return p, err
	}
	if s.cfg.Part != nil && (s.cfg.Part.Narrows() || s.cfg.Part.DataOnly) {
		return s.placePart(ctx, p, exists)
	}
	for _, db := range p.target.Databases {
		if s.srv.IsSystemSchema(db) {
			return p, fmt.Errorf("database %s is the server's own here", db)
		}
		if !exists(db) && s.cfg.Database == "" {
			continue
		}
		found, err := s.conn.Contents(ctx, db)
		switch {
		case err != nil:
			return p, err
		case s.cfg.Clean && s.cfg.Database == "":
			p.dropped = append(p.dropped, db)
			p.target.Drops = append(p.target.Drops, "database "+db)
		case s.cfg.Clean && found != "":
			p.emptied = append(p.emptied, db)
			p.target.Drops = append(p.target.Drops, "everything in database "+db)
		case found != "" && s.cfg.Database == "":
			return p, fmt.Errorf("the server has database %s: %w: it has %s", db, dump.ErrNotEmpty, found)
		case found != "":
			return p, fmt.Errorf("database %s: %w: it has %s", db, dump.ErrNotEmpty, found)
		}
	}
	return p, s.undroppable(ctx, p)
}

// existing tells which databases there are, by names as the server tells them apart.
func (s *loading) existing(ctx context.Context) (exists func(db string) bool, err error) {
	rows, err := s.conn.List(ctx, "SELECT schema_name AS name FROM information_schema.schemata")
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool)
	for _, r := range rows {
		there[s.srv.Fold(r["name"])] = true
	}
	return func(db string) bool { return there[s.srv.Fold(db)] }, nil
}

// clear drops what the placement says. s.gone keeps what is no longer there. A foreign key between
// databases is in nobody's way: what it refers to is made anew.
func (s *loading) clear(ctx context.Context, p placement) error {
	if len(p.dropped)+len(p.emptied)+len(p.objects) == 0 {
		return nil
	}
	var checks int
	var mode string // as a dump of mysqldump may have set them
	if err := s.conn.Row(ctx, "SELECT @@foreign_key_checks, @@sql_mode", &checks, &mode); err != nil {
		// Whoever was told may have thought about it for hours, beside a session that did nothing.
		return fmt.Errorf("nothing was changed: the session has ended since it looked at the target: %w", err)
	}
	if err := s.conn.Exec(ctx, "SET foreign_key_checks = 0"); err != nil {
		return err
	}
	for _, db := range p.dropped {
		err := s.conn.Exec(ctx, "DROP DATABASE "+quote.Name(db))
		if s.dropped("database "+db, err); err != nil {
			return fmt.Errorf("drop database %s: %w", db, err)
		}
	}
	for _, db := range p.emptied {
		if err := s.clean(ctx, db); err != nil {
			return fmt.Errorf("clean database %s: %w", db, err)
		}
	}
	for _, o := range p.objects {
		if err := s.drop(ctx, o); err != nil {
			return err
		}
	}
	return s.conn.Exec(ctx, fmt.Sprintf("SET foreign_key_checks = %d, sql_mode = %s", checks, quote.Literal(mode)))
}

// dropped notes what became of something that was to be dropped.
func (s *loading) dropped(what string, err error) {
	s.gone = dump.Dropped(s.gone, what, err, server.ErrorNumber(err) != 0)
}

// clean drops everything in a database. The database stays, and with it what accounts may do in it.
// It is the one that is used, and foreign keys are not checked.
func (s *loading) clean(ctx context.Context, db string) error {
	for _, kind := range s.srv.ObjectKinds() {
		names, err := s.conn.ObjectsOf(ctx, db, kind)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := s.drop(ctx, object{kind, db, name}); err != nil {
				return err
			}
		}
	}
	return nil
}

// An object is a thing in a database of the target.
type object struct{ kind, database, name string }

func (s *loading) drop(ctx context.Context, o object) error {
	if o.kind == "PACKAGE" { // MariaDB before 11 knows the word only so
		if err := s.conn.Exec(ctx, "SET sql_mode = 'ORACLE'"); err != nil {
			return err
		}
	}
	what := strings.ToLower(o.kind) + " " + o.name
	err := s.conn.Exec(ctx, "DROP "+o.kind+" "+quote.Name(o.database)+"."+quote.Name(o.name))
	if s.dropped(what, err); err != nil {
		return fmt.Errorf("drop %s: %w", what, err)
	}
	return nil
}
