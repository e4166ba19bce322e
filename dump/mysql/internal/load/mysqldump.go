package load

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// toolDump is a dump that mysqldump or mariadb-dump made. It makes several databases if its first
// statement that is more than a setting says so; else it is of one, which it does not name.
type toolDump struct {
	*loading
	named    []string // by the statements so far, but for the server's own
	begun    bool
	prepared bool     // there is room for all of the dump
	roomFor  []string // databases that there is room for, where not all were known before
	origin   string   // the database that a dump of one was made of; "": it does not say
}

func (d *toolDump) read([]byte) {}

func (d *toolDump) native(context.Context, statement) error { return nil } // it has none

func (d *toolDump) route(sql []byte) error {
	if script.IsSetting(sql) {
		return nil
	}
	n := script.TargetOf(sql)
	if !d.begun {
		d.begun = true
		switch {
		case n.Whole && d.cfg.Database != "":
			return fmt.Errorf("into %s: %w", d.cfg.Database, ErrSeveral)
		case !n.Whole && d.cfg.Database == "":
			return ErrNoName
		}
	}
	if d.cfg.Database != "" && databaseCollation.Match(sql) {
		return nil
	}
	for _, db := range n.Databases {
		switch {
		case d.cfg.Database != "" && n.Whole:
			return fmt.Errorf("%s: %w: %w", script.Head(string(sql)), dump.ErrElsewhere, ErrSeveral)
		case d.cfg.Database != "" && db != d.cfg.Database:
			return fmt.Errorf("%s: %w", script.Head(string(sql)), dump.ErrElsewhere)
		case d.cfg.Database != "", d.srv.IsSystemSchema(db), slices.Contains(d.named, db):
		case !n.Whole || !d.isNew(db):
			return fmt.Errorf("%s: %w", script.Head(string(sql)), dump.ErrElsewhere)
		default:
			d.named = append(d.named, db)
		}
	}
	return nil
}

// isNew tells whether a database may be named for the first time now.
func (d *toolDump) isNew(database string) bool {
	return d.cfg.Found.Databases == nil || slices.Contains(d.cfg.Found.Databases, database)
}

// databaseCollation matches what mysqldump writes around programs that were made when their
// database had another collation, and with the database's name also in a dump that is of one.
var databaseCollation = regexp.MustCompile("^ALTER DATABASE `(?:[^`]|``)+` (CHARACTER SET [A-Za-z0-9_]+ COLLATE [A-Za-z0-9_]+)\\s*$")

func (d *toolDump) run(ctx context.Context, st statement) error {
	if err := d.route(st.sql); err != nil {
		return err
	}
	if err := d.makeRoom(ctx); err != nil {
		return err
	}
	if m := databaseCollation.FindSubmatch(st.sql); m != nil && d.cfg.Database != "" {
		st.sql = append([]byte("ALTER DATABASE "+quote.Name(d.cfg.Database)+" "), m[1]...)
	}
	var stays bool
	if st.sql, stays = d.renamed(st.sql); !stays {
		return nil
	}
	return d.send(ctx, st)
}

// makeRoom prepares the target before the first statement that is more than a setting: all
// databases that Verify has found in the dump, or else each when it is named first.
func (d *toolDump) makeRoom(ctx context.Context) error {
	switch {
	case !d.begun || d.prepared:
		return nil
	case d.cfg.Database != "" || d.cfg.Found.Databases != nil:
		d.prepared = true
		return d.loading.prepare(ctx, d.cfg.Found.Databases)
	case len(d.roomFor) == len(d.named):
		return nil
	case d.cfg.Clean:
		return errors.New("the dump of mysqldump makes several databases, which are known only when it has been read to its end: nothing can be dropped for it before")
	}
	more := d.named[len(d.roomFor):]
	d.roomFor = slices.Clone(d.named)
	return d.loading.prepare(ctx, more)
}

func (d *toolDump) close() {}

func (d *toolDump) end(context.Context, *dump.Contents) error { return nil }

func (d *toolDump) whole(*dump.Contents) ([]string, error) { return d.named, nil }
