package status

import (
	"cmp"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// Bounds on the tables that are remembered. A hundred jobs of ten thousand tables each take about
// 90 MB with them, as the names are shared between a job's backups.
const (
	mostDescribed = 10     // backups of a job
	mostTables    = 10_000 // of a backup
	mostOfJob     = 20_000 // of all of a job
)

// Describe gives a backup of a job, by its ID or the beginning of it, the tables that its manifest
// tells.
func (b *Board) Describe(job, id string, tables []event.Table) {
	if id == "" {
		return
	}
	b.with(job, func(r *record) {
		for i := range r.backups {
			if strings.HasPrefix(r.backups[i].ID, id) {
				r.backups[i].describe(tables, r.names())
				r.boundTables()
				return
			}
		}
	})
}

// describe puts down what a backup holds. names are strings to be shared.
func (b *backup) describe(tables []event.Table, names map[string]string) {
	b.Described, b.Count, b.Rows = true, len(tables), 0
	for _, t := range tables {
		b.Rows += t.Rows
	}
	if len(tables) > mostTables {
		tables = slices.SortedFunc(slices.Values(tables), func(x, y event.Table) int { return cmp.Compare(y.Rows, x.Rows) })[:mostTables]
		slices.SortFunc(tables, func(x, y event.Table) int { return strings.Compare(x.Name, y.Name) })
	}
	b.Tables = make([]event.Table, len(tables))
	for i, t := range tables {
		name, known := names[t.Name]
		if !known {
			name = clip(t.Name, mostName)
		}
		b.Tables[i] = event.Table{Name: name, Rows: t.Rows}
	}
}

// names are those of the tables of the newest backup that has any.
func (r *record) names() map[string]string {
	for _, b := range slices.Backward(r.backups) {
		if len(b.Tables) > 0 {
			names := make(map[string]string, len(b.Tables))
			for _, t := range b.Tables {
				names[t.Name] = t.Name
			}
			return names
		}
	}
	return nil
}

// boundTables forgets the tables of older backups. How many there were, and their rows, stay known.
func (r *record) boundTables() {
	described, held := 0, 0
	for i := len(r.backups) - 1; i >= 0; i-- {
		b := &r.backups[i]
		if b.Tables == nil {
			continue
		}
		described++
		held += len(b.Tables)
		if described > mostDescribed || held > mostOfJob {
			b.Tables = nil
		}
	}
}
