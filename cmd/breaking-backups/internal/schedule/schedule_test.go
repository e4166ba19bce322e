package schedule

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustLoad(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func mustParseCron(t testing.TB, spec string, zone *time.Location) Times {
	t.Helper()
	s, err := ParseCron(spec, zone)
	if err != nil {
		t.Fatalf("parseCron(%q): %v", spec, err)
	}
	return s
}

// runsOn is every time that is due on the given date of the zone.
func runsOn(t *testing.T, spec, zoneName, date string) []time.Time {
	t.Helper()
	zone := mustLoad(t, zoneName)
	noon, err := time.ParseInLocation(time.DateOnly+" 15", date+" 12", zone)
	if err != nil {
		t.Fatal(err)
	}
	var times []time.Time
	s := mustParseCron(t, spec, zone)
	for due := s.Next(noon.Add(-15 * time.Hour)); due.Before(noon.Add(15 * time.Hour)); due = s.Next(due) {
		if due.Format(time.DateOnly) == date {
			times = append(times, due)
		}
	}
	return times
}

func TestScheduleOnTheDaysTheClockIsSet(t *testing.T) {
	const amsterdam, newYork, saoPaulo, lordHowe = "Europe/Amsterdam", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe"
	tests := []struct {
		zone, day, spec string
		want            string
	}{
		// Amsterdam: 02:00 becomes 03:00 on 29 March 2026, 03:00 becomes 02:00 on 25 October 2026.
		{amsterdam, "2026-03-29", "30 1 * * *", "01:30 +01"},
		{amsterdam, "2026-03-29", "0 2 * * *", "03:00 +02"},
		{amsterdam, "2026-03-29", "30 2 * * *", "03:30 +02"},
		{amsterdam, "2026-03-29", "30 3 * * *", "03:30 +02"},
		{amsterdam, "2026-03-29", "15,45 2 * * *", "03:15 +02, 03:45 +02"},
		{amsterdam, "2026-03-29", "30 2,3 * * *", "03:30 +02"},
		{amsterdam, "2026-03-29", "0 */2 * * *", "00:00 +01, 03:00 +02, 04:00 +02, 06:00 +02, 08:00 +02, 10:00 +02, 12:00 +02, 14:00 +02, 16:00 +02, 18:00 +02, 20:00 +02, 22:00 +02"},
		{amsterdam, "2026-03-29", "@daily", "00:00 +01"},
		{amsterdam, "2026-10-25", "30 1 * * *", "01:30 +02"},
		{amsterdam, "2026-10-25", "0 2 * * *", "02:00 +02"},
		{amsterdam, "2026-10-25", "30 2 * * *", "02:30 +02"},
		{amsterdam, "2026-10-25", "0,30 2 * * *", "02:00 +02, 02:30 +02"},
		{amsterdam, "2026-10-25", "0 3 * * *", "03:00 +01"},
		{amsterdam, "2026-10-25", "@daily", "00:00 +02"},
		// New York: 02:00 becomes 03:00 on 8 March 2026, 02:00 becomes 01:00 on 1 November 2026.
		{newYork, "2026-03-08", "30 2 * * *", "03:30 -04"},
		{newYork, "2026-11-01", "30 1 * * *", "01:30 -04"},
		{newYork, "2026-11-01", "@weekly", "00:00 -04"},
		// São Paulo had no midnight on 4 November 2018, and two midnights before 18 February 2018.
		{saoPaulo, "2018-11-04", "@daily", "01:00 -02"},
		{saoPaulo, "2018-11-04", "0 12 * * 0", "12:00 -02"},
		{saoPaulo, "2018-02-18", "@daily", "00:00 -03"},
		{saoPaulo, "2018-02-17", "30 23 * * *", "23:30 -02"},
		// Lord Howe's clock is set by half an hour: 02:00 becomes 02:30 on 4 October 2026, 02:00
		// becomes 01:30 on 5 April 2026.
		{lordHowe, "2026-10-04", "15,40 2 * * *", "02:40 +11, 02:45 +11"},
		{lordHowe, "2026-04-05", "45 1 * * *", "01:45 +11"},
	}
	for _, tt := range tests {
		var shown []string
		for _, due := range runsOn(t, tt.spec, tt.zone, tt.day) {
			shown = append(shown, due.Format("15:04 -07"))
		}
		got := strings.Join(shown, ", ")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s in %s on %s (-want +got):\n%s", tt.spec, tt.zone, tt.day, diff)
		}
	}
}

