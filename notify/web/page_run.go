package web

import (
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

// runView is a run that goes on.
type runView struct {
	status.Run
	Doing   string
	Since   moment
	For     string
	Passed  string
	Total   string // of what will have passed; empty: nobody knows
	Percent int
	Rate    string
	Left    string // how much longer, as it looks
}

// doing says what a phase does.
var doing = map[event.PhaseName]string{
	event.Survey: "asks the database what it holds", event.Dump: "reads rows and stores them", event.Spool: "reads rows into a file",
	event.Store: "stores the file", event.Forget: "applies the retention policy", event.Prune: "removes data that no snapshot needs",
	event.Verify: "reads the dump to its end", event.Load: "restores the dump", event.Read: "reads the restored rows back",
	event.Ask: "asks the checks", event.Checking: "checks the repository",
}

func (s *site) newRunView(run status.Run, now time.Time) *runView {
	v := &runView{Run: run, Since: s.moment(run.Began), For: age(now.Sub(run.Began)), Doing: doing[run.Phase]}
	if v.Doing == "" {
		v.Doing = "begins"
	}
	if run.Passed > 0 {
		v.Passed = size(float64(run.Passed))
	}
	if run.Total > 0 {
		v.Total = size(float64(run.Total))
		v.Percent = int(min(max(run.Passed, 0)/(max(run.Total, 100)/100), 100))
		if run.About {
			v.Percent = min(v.Percent, 99) // an estimate may be passed before the end
		}
	}
	if run.Rate >= 1 {
		v.Rate = size(run.Rate) + "/s"
		if left := float64(run.Total-run.Passed) / run.Rate; run.Total > run.Passed && left < 1e7 {
			v.Left = age(time.Duration(left * float64(time.Second)))
		}
	}
	return v
}

// endedView is a run that has ended and did not go well.
type endedView struct {
	errorView
	Took string
}

// mostFailures are shown of the runs that did not go well.
const mostFailures = 20

// failures are the runs that did not go well, the newest first.
func (s *site) failures(runs []status.Run, now time.Time) []endedView {
	var all []endedView
	for i := len(runs) - 1; i >= 0 && len(all) < mostFailures; i-- {
		run := runs[i]
		if run.Error == "" && !run.Failed() {
			continue
		}
		e := endedView{errorView: *s.newErrorView(run, now), Took: span(run.Ended.Sub(run.Began))}
		if run.Interrupted {
			e.Sentence = string(run.Kind) + " interrupted"
		}
		all = append(all, e)
	}
	return all
}
