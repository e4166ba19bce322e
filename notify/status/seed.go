package status

import (
	"slices"
	"strings"
	"time"
)

// skew is by how much clocks may differ that are right: what is of later than that is of the
// future.
const skew = 5 * time.Minute

// Seed says what the repository holds of a job: all its backups and drills. err is why it could not
// be read; what was known stays so then. It may be told again at any time. A backup of this process
// that the repository does not tell of stays once, as it may have been made while that was read.
func (b *Board) Seed(job string, backups []Backup, drills []Drill, err error) {
	now := b.now()
	b.with(job, func(r *record) {
		if err != nil {
			r.seedError = clip(err.Error(), mostError)
			return
		}
		r.seeded, r.seedError = true, ""
		r.seedBackups(backups, now)
		r.seedDrills(drills, now)
	})
}

func (r *record) seedBackups(told []Backup, now time.Time) {
	before, names := r.backups, r.names()
	told = slices.SortedStableFunc(slices.Values(told), func(x, y Backup) int { return byTime(x.At, y.At) })
	r.backups = nil
	for _, t := range told {
		r.backups = append(r.backups, seeded(t, before, names, now))
	}
	for _, known := range before {
		listed := slices.ContainsFunc(told, func(t Backup) bool { return t.ID == known.ID })
		if !listed && known.own && !known.unlisted {
			known.unlisted = true
			r.backups = append(r.backups, known)
		}
	}
	slices.SortStableFunc(r.backups, func(x, y backup) int { return byTime(x.At, y.At) })
	r.boundBackups()
}

// seeded is a backup as the repository tells it, with what was known of it.
func seeded(t Backup, before []backup, names map[string]string, now time.Time) backup {
	fresh := backup{Backup: t, took: t.Duration, future: t.At.Sub(now) > skew}
	fresh.ID, fresh.At = clip(t.ID, mostName), t.At.Round(0)
	if t.Tables != nil {
		fresh.describe(t.Tables, names)
	}
	for _, known := range before {
		if known.ID != fresh.ID {
			continue
		}
		if known.own { // its time is one of this process, which it takes no clock to know the age of
			fresh.own, fresh.At, fresh.took, fresh.future = true, known.At, known.took, false
		}
		if !fresh.Described {
			fresh.Described, fresh.Count, fresh.Rows, fresh.Tables = known.Described, known.Count, known.Rows, known.Tables
		}
	}
	return fresh
}

// seedDrills takes what is told, and keeps what this process knows of itself: nobody removes
// drills, but one may not have got its note.
func (r *record) seedDrills(told []Drill, now time.Time) {
	own := slices.DeleteFunc(r.drills, func(d drill) bool { return !d.own })
	r.drills = own
	for _, t := range told {
		if slices.ContainsFunc(own, func(d drill) bool { return sameDrill(d.Drill, t) }) {
			continue
		}
		t.At, t.Drilled = t.At.Round(0), *boundDrilled(&t.Drilled)
		r.drills = append(r.drills, drill{Drill: t, took: t.Restore, future: t.At.Sub(now) > skew})
	}
	slices.SortStableFunc(r.drills, func(x, y drill) int { return byTime(x.At, y.At) })
	r.boundDrills()
}

// byTime goes by what clocks showed: not all of these times know more.
func byTime(x, y time.Time) int { return x.Round(0).Compare(y.Round(0)) }

// sameDrill reports whether two are one, told by an event and by its note.
func sameDrill(x, y Drill) bool {
	apart := x.At.Round(0).Sub(y.At.Round(0)).Abs()
	sameSnapshot := strings.HasPrefix(x.Snapshot, y.Snapshot) || strings.HasPrefix(y.Snapshot, x.Snapshot)
	return apart < 2*time.Minute && sameSnapshot && x.Verdict == y.Verdict
}
