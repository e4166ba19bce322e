package retention

import (
	"fmt"
	"strconv"
	"strings"
)

// Span is a length of calendar time as restic writes it: years, months, days and hours. Unlike a
// time.Duration it can say "one month". The zero Span is no time at all.
type Span struct{ Years, Months, Days, Hours int }

// ParseSpan reads restic's form, e.g. "1y5m7d2h": whole numbers of 1 or more, each with its unit,
// every unit at most once, in any order. restic's own reader also takes zero and negative numbers;
// as a rule to keep by they select nothing, so they are refused here, as are numbers above 65535,
// which dates cannot hold.
func ParseSpan(s string) (Span, error) {
	wrong := fmt.Errorf("want years, months, days and hours, e.g. 1y6m or 30d, got %q", s)
	var span Span
	units := map[byte]*int{'y': &span.Years, 'm': &span.Months, 'd': &span.Days, 'h': &span.Hours}
	for rest := s; rest != "" || s == ""; {
		end := strings.IndexAny(rest, "ymdh")
		if end < 0 {
			return Span{}, wrong
		}
		n, err := strconv.ParseUint(rest[:end], 10, 16)
		field := units[rest[end]]
		if err != nil || n == 0 || *field != 0 {
			return Span{}, wrong
		}
		*field = int(n)
		rest = rest[end+1:]
	}
	return span, nil
}

// IsZero reports whether the span is no time at all.
func (s Span) IsZero() bool { return s == Span{} }

// String is the form that ParseSpan reads, empty for the zero Span.
func (s Span) String() string {
	var b strings.Builder
	for _, part := range []struct {
		n    int
		unit string
	}{{s.Years, "y"}, {s.Months, "m"}, {s.Days, "d"}, {s.Hours, "h"}} {
		if part.n != 0 {
			b.WriteString(strconv.Itoa(part.n) + part.unit)
		}
	}
	return b.String()
}
