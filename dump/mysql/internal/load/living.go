package load

import (
	"context"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// lookForLiving notes which databases hold something when what was in the way is gone, and nothing
// of the dump has come.
func (s *loading) lookForLiving(ctx context.Context, databases []string) error {
	for _, db := range databases {
		found, err := s.conn.Contents(ctx, db)
		if err != nil {
			return err
		}
		s.living[db] = found != ""
	}
	return nil
}

// alters tells whether a part of a dump may alter a database of the target: not a living one, whose
// owner has not asked for another character set, in which his next table would be made. He is told
// once, where the dump has other defaults than those that stay.
func (s *loading) alters(ctx context.Context, database, sql string) (bool, error) {
	if _, known := s.living[database]; !known { // nothing has come
		if err := s.lookForLiving(ctx, []string{database}); err != nil {
			return false, err
		}
	}
	if !s.living[database] {
		return true, nil
	}
	if s.told[database] {
		return false, nil
	}
	s.told[database] = true
	return false, s.warnOfDefaults(ctx, database, sql)
}

// warnOfDefaults says what a database keeps, where a statement has other defaults.
func (s *loading) warnOfDefaults(ctx context.Context, database, sql string) error {
	rows, err := s.conn.List(ctx, "SELECT default_character_set_name AS name, default_collation_name AS collation FROM information_schema.schemata WHERE "+s.srv.DatabaseIs("schema_name", database))
	if err != nil || len(rows) == 0 || strings.Contains(sql+" ", "COLLATE "+rows[0]["collation"]+" ") {
		return err
	}
	s.cfg.Warn(fmt.Sprintf("database %s is not empty, and keeps its own defaults, %s and %s; the dump has: %s", database, rows[0]["name"], rows[0]["collation"], script.Head(sql)))
	return nil
}
