package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// A Sequence is MariaDB's.
type Sequence struct {
	Name       string
	definition string
	next       string // the first value that nobody has been promised
	cycles     string // how often it began anew
	behind     bool   // the first value of all is after that: somebody has let it restart there
}

func (c *Reader) readSequences(ctx context.Context, db *Database, names []string) error {
	for _, name := range names {
		s := Sequence{Name: name}
		rows, err := c.Conn.List(ctx, "SHOW CREATE SEQUENCE "+quote.Name(s.Name))
		if err == nil && len(rows) == 1 {
			s.definition = rows[0]["create table"]
			rows, err = c.Conn.List(ctx, "SELECT next_not_cached_value AS next, cycle_count AS cycles, IF(increment < 0, next_not_cached_value > start_value, next_not_cached_value < start_value) AS behind FROM "+quote.Name(s.Name)+" USE INDEX ()")
		}
		if err != nil {
			return fmt.Errorf("sequence %s: %w", s.Name, err)
		}
		if len(rows) != 1 || s.definition == "" {
			return fmt.Errorf("sequence %s: the server shows no definition", s.Name)
		}
		s.next, s.cycles, s.behind = rows[0]["next"], rows[0]["cycles"], rows[0]["behind"] == "1"
		err = guard.MustBe(guard.IntegerForm, "a sequence's value", s.next)
		if err == nil {
			err = guard.MustBe(guard.IntegerForm, "a sequence's rounds", s.cycles)
		}
		if err == nil && !strings.HasPrefix(s.definition, "CREATE SEQUENCE "+quote.Name(s.Name)+" ") {
			err = fmt.Errorf("the server shows %+q for its definition", guard.Shortened(s.definition))
		}
		if err != nil {
			return fmt.Errorf("sequence %s: %w", s.Name, err)
		}
		db.Sequences = append(db.Sequences, s)
	}
	return nil
}

func (s Sequence) print(p *guard.Printer) {
	p.Stmt("%s", s.definition)
	if s.behind { // where SETVAL does not lead back to
		p.Stmt("ALTER SEQUENCE %s RESTART %s", quote.Name(s.Name), s.next)
	}
	p.Stmt("DO SETVAL(%s, %s, 0, %s)", quote.Name(s.Name), s.next, s.cycles)
}
