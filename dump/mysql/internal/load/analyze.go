package load

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/ddl"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// InnoDB makes the optimizer's statistics of a table by itself, within some twelve seconds after
// its rows came (MariaDB 10.11: of a thousand tables as of one), and ANALYZE TABLE has nothing to
// add. It does not where that is switched off: such a table is one of two rows to the optimizer for
// good. MyISAM and Aria make them of the first rows that come, and keep them: of an index of ten
// values they know four thousand. They read the index for it, 200,000 rows in 0.3 s; InnoDB takes a
// sample, 25 ms.

// unanalyzed takes note of a table that the load has made, and whose statistics nobody makes.
func (s *loading) unanalyzed(item dump.Item) {
	if s.cfg.NoAnalyze || !script.IsTable([]byte(item.Text)) {
		return
	}
	d, err := ddl.ParseTable(item.Text)
	name, _, ok := quote.CutName(strings.TrimPrefix(item.Text, "CREATE TABLE "))
	if err != nil || !ok || s.analyzesItself(quote.Emptied(d.Tail)) {
		return
	}
	database := item.Database
	if s.cfg.Database != "" {
		database = s.cfg.Database
	}
	s.toAnalyze = append(s.toAnalyze, quote.Name(database)+"."+name)
}

// recalculated matches what a table says of its statistics itself.
var recalculated = regexp.MustCompile(`\bSTATS_(AUTO_RECALC|PERSISTENT)=([01])`)

// analyzesItself tells whether the server makes the statistics of a table with these options.
func (s *loading) analyzesItself(tail string) bool {
	if !strings.Contains(tail, "ENGINE=InnoDB") {
		return false
	}
	itself := s.recalculates
	for _, m := range recalculated.FindAllStringSubmatch(tail, -1) {
		switch m[1] + m[2] {
		case "AUTO_RECALC0":
			itself = false
		case "AUTO_RECALC1", "PERSISTENT0": // what is not kept is made anew
			itself = true
		}
	}
	return itself
}

// analyze makes the statistics of the tables that the load has made. What goes wrong is a warning:
// the dump is there.
func (s *loading) analyze(ctx context.Context) error {
	for _, name := range s.toAnalyze {
		rows, err := s.conn.List(ctx, "ANALYZE LOCAL TABLE "+name)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, r := range rows {
			if strings.EqualFold(r["msg_type"], "error") {
				err = fmt.Errorf("%s", r["msg_text"])
			}
		}
		if err != nil {
			s.cfg.Warn(fmt.Sprintf("the optimizer's statistics of %s are not made: %v", name, err))
		}
	}
	return nil
}
