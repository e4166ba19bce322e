package load

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Small tables are analysed together, up to so many, or so many bytes of rows: one by one they cost
// a round trip and a commit each.
const (
	analysedTogether = 100
	analysedBytes    = 4 << 20
)

// analyse makes the planner's statistics of the tables and materialized views whose rows have come
// into the present database, on all sessions, as autovacuum would within minutes: until then
// queries are planned blindly, and a dump does not know which tables lie in the order of their
// keys.
//
// It runs no more than autovacuum does. Of what users have made ANALYZE evaluates the expressions
// of indexes and of extended statistics, as the table's owner and in a security-restricted
// operation (analyze.c, do_analyze_rel), whoever says it. What the server refuses is told, and
// everything is there without it.
func (s *loading) analyse(ctx context.Context) error {
	if s.analysing == nil {
		if err := s.leaveAnalyses(ctx); err != nil {
			return err
		}
		if err := s.finish(ctx); err != nil {
			return err
		}
	}
	for _, j := range s.analysing {
		for _, table := range j.parts {
			if table.refused != nil {
				s.cfg.Warn(fmt.Sprintf("a table goes without the planner's statistics: %v", table.failed(table.refused)))
			}
		}
	}
	s.analysing = nil
	return nil
}

// analyseBeside begins what analyse asks for when everything of the present database has come: a
// table is analysed once its own indexes are there, beside what is still built of others. Where all
// goes on one session, or in one transaction, analyse does it.
func (s *loading) analyseBeside(ctx context.Context) error {
	if s.apart || s.single || s.workers == nil {
		return nil
	}
	if err := s.sendShared(ctx); err != nil {
		return err
	}
	return s.leaveAnalyses(ctx)
}

// leaveAnalyses leaves to the sessions what analyse is to do.
func (s *loading) leaveAnalyses(ctx context.Context) error {
	if !s.cfg.Analyze || s.workers == nil {
		return nil
	}
	s.analysing = s.analyses()
	for _, j := range s.analysing {
		if err := s.leave(ctx, j, workStatistics); err != nil {
			return err
		}
	}
	return nil
}

// analyses are the jobs of analyse, the longest first. Partitions come with what they are parts of,
// and of views nobody knows how long they are.
func (s *loading) analyses() (list []*job) {
	sizes := map[string]int64{}
	for table, size := range s.filled {
		for whole := s.planner.parents[table]; whole != ""; whole = s.planner.parents[whole] {
			table = whole
		}
		sizes[table] = max(sizes[table], size)
	}
	tables := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b], sizes[a]), cmp.Compare(a, b))
	})
	var together *job
	for _, table := range append(tables, s.refreshed...) {
		if size, ok := sizes[table]; ok && size == 0 {
			continue
		}
		if together == nil || len(together.parts) == analysedTogether || together.over+sizes[table] > analysedBytes {
			together = &job{set: s.set, plan: plan{kind: analyses}}
			list = append(list, together)
		}
		together.parts = append(together.parts, &job{item: dump.Item{Text: "ANALYZE " + table + ";"}, plan: plan{kind: analyses}, set: s.set})
		together.plan.touches = append(together.plan.touches, s.planner.alone(table)...)
		together.over += sizes[table]
	}
	return list
}
