// Package schedule is when runs are due: cron's fields and intervals, through the changes of clocks
// and whatever they are set to, and the loop that waits for each and begins it. What a run does is
// whoever's who gives it.
package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

// Times says when runs are due. Next is the first moment after t, or the zero time when there is
// none.
type Times interface {
	Next(t time.Time) time.Time
}

// Interval is due every so often, counted from the moment before. It is more than 0.
type Interval time.Duration

func (d Interval) Next(t time.Time) time.Time { return t.Add(time.Duration(d)) }

// from is the interval counted from a moment, whenever it is asked.
func (d Interval) from(start time.Time) Times { return beat{start, time.Duration(d)} }

// beat is due at start and every so often before and after it.
type beat struct {
	start time.Time
	every time.Duration
}

func (b beat) Next(t time.Time) time.Time {
	into := t.Sub(b.start) % b.every
	if into < 0 {
		into += b.every
	}
	return t.Add(b.every - into)
}

// ParseCron reads five cron fields, a descriptor such as @daily, or "@every 6h". The times are of
// zone, unless the text begins with its own (TZ=Europe/Amsterdam). A schedule that is never due is
// refused.
//
// A day of the month and a day of the week select the days that are either, as in every cron; but
// where one of the two fields begins with *, the days that are both. That is Vixie's rule, for */2
// as for *.
//
// go-cron parses, and finds the next time on a clock without changes; the changes are ours, because
// with a zone go-cron runs "30 2 * * *" twice on the night the clock goes back.
func ParseCron(text string, zone *time.Location) (Times, error) {
	parser, err := cron.TryNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DowOrDom | cron.Descriptor)
	if err != nil {
		return nil, err
	}
	fields := cronFields(text)
	if err := unsupported(fields); err != nil {
		return nil, err
	}
	parsed, err := parser.WithMaxSearchYears(50).Parse(text) // a 29 February that is a Sunday comes after 28 or 40 years
	if err != nil {
		return nil, err
	}
	var s Times
	switch parsed := parsed.(type) {
	case cron.ConstantDelaySchedule:
		return Interval(parsed.Delay), nil
	case *cron.SpecSchedule:
		if parsed.Location != time.Local {
			zone = parsed.Location
		}
		clock := *parsed
		clock.Location = time.UTC
		if len(fields) == 5 && (strings.HasPrefix(fields[2], "*") || strings.HasPrefix(fields[4], "*")) {
			clock.DowOrDom = false
		}
		if everyHour(parsed) {
			s = steady{&clock, zone}
		} else {
			s = wallClock{&clock, zone}
		}
	default:
		return nil, fmt.Errorf("%q has no times", text)
	}
	if s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("no date ever matches")
	}
	return s, nil
}

// cronFields are the fields of a schedule, without the zone that may stand before them.
func cronFields(text string) []string {
	fields := strings.Fields(text)
	if len(fields) > 0 && (strings.HasPrefix(fields[0], "TZ=") || strings.HasPrefix(fields[0], "CRON_TZ=")) {
		fields = fields[1:]
	}
	return fields
}

// Forms of other schedulers' fields, of which go-cron speaks as of its own options.
var (
	hashed      = regexp.MustCompile(`(?i)(^|,)H([/(,]|$)`)
	randomRange = regexp.MustCompile(`~`)
	lastDay     = regexp.MustCompile(`(?i)(^|,)(L(-\d+)?|L?W|\d+[LW])(,|$)`)
	nthWeekday  = regexp.MustCompile(`(?i)#|(^|,)(\d|[a-z]{3})?L(,|$)`)
)

