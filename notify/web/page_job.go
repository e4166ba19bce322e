package web

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

// detailsPage is the page of one job.
type detailsPage struct {
	page
	jobView
	Plans      []planView
	Oldest     moment // of the snapshots that there are
	KnownSince moment
	Warnings   []warningsView
	Failures   []endedView
	Plots      []plot
	Snapshots  []snapshotView // newest first
	Tables     *tablesView    // nil: of none it is known what it holds
	TestDrills []drillView    // newest first
}

type planView struct {
	Kind     event.Kind
	Text     string
	Next     moment
	NextIn   string
	Overdue  bool
	LastGood moment
	Allows   string
}

// warningsView is what a run warned of.
type warningsView struct {
	Kind event.Kind
	At   moment
	Ago  string
	Text []string
	More int // warnings that are not shown
}

type snapshotView struct {
	status.Backup
	ShortID  string
	Time     moment
	Took     string
	Change   string // of its rows, against the one before
	Link     string // to its tables; empty: they are not known
	Selected bool
}

type drillView struct {
	status.Drill
	Time, Of moment
	ShortID  string
	Class    string
	Sign     string
	Word     string
	Took     string
}

func (s *site) newDetails(state status.State, problems []status.Problem, now time.Time, query url.Values) detailsPage {
	d := detailsPage{
		jobView: s.newJobView(state, problems, now), Oldest: s.moment(state.Kept.Oldest), KnownSince: s.moment(state.Began),
		Failures: s.failures(state.Runs, now), Plots: plots(state, len(problems) > 0 && problems[0].Of == event.Backup, s.Zone),
	}
	for _, kind := range slices.Sorted(maps.Keys(state.Plans)) {
		d.Plans = append(d.Plans, s.newPlanView(state, kind, now))
	}
	for _, kind := range slices.Sorted(maps.Keys(state.Last)) {
		if run := state.Last[kind]; run.Warned > 0 {
			d.Warnings = append(d.Warnings, warningsView{kind, s.moment(run.Ended), age(now.Sub(run.Ended)), run.Warnings, run.Warned - len(run.Warnings)})
		}
	}
	chosen := choose(state.Backups, query.Get("snapshot"))
	if chosen >= 0 {
		d.Tables = s.newTablesView(state.Backups, chosen, query.Get("tables") == "all")
	}
	for i := range state.Backups {
		d.Snapshots = append(d.Snapshots, s.newSnapshotView(state.Backups, i, i == chosen))
	}
	slices.Reverse(d.Snapshots)
	for _, drill := range slices.Backward(state.Drills) {
		d.TestDrills = append(d.TestDrills, s.newDrillView(drill))
	}
	return d
}

func (s *site) newPlanView(state status.State, kind event.Kind, now time.Time) planView {
	plan, fresh, due := state.Plans[kind], state.Fresh[kind], state.Due[kind]
	v := planView{Kind: kind, Text: plan.Text, Next: s.moment(due), NextIn: age(due.Sub(now)), Overdue: due.Before(now), LastGood: s.moment(fresh.Last)}
	if !fresh.Last.IsZero() && !fresh.Until.IsZero() {
		v.Allows = age(fresh.Until.Sub(fresh.Last))
	}
	return v
}

func (s *site) newSnapshotView(all []status.Backup, i int, selected bool) snapshotView {
	b := all[i]
	v := snapshotView{Backup: b, ShortID: short(b.ID), Time: s.moment(b.At), Selected: selected}
	if b.Duration > 0 {
		v.Took = span(b.Duration)
	}
	if i > 0 && b.Described && all[i-1].Described {
		v.Change = change(b.Rows - all[i-1].Rows)
	}
	if b.Tables != nil {
		v.Link = "?" + url.Values{"snapshot": {b.ID}}.Encode() + "#tables"
	}
	return v
}

func (s *site) newDrillView(d status.Drill) drillView {
	v := drillView{Drill: d, Time: s.moment(d.At), Of: s.moment(d.Drilled.Of), ShortID: short(d.Snapshot)}
	switch d.Verdict {
	case event.Proven:
		v.Class, v.Word = stateWell, "proven"
	case event.Wrong:
		v.Class, v.Word = stateWrong, "wrong"
	default:
		v.Class, v.Word = stateLook, "could not be tried"
	}
	v.Sign = signs[v.Class]
	if d.Restore > 0 {
		v.Took = span(d.Restore)
	}
	return v
}

// short is as much of a snapshot's ID as restic shows.
func short(id string) string { return name(id[:min(len(id), 8)]) }