// What is due every hour goes on in even steps, on days of 23 and 25 hours too.
func TestHourlySchedulesKeepTheirPace(t *testing.T) {
	tests := []struct {
		zone, day, spec string
		step            time.Duration
		runs            int
	}{
		{"Europe/Amsterdam", "2026-03-29", "0 * * * *", time.Hour, 23},
		{"Europe/Amsterdam", "2026-10-25", "0 * * * *", time.Hour, 25},
		{"Europe/Amsterdam", "2026-03-29", "*/15 * * * *", 15 * time.Minute, 92},
		{"Europe/Amsterdam", "2026-10-25", "*/15 * * * *", 15 * time.Minute, 100},
		{"Europe/Amsterdam", "2026-10-25", "0 0-23 * * *", time.Hour, 25},
		{"Europe/Amsterdam", "2026-10-25", "@hourly", time.Hour, 25},
		{"America/New_York", "2026-11-01", "30 * * * *", time.Hour, 25},
		{"America/Sao_Paulo", "2018-11-04", "0 * * * *", time.Hour, 23},
		{"America/Sao_Paulo", "2018-11-04", "0 * * * 0", time.Hour, 23},
		{"Australia/Lord_Howe", "2026-04-05", "*/30 * * * *", 30 * time.Minute, 49},
		{"UTC", "2026-03-29", "0 * * * *", time.Hour, 24},
	}
	for _, tt := range tests {
		runs := runsOn(t, tt.spec, tt.zone, tt.day)
		for i := 1; i < len(runs); i++ {
			if step := runs[i].Sub(runs[i-1]); step != tt.step {
				t.Errorf("%s in %s: %s is %s after the one before", tt.spec, tt.zone, runs[i], step)
			}
		}
		if len(runs) != tt.runs {
			t.Errorf("%s in %s on %s: %d runs, want %d", tt.spec, tt.zone, tt.day, len(runs), tt.runs)
		}
	}
}

// Over a year and in many zones, a schedule of one time of day is due once a day: none lost, none
// doubled.
func TestSchedulesLoseAndDoubleNothing(t *testing.T) {
	zones := map[string]int{ // and how many days their year from 1 June 2011 had
		"UTC": 366, "Europe/Amsterdam": 366, "America/New_York": 366, "America/Sao_Paulo": 366, "Australia/Lord_Howe": 366,
		"Africa/Casablanca": 366, "Asia/Kathmandu": 366, "America/St_Johns": 366,
		"Pacific/Apia": 365, // had no 30 December
	}
	for name, days := range zones {
		zone := mustLoad(t, name)
		for minute := 0; minute < 24*60; minute += 90 {
			spec := time.Date(0, 1, 1, 0, minute, 0, 0, time.UTC).Format("4 15 * * *")
			s := mustParseCron(t, spec, zone)
			runs := map[string]int{}
			end := time.Date(2012, 6, 1, 0, 0, 0, 0, zone)
			for due := s.Next(time.Date(2011, 5, 31, 23, 59, 59, 0, zone)); due.Before(end); due = s.Next(due) {
				runs[due.Format(time.DateOnly)]++
			}
			for day, n := range runs {
				if n != 1 {
					t.Errorf("%s in %s: %d runs on %s", spec, name, n, day)
				}
			}
			if len(runs) != days {
				t.Errorf("%s in %s: runs on %d days, want %d", spec, name, len(runs), days)
			}
		}
	}
}

func TestParseCronRefuses(t *testing.T) {
	for _, spec := range []string{"", "* * * *", "* * * * * *", "60 * * * *", "0 0 30 2 *", "@sometimes", "@triggered", "@every 0s", "@every", "TZ=Mars/Olympus 0 0 * * *", "0 0 L * *", "daily", "0 2 * * * root"} {
		if s, err := ParseCron(spec, time.UTC); err == nil {
			t.Errorf("parseCron(%q) = %v, want an error", spec, s)
		}
	}
}

// Forms of other schedulers are refused in words that say what there is instead.
func TestParseCronRefusesInOurWords(t *testing.T) {
	tests := []struct{ spec, want string }{
		{"@reboot", "RUN_ON_START=true"},
		{"@sometimes", "want @hourly, @daily"},
		{"@triggered", "want @hourly, @daily"},
		{"@Daily", "want @hourly, @daily"},
		{"H 2 * * *", "SCHEDULE_JITTER_SECONDS"},
		{"H(0-29)/10 2 * * *", "SCHEDULE_JITTER_SECONDS"},
		{"0 h/4 * * *", "SCHEDULE_JITTER_SECONDS"},
		{"TZ=Asia/Tokyo 0,H 4 * * *", "SCHEDULE_JITTER_SECONDS"},
		{"0~59 2 * * *", "SCHEDULE_JITTER_SECONDS"},
		{"0 2 L * *", "the last day"},
		{"0 2 1,L-3 * *", "the last day"},
		{"0 2 LW * *", "the last day"},
		{"0 2 15w * *", "the last day"},
		{"0 2 * * 5L", "the last one"},
		{"0 2 * * friL", "the last one"},
		{"0 2 * * L", "the last one"},
		{"0 2 * * FRI#3", "the first Friday"},
		{"0 0 2 * * *", "got 6; there are none for seconds"},
		{"0 2 * *", "want five fields (minute, hour, day of the month, month, day of the week), got 4"},
		{"0 2 * * * root", "users"},
		{" ", "got none"},
	}
	for _, tt := range tests {
		s, err := ParseCron(tt.spec, time.UTC)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, %v; want %q", tt.spec, s, err, tt.want)
		}
	}
	for _, spec := range []string{"0 2 * JUL *", "0 2 * * WED", "0 2 * apr-jul THU,wed", "0 2 ? * TUE"} { // letters of names
		mustParseCron(t, spec, time.UTC)
	}
}

