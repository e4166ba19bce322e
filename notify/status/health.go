package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// A Problem is why a job is not healthy. Its reason is for anybody to read: it holds no words of an
// error, which may name hosts and users.
type Problem struct {
	Job    string     `json:"job"`
	Of     event.Kind `json:"of"` // what is too old: backup or drill
	Reason string     `json:"reason"`
	Since  time.Time  `json:"since"` // when it was to be there, or what is wrong happened
}

// Health is why jobs are not healthy at a moment: their last good backup, or drill, is older than
// their schedule allows. Empty: all are, or nothing can be said yet.
//
// From the last good one the next due moment is reckoned; by then, the jitter and the grace the
// next has to be there. A grace of 0 is a quarter of an hour, or twice the longest of the last
// seven good runs if that is more. What waits for its turn at the repository has as much longer as
// it waits, though no longer than until it is due once more. A run that goes on changes nothing,
// and is told in the reason; but the first backup of all, which nothing says how long it will take,
// has a day.
//
// A good backup is a snapshot, whatever became of what follows it, from the moment it is there; a
// good drill is one that proved its snapshot. They count wherever they are known from, so that a
// program which is begun again and again, and ends before its next backup, is told of as soon as
// the last one is too old. Snapshots dated in the future do not count: when they were made nobody
// knows.
//
// If no good one is known, one is owed from the first due moment since the job was added. That a
// program is begun again and again beside an empty repository, or one that it cannot read, is not
// seen so. But a run that has failed is told at once then, as one has where the last good backup is
// fresh. So is a drill that found its snapshot wrong, until one proves another: that is no matter
// of age.
//
// Of a job that stands for all databases of a server only a failed run is told, of what looks for
// these: they are jobs themselves.
func (b *Board) Health(now time.Time) []Problem {
	b.mu.Lock()
	var all []facts
	for _, r := range b.jobs {
		all = append(all, r.facts(now)...)
	}
	b.mu.Unlock()
	var problems []Problem
	for _, f := range all {
		if p, sick := f.problem(now); sick {
			problems = append(problems, p)
		}
	}
	return problems
}

// problem is what is wrong with what the facts are of.
func (f facts) problem(now time.Time) (Problem, bool) {
	p := Problem{Job: f.job, Of: f.kind}
	fresh := f.fresh()
	switch {
	case !f.wrongAt.IsZero():
		p.Since, p.Reason = f.wrongAt, "the drill of "+shown(f.wrongAt)+" found that the snapshot is not as it says of itself"
	case f.parent && f.failed():
		p.Since, p.Reason = f.failedAt, "databases could not be looked for, or not all of them backed up"
	case f.parent || f.plan.Next == nil:
		return p, false
	case len(f.good) == 0 && f.asked && f.failed():
		p.Since, p.Reason = f.failedAt, f.none()
	case fresh.Until.IsZero() || !now.Round(0).After(fresh.Until):
		return p, false
	case fresh.Last.IsZero():
		p.Since, p.Reason = fresh.Until, f.none()+"; one was due at "+shown(fresh.Due)
	default:
		p.Since = fresh.Until
		p.Reason = fmt.Sprintf("the last good %s is of %s, %s ago; the next was due at %s", f.kind, shown(fresh.Last), ago(now.Round(0).Sub(fresh.Last)), shown(fresh.Due))
	}
	p.Since = p.Since.Round(0).UTC().Truncate(time.Second)
	p.Reason += f.beside()
	return p, true
}

func (f facts) none() string {
	if f.kind == event.Drill {
		return "no drill that proved a snapshot is known"
	}
	if f.unread {
		return "no backup is known, and the repository could not be read"
	}
	return "there is no backup"
}

// beside is what else there is to know, after the reason.
func (f facts) beside() string {
	var more strings.Builder
	if f.future {
		more.WriteString("; what is dated in the future does not count")
	}
	if f.failed() {
		more.WriteString("; the last run failed at " + shown(f.failedAt))
	}
	if !f.running.IsZero() {
		more.WriteString("; a run goes on since " + shown(f.running))
	} else if !f.queuedAt.IsZero() {
		more.WriteString("; a run waits for its turn since " + shown(f.queuedAt))
	}
	return more.String()
}

func shown(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ago is an age for people.
func ago(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
