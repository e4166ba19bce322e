package web

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

// A plot is a figure of the snapshots over their order: a bar each. Between them stand the runs
// that failed, and gaps where snapshots are missing. Its marks know no colour: the stylesheet does.
type plot struct {
	ID, Title string
	Width     int
	Marks     []mark
	Text      string // the same in words
}

// mark is a rectangle in a plot. Its class is bar, failed, gap or unknown.
type mark struct {
	Class               string
	X, Y, Width, Height string
	Text                string
}

const (
	plotHeight = 100
	slotWidth  = 10
	barWidth   = 7
)

// slot is a place in the plots: a snapshot, a run that failed, or a gap.
type slot struct {
	at     time.Time
	backup *status.Backup
	failed bool
	gap    time.Duration
}

// plots are empty where there is no snapshot. late tells that there ought to be one more.
func plots(s status.State, late bool, zone *time.Location) []plot {
	if len(s.Backups) == 0 {
		return nil
	}
	slots := slotsOf(s, late, zone)
	return []plot{
		newPlot("rows", "Rows", slots, func(b status.Backup) (float64, bool) { return float64(b.Rows), b.Described }, func(n float64) string { return count(int64(n)) }),
		newPlot("bytes", "Size of the dump", slots, func(b status.Backup) (float64, bool) { return float64(b.Bytes), true }, size),
		newPlot("added", "Added to the repository", slots, func(b status.Backup) (float64, bool) { return float64(b.Added), true }, size),
		newPlot("duration", "Duration", slots, func(b status.Backup) (float64, bool) { return b.Duration.Seconds(), b.Duration > 0 },
			func(n float64) string { return span(time.Duration(n * float64(time.Second))) }),
	}
}

// slotsOf puts snapshots and failures in the order of their times, and gaps between them.
func slotsOf(s status.State, late bool, zone *time.Location) []slot {
	var all []slot
	for i := range s.Backups {
		if i > 0 {
			if missing := gapBefore(s.Backups, i); missing > 0 {
				all = append(all, slot{at: s.Backups[i].At.Add(-1), gap: missing})
			}
		}
		all = append(all, slot{at: s.Backups[i].At.In(zone), backup: &s.Backups[i]})
	}
	first := s.Backups[0].At
	for _, run := range s.Runs {
		if run.Kind == event.Backup && run.Failed() && !run.Interrupted && run.Began.After(first) {
			all = append(all, slot{at: run.Began.In(zone), failed: true})
		}
	}
	slices.SortStableFunc(all, func(x, y slot) int { return x.at.Compare(y.at) })
	if newest := s.Backups[len(s.Backups)-1].At; late {
		all = append(all, slot{at: newest, gap: -1})
	}
	return all
}

// gapBefore is the time between a snapshot and the one before it, where that is much longer than
// those on either side of it; else 0. What retention has thinned out is no gap: there the distances
// grow towards the past, and are none beside their neighbours.
func gapBefore(all []status.Backup, i int) time.Duration {
	between := func(i int) time.Duration { return all[i].At.Sub(all[i-1].At) }
	if i < 2 {
		return 0
	}
	beside := between(i - 1)
	if i+1 < len(all) {
		beside = max(beside, between(i+1))
	}
	if d := between(i); d > beside+beside*3/4 && d > time.Hour {
		return d
	}
	return 0
}

func newPlot(id, title string, slots []slot, value func(status.Backup) (float64, bool), shown func(float64) string) plot {
	p := plot{ID: id, Title: title, Width: len(slots) * slotWidth}
	var values []float64
	snapshots, failed, gaps, of := 0, 0, 0, ""
	for _, s := range slots {
		switch {
		case s.failed:
			failed++
		case s.gap != 0:
			gaps++
		default:
			snapshots++
			of = "the last that is known"
			if v, known := value(*s.backup); known {
				values, of = append(values, v), "the last"
			}
		}
	}
	if len(values) == 0 {
		p.Text = "Not known of any snapshot."
		return p
	}
	most := slices.Max(values)
	for i, s := range slots {
		p.Marks = append(p.Marks, newMark(i, s, most, value, shown))
	}
	p.Text = fmt.Sprintf("%s: between %s and %s; %s %s.", several(snapshots, "snapshot", "snapshots"), shown(slices.Min(values)), shown(most), of, shown(values[len(values)-1]))
	if unknown := snapshots - len(values); unknown > 0 {
		p.Text += fmt.Sprintf(" Not known of %s.", several(unknown, "snapshot", "snapshots"))
	}
	if failed > 0 {
		p.Text += " " + several(failed, "run", "runs") + " failed."
	}
	if gaps > 0 {
		p.Text += " Snapshots are missing in " + several(gaps, "place", "places") + "."
	}
	return p
}

func newMark(i int, s slot, most float64, value func(status.Backup) (float64, bool), shown func(float64) string) mark {
	m := mark{X: strconv.Itoa(i*slotWidth + (slotWidth-barWidth)/2), Y: "0", Width: strconv.Itoa(barWidth), Height: strconv.Itoa(plotHeight)}
	at := s.at.Format("2006-01-02")
	switch {
	case s.failed:
		m.Class, m.Text = "failed", at+": a run failed"
		return m
	case s.gap != 0:
		m.Class, m.Text = "gap", "snapshots are missing before this day"
		if s.gap > 0 {
			m.Text = "no snapshot for " + age(s.gap)
		}
		return m
	}
	v, known := value(*s.backup)
	if !known {
		m.Class, m.Text, m.Y, m.Height = "unknown", at+": not known", "90", "10"
		return m
	}
	height := 1.0 // of nothing, so that it is seen
	if most > 0 {
		height = max(v/most*plotHeight, height)
	}
	m.Class, m.Text = "bar", at+": "+shown(v)
	m.Y, m.Height = fmt.Sprintf("%.1f", plotHeight-height), fmt.Sprintf("%.1f", height)
	return m
}