// unsupported is why fields are none of ours, where they are another scheduler's.
func unsupported(fields []string) error {
	switch {
	case len(fields) == 0:
		return errors.New("want five fields, or @daily, got none")
	case slices.ContainsFunc(fields, func(field string) bool { return strings.ContainsAny(field, `"'`) }):
		return fmt.Errorf("want it without quotes, which only a shell takes away, got %s", strings.Join(fields, " "))
	case strings.EqualFold(fields[0], "@reboot"):
		return errors.New("@reboot is not supported; RUN_ON_START=true makes a run at start, beside those of a schedule")
	case strings.HasPrefix(fields[0], "@every"):
		return nil
	case strings.HasPrefix(fields[0], "@"):
		if !slices.Contains([]string{"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}, fields[0]) {
			return fmt.Errorf("want @hourly, @daily, @weekly, @monthly, @yearly or @every 6h, got %q", fields[0])
		}
		return nil
	case len(fields) != 5:
		return fmt.Errorf("want five fields (minute, hour, day of the month, month, day of the week), got %d; there are none for seconds, years, users and commands", len(fields))
	case slices.ContainsFunc(fields, hashed.MatchString), slices.ContainsFunc(fields, randomRange.MatchString):
		return errors.New("moments at random (H, ~) are not supported; SCHEDULE_JITTER_SECONDS spreads runs")
	case lastDay.MatchString(fields[2]):
		return fmt.Errorf("day of the month: the last day (L) and the nearest weekday (W) are not supported, got %q", fields[2])
	case nthWeekday.MatchString(fields[4]):
		return fmt.Errorf("day of the week: the first Friday (#) and the last one (L) are not supported, got %q", fields[4])
	}
	return nil
}

func everyHour(s *cron.SpecSchedule) bool {
	const hours = 1<<24 - 1
	return s.Hour&hours == hours
}

// The two schedules below ask a cron schedule of UTC about the readings of a zone's clock, each
// written as that moment of UTC, for UTC has no changes.

// reading is what zone's clock shows at t, as a moment of UTC.
func reading(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// steady is a schedule of every hour: it goes on through a change of the clock as time does. 0 * *
// * * is due once in each hour that passes.
type steady struct {
	clock Times
	zone  *time.Location
}

func (s steady) Next(t time.Time) time.Time {
	for at := t; ; { // at is a moment between two changes, whose offset counts
		_, seconds := at.In(s.zone).Zone()
		offset := time.Duration(seconds) * time.Second
		next := s.clock.Next(t.UTC().Add(offset))
		if next.IsZero() {
			return next
		}
		due := next.Add(-offset)
		_, change := at.In(s.zone).ZoneBounds()
		if change.IsZero() || due.Before(change) {
			return due.In(s.zone)
		}
		// The clock is set before it comes so far: look again from the change on, with the offset
		// it brings.
		t, at = change.Add(-time.Second), change
	}
}

// wallClock is a schedule of certain hours. A reading that the clock shows twice is due the first
// time; one that it leaves out is due when it would have been shown had nobody set the clock, so 30
// 2 * * * is due at 03:30 on that day.
type wallClock struct {
	clock Times
	zone  *time.Location
}

// maxShift is more than any change of a clock: a whole day, where a country crossed the date line.
const maxShift = 25 * time.Hour

func (s wallClock) Next(t time.Time) time.Time {
	// Readings left out may be due after later readings, so look at a window of them that is wider
	// than any change.
	var first time.Time
	from := reading(t, s.zone).Add(-maxShift)
	for shown := s.clock.Next(from); !shown.IsZero(); shown = s.clock.Next(shown) {
		if !first.IsZero() && shown.After(reading(first, s.zone).Add(maxShift)) {
			break
		}
		if due := s.due(shown); due.After(t) && (first.IsZero() || due.Before(first)) {
			first = due
		}
	}
	return first
}

// due is the moment of a reading.
func (s wallClock) due(shown time.Time) time.Time {
	// A reading is at most 12 hours behind and 14 before UTC's; take the offsets on either side of
	// where it may be.
	_, before := shown.Add(-14*time.Hour - time.Second).In(s.zone).Zone()
	_, after := shown.Add(12*time.Hour + time.Second).In(s.zone).Zone()
	early := shown.Add(-time.Duration(before) * time.Second)
	late := shown.Add(-time.Duration(after) * time.Second)
	if !reading(early, s.zone).Equal(shown) && reading(late, s.zone).Equal(shown) {
		return late.In(s.zone)
	}
	return early.In(s.zone) // shown once, shown twice, or left out
}
