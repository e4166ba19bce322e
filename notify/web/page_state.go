package web

import (
	"fmt"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

// How a job is, in a class of the stylesheet. A word and a sign say the same: a colour says nothing
// to those who do not see it.
const (
	stateWell  = "well"
	stateLook  = "look" // nothing is too old, but there is something to look at
	stateWrong = "wrong"
	stateNone  = "none" // nothing can be said yet
)

var signs = map[string]string{stateWell: "✓", stateLook: "!", stateWrong: "✗", stateNone: "–"}

// jobView is what both pages say of a job.
type jobView struct {
	status.State
	Path              string // of its page; empty: it has none
	Class, Sign, Word string
	Sentences         []string // its state in words, the most important first

	Problems []problemView
	Last     *errorView // of the last run of a kind that did not go well, if none has since

	Newest    moment // backup
	NewestAge string
	Next      moment // backup
	NextIn    string
	Waits     string // how long a run has waited for its turn
	Run       *runView
	Looks     int    // warnings of the last backup
	Do        string // what to do where the last error does not tell
}

// problemView is why a job is not healthy.
type problemView struct {
	Of       event.Kind
	Sentence string
	Since    moment
	For      string
}

// errorView is what a run failed by, and what to do about that.
type errorView struct {
	Kind          event.Kind
	At            moment
	Error, Hint   string
	Ago, Sentence string
}

func (s *site) newJobView(state status.State, problems []status.Problem, now time.Time) jobView {
	v := jobView{State: state, Path: path(state.Name)}
	backup, known := newestBackup(state, now)
	if known {
		v.Newest, v.NewestAge = s.moment(backup), age(now.Sub(backup))
	}
	if due := state.Due[event.Backup]; !due.IsZero() {
		v.Next, v.NextIn = s.moment(due), age(due.Sub(now))
	}
	if state.Queued {
		v.Waits = age(now.Sub(state.QueuedAt))
	}
	if state.Running != nil {
		v.Run = s.newRunView(*state.Running, now)
	}
	for _, p := range problems {
		v.Problems = append(v.Problems, problemView{p.Of, s.problem(p, state, now), s.moment(p.Since), age(now.Sub(p.Since))})
	}
	v.Last = s.unmended(state, now)
	v.Looks = state.Last[event.Backup].Warned
	v.Do = whatToDo(state, problems)
	v.judge(known)
	v.Sentences = s.sentences(state, problems, backup, now)
	return v
}

// judge says how the job is in a word.
func (v *jobView) judge(known bool) {
	switch {
	case len(v.Problems) > 0:
		v.Class, v.Word = stateWrong, "needs attention"
	case v.Last != nil:
		v.Class, v.Word = stateLook, v.Last.Sentence
	case v.SeedError != "":
		v.Class, v.Word = stateLook, "repository not read"
	case v.Looks > 0:
		v.Class, v.Word = stateLook, several(v.Looks, "warning", "warnings")
	case v.PerDatabase:
		v.Class, v.Word = stateWell, "looks for databases"
	case !known:
		v.Class, v.Word = stateNone, "no backup yet"
	default:
		v.Class, v.Word = stateWell, "well"
	}
	v.Sign = signs[v.Class]
}

// newestBackup is when the last good backup was made: as the board reckons it, where there is a
// schedule.
func newestBackup(s status.State, now time.Time) (time.Time, bool) {
	if fresh, planned := s.Fresh[event.Backup]; planned {
		return fresh.Last, !fresh.Last.IsZero()
	}
	for i := len(s.Backups) - 1; i >= 0; i-- {
		if at := s.Backups[i].At; !at.After(now.Add(5 * time.Minute)) { // what is of the future says nothing
			return at, true
		}
	}
	return time.Time{}, false
}

// unmended is the newest run that did not go well, of a kind of which none has gone well since;
// nil: there is none.
func (s *site) unmended(state status.State, now time.Time) *errorView {
	var worst *errorView
	var at time.Time
	for _, run := range state.Last {
		if run.Interrupted || run.Error == "" && !run.Failed() || run.Ended.Before(at) {
			continue
		}
		at = run.Ended
		worst = s.newErrorView(run, now)
	}
	return worst
}

func (s *site) newErrorView(run status.Run, now time.Time) *errorView {
	e := &errorView{Kind: run.Kind, At: s.moment(run.Ended), Error: run.Error, Hint: run.Hint, Ago: age(now.Sub(run.Ended))}
	switch {
	case run.Drill != nil && run.Drill.Verdict == event.Wrong:
		e.Sentence = "drill found a fault"
	case run.Drill != nil && run.Drill.Verdict == event.Untried:
		e.Sentence = "drill not possible"
	case run.Failed():
		e.Sentence = string(run.Kind) + " failed"
	default:
		e.Sentence = "snapshot safe, what follows it failed"
	}
	if e.Error == "" && run.Drill != nil && len(run.Drill.Wrong) > 0 {
		e.Error = run.Drill.Wrong[0]
	}
	return e
}

// problem says in a sentence what is wrong.
func (s *site) problem(p status.Problem, state status.State, now time.Time) string {
	fresh := state.Fresh[p.Of]
	switch {
	case state.PerDatabase:
		return "Databases could not be looked for, or not all of them were backed up."
	case p.Of == event.Drill && foundWrong(state.Drills):
		return "The last drill found that the snapshot is not what it says of itself: it may not restore."
	case !fresh.Last.IsZero():
		return fmt.Sprintf("The last good %s is %s old; the schedule allows %s.", p.Of, age(now.Sub(fresh.Last)), age(fresh.Until.Sub(fresh.Last)))
	case p.Of == event.Drill:
		return "No drill has proved a snapshot yet, and one was due."
	case !state.Seeded && state.SeedError != "":
		return "No backup is known, and the repository could not be read."
	case fresh.Due.IsZero() || now.Before(fresh.Due):
		return "There is no backup, and the last run failed."
	}
	return "There is no backup; one was due on " + s.moment(fresh.Due).Text + "."
}

// whatToDo is the next step of whoever is called, where no error of a run says more.
func whatToDo(state status.State, problems []status.Problem) string {
	ofDrill := len(problems) > 0 && problems[0].Of == event.Drill
	switch {
	case ofDrill && foundWrong(state.Drills):
		return "Do not rely on that snapshot. Read what was wrong under Restore drills, make a backup, and have it tried: breaking-backups verify."
	case state.Running != nil:
		return "Wait for the run that goes on. If it does not get any further, see what it waits for in the log."
	case state.Queued:
		return "A run waits for its turn at the repository: see which other job takes so long."
	case !state.Seeded && state.SeedError != "":
		return "See that the repository can be reached from here, and that its password is right."
	case ofDrill:
		return "Have a drill made by hand: breaking-backups verify. No run has failed since this program began."
	}
	return "Have a backup made by hand: breaking-backups run-once. No run has failed since this program began: it may have stood still when one was due."
}

// foundWrong reports whether the last drill that could be tried found a fault.
func foundWrong(drills []status.Drill) bool {
	for i := len(drills) - 1; i >= 0; i-- {
		if drills[i].Verdict != event.Untried {
			return drills[i].Verdict == event.Wrong
		}
	}
	return false
}

// sentences are the state of a job in words.
func (s *site) sentences(state status.State, problems []status.Problem, backup, now time.Time) []string {
	var all []string
	for _, p := range problems {
		all = append(all, s.problem(p, state, now))
	}
	if state.PerDatabase {
		return append(all, "It stands for all databases of a server: each is a job of its own.")
	}
	if len(problems) == 0 || problems[0].Of != event.Backup {
		all = append(all, freshness(state, backup, now))
	}
	if drill, planned := state.Fresh[event.Drill]; planned && !drill.Last.IsZero() && (len(problems) == 0 || problems[len(problems)-1].Of != event.Drill) {
		all = append(all, fmt.Sprintf("The last drill that proved a snapshot was %s ago; the schedule allows %s.", age(now.Sub(drill.Last)), age(drill.Until.Sub(drill.Last))))
	}
	return all
}

// freshness says how old the last good backup is, where that is as it should be.
func freshness(state status.State, backup, now time.Time) string {
	fresh, planned := state.Fresh[event.Backup]
	switch {
	case !backup.IsZero() && planned && !fresh.Until.IsZero():
		return fmt.Sprintf("The last good backup is %s old; the schedule allows %s.", age(now.Sub(backup)), age(fresh.Until.Sub(backup)))
	case !backup.IsZero():
		return fmt.Sprintf("The last good backup is %s old; no schedule says how old it may be.", age(now.Sub(backup)))
	case !state.Seeded && state.SeedError == "":
		return "The repository has not been read yet: what it holds is not known."
	case !state.Seeded:
		return "The repository could not be read: what it holds is not known."
	}
	return "There is no backup yet."
}
