package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// A sequence is MariaDB's.
type sequence struct {
	name       string
	definition string
	next       string // the first value that nobody has been promised
	cycles     string // how often it began anew
	behind     bool   // the first value of all is after that: somebody has let it restart there
}

func (c *catalog) readSequences(ctx context.Context, db *database, names []string) error {
	for _, name := range names {
		s := sequence{name: name}
		rows, err := c.conn.List(ctx, "SHOW CREATE SEQUENCE "+quote.Name(s.name))
		if err == nil && len(rows) == 1 {
			s.definition = rows[0]["create table"]
			rows, err = c.conn.List(ctx, "SELECT next_not_cached_value AS next, cycle_count AS cycles, IF(increment < 0, next_not_cached_value > start_value, next_not_cached_value < start_value) AS behind FROM "+quote.Name(s.name)+" USE INDEX ()")
		}
		if err != nil {
			return fmt.Errorf("sequence %s: %w", s.name, err)
		}
		if len(rows) != 1 || s.definition == "" {
			return fmt.Errorf("sequence %s: the server shows no definition", s.name)
		}
		s.next, s.cycles, s.behind = rows[0]["next"], rows[0]["cycles"], rows[0]["behind"] == "1"
		err = guard.MustBe(guard.IntegerForm, "a sequence's value", s.next)
		if err == nil {
			err = guard.MustBe(guard.IntegerForm, "a sequence's rounds", s.cycles)
		}
		if err == nil && !strings.HasPrefix(s.definition, "CREATE SEQUENCE "+quote.Name(s.name)+" ") {
			err = fmt.Errorf("the server shows %+q for its definition", guard.Shortened(s.definition))
		}
		if err != nil {
			return fmt.Errorf("sequence %s: %w", s.name, err)
		}
		db.sequences = append(db.sequences, s)
	}
	return nil
}

func (s sequence) print(p *guard.Printer) {
	p.Stmt("%s", s.definition)
	if s.behind { // where SETVAL does not lead back to
		p.Stmt("ALTER SEQUENCE %s RESTART %s", quote.Name(s.name), s.next)
	}
	p.Stmt("DO SETVAL(%s, %s, 0, %s)", quote.Name(s.name), s.next, s.cycles)
}
