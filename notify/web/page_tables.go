package web

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/breaking-backups/breaking-backups/notify/status"
)

// mostTablesShown are shown unless all are asked for.
const mostTablesShown = 200

// tablesView is what a snapshot holds, table by table, against the one before.
type tablesView struct {
	ShortID string
	Time    moment
	Before  moment // the one that it is held against; empty: there is none whose tables are known
	BeforeI string // its ID, as shown

	Tables []tableView
	Known  int    // how many tables there are
	All    string // the address that shows all; empty: these are all
	Clip   bool   // only the largest tables of one of the two are remembered

	New, Vanished, Changed int
}

type tableView struct {
	Name     string
	Rows     int64
	Before   int64
	Change   string
	Word     string // new, vanished
	distance int64  // how much has changed: what has changed most comes first
}

// choose is the backup whose tables are to be shown: the one that is asked for, or the newest of
// which they are known. -1: there is none.
func choose(all []status.Backup, id string) int {
	newest := -1
	for i, b := range all {
		if b.Tables == nil {
			continue
		}
		newest = i
		if b.ID == id {
			return i
		}
	}
	return newest
}

func (s *site) newTablesView(all []status.Backup, i int, every bool) *tablesView {
	b := all[i]
	v := &tablesView{ShortID: short(b.ID), Time: s.moment(b.At), Known: b.Count, Clip: len(b.Tables) < b.Count}
	var before *status.Backup
	if i > 0 && all[i-1].Tables != nil {
		before = &all[i-1]
		v.Before, v.BeforeI = s.moment(before.At), short(before.ID)
		v.Clip = v.Clip || len(before.Tables) < before.Count
	}
	v.compare(b, before)
	slices.SortStableFunc(v.Tables, func(x, y tableView) int {
		return cmp.Or(cmp.Compare(y.distance, x.distance), cmp.Compare(x.Name, y.Name))
	})
	if len(v.Tables) > mostTablesShown && !every {
		v.Tables = v.Tables[:mostTablesShown]
		v.All = "?" + url.Values{"snapshot": {b.ID}, "tables": {"all"}}.Encode() + "#tables"
	}
	return v
}

// foremost is the distance of what is new or has vanished.
const foremost = 1 << 62

// compare lists the tables of both. Where only the largest are remembered, one that is missing may
// be a small one, and nothing is said of it.
func (v *tablesView) compare(b status.Backup, before *status.Backup) {
	old := map[string]int64{}
	if before != nil {
		for _, t := range before.Tables {
			old[t.Name] = t.Rows
		}
	}
	for _, t := range b.Tables {
		row := tableView{Name: t.Name, Rows: t.Rows}
		rows, known := old[t.Name]
		delete(old, t.Name)
		switch {
		case known && rows != t.Rows:
			row.Before, row.Change = rows, change(t.Rows-rows)
			row.distance = max(t.Rows-rows, rows-t.Rows)
			v.Changed++
		case known:
			row.Before, row.Change = rows, "0"
		case before != nil && !v.Clip:
			row.Word, row.Change, row.distance = "new", change(t.Rows), foremost
			v.New++
		}
		v.Tables = append(v.Tables, row)
	}
	if v.Clip {
		return
	}
	for table, rows := range old {
		v.Tables = append(v.Tables, tableView{Name: table, Before: rows, Change: change(-rows), Word: "vanished", distance: foremost + 1})
		v.Vanished++
	}
}