// A field that begins with * beside another day's field: both, as vixie's cron has it.
func TestCronDaysBesideStars(t *testing.T) {
	from, end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	either := func(a, b bool) bool { return a || b }
	both := func(a, b bool) bool { return a && b }
	tests := []struct {
		spec     string
		of       func(bool, bool) bool
		dom, dow func(time.Time) bool
	}{
		{"0 2 */2 * 1", both, func(t time.Time) bool { return t.Day()%2 == 1 }, func(t time.Time) bool { return t.Weekday() == time.Monday }},
		{"0 2 1 * */2", both, func(t time.Time) bool { return t.Day() == 1 }, func(t time.Time) bool { return t.Weekday()%2 == 0 }},
		{"0 2 */7 * */3", both, func(t time.Time) bool { return t.Day()%7 == 1 }, func(t time.Time) bool { return t.Weekday()%3 == 0 }},
		{"0 2 1-31/2 * 1", either, func(t time.Time) bool { return t.Day()%2 == 1 }, func(t time.Time) bool { return t.Weekday() == time.Monday }},
		{"0 2 13 * fri", either, func(t time.Time) bool { return t.Day() == 13 }, func(t time.Time) bool { return t.Weekday() == time.Friday }},
		{"TZ=UTC 0 2 * * 1", both, func(time.Time) bool { return true }, func(t time.Time) bool { return t.Weekday() == time.Monday }},
	}
	for _, tt := range tests {
		s := mustParseCron(t, tt.spec, time.UTC)
		due := s.Next(from)
		for day := from.Add(2 * time.Hour); day.Before(end); day = day.Add(24 * time.Hour) {
			is := day.Equal(due)
			if is {
				due = s.Next(due)
			}
			if want := tt.of(tt.dom(day), tt.dow(day)); is != want {
				t.Errorf("%s: due on %s: %t, want %t", tt.spec, day.Format("Mon 2 Jan"), is, want)
			}
		}
	}
	// A 29 February that is a Sunday, the rarest day there is: 2100 has none.
	rare := mustParseCron(t, "0 0 29 2 */7", time.UTC)
	if got := rare.Next(time.Date(2088, 3, 1, 0, 0, 0, 0, time.UTC)).Format(time.DateOnly); got != "2128-02-29" {
		t.Errorf("after 2088-02-29 comes %s", got)
	}
}

func TestParseCronForms(t *testing.T) {
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) // a Thursday
	tests := []struct{ spec, next string }{
		{"30 2 * * *", "2026-01-02T02:30:00Z"},
		{"@daily", "2026-01-02T00:00:00Z"},
		{"@midnight", "2026-01-02T00:00:00Z"},
		{"@weekly", "2026-01-04T00:00:00Z"},
		{"@monthly", "2026-02-01T00:00:00Z"},
		{"@yearly", "2027-01-01T00:00:00Z"},
		{"@every 6h", "2026-01-01T18:00:00Z"},
		{"0 0 * * 7", "2026-01-04T00:00:00Z"},
		{"0 0 * * mon-fri", "2026-01-02T00:00:00Z"},
		{"0 0 13 * fri", "2026-01-02T00:00:00Z"}, // a Friday or the 13th, as crontab(5) says
		{"0 0 29 2 *", "2028-02-29T00:00:00Z"},
		{"TZ=Asia/Tokyo 0 0 * * *", "2026-01-01T15:00:00Z"},
	}
	for _, tt := range tests {
		if got := mustParseCron(t, tt.spec, time.UTC).Next(start).UTC().Format(time.RFC3339); got != tt.next {
			t.Errorf("%s: %s, want %s", tt.spec, got, tt.next)
		}
	}
}

// Whatever parses has times that only move on, each a reading that the schedule asked for unless
// the clock left it out.
func FuzzParseCron(f *testing.F) {
	for _, seed := range []string{"30 2 * * *", "*/15 * * * *", "0 0 31 */2 1-5", "@daily", "@every 1h", "TZ=UTC 0 0 1 1 *", "1-59/7 22-3 ? feb sun"} {
		f.Add(seed, int64(1774746000))
	}
	zone := mustLoad(f, "Europe/Amsterdam")
	f.Fuzz(func(t *testing.T, spec string, start int64) {
		s, err := ParseCron(spec, zone)
		if err != nil {
			return
		}
		at := time.Unix(start%(1<<33), 0)
		for range 5 {
			next := s.Next(at)
			if next.IsZero() {
				return
			}
			if !next.After(at) {
				t.Fatalf("%q: after %s comes %s", spec, at, next)
			}
			if between := at.Add(time.Duration(rand.Int64N(int64(next.Sub(at))))); !strings.HasPrefix(spec, "@every") {
				if again := s.Next(between); !again.Equal(next) {
					t.Fatalf("%q: next after %s is %s, but after %s it is %s", spec, at, next, between, again)
				}
			}
			at = next
		}
	})
}
