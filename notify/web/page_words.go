package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Bounds on what is shown of a text, in characters. Names are cut in their middle: what tells two
// apart is at either end.
const (
	mostNameShown = 100
	mostTextShown = 2000
)

// name is a name for people: in one line, and no longer than can be read.
func name(text string) string {
	all := []rune(visible(clipBytes(text), false))
	if len(all) <= mostNameShown {
		return string(all)
	}
	const end = mostNameShown / 3
	return string(all[:mostNameShown-end-1]) + "…" + string(all[len(all)-end:])
}

// words are somebody's words for people. Their lines stay.
func words(text string) string {
	all := []rune(visible(clipBytes(text), true))
	if len(all) > mostTextShown {
		all = append(all[:mostTextShown-1], '…')
	}
	return string(all)
}

// clipBytes leaves out the middle of what is far too long, so that none of it is looked at.
func clipBytes(text string) string {
	const most = 8 * mostTextShown
	if len(text) <= most {
		return text
	}
	return text[:most/2] + text[len(text)-most/2:]
}

// visible shows characters that nobody sees, or that would change how others are read: a name that
// turns the direction of what follows may look like another one.
func visible(text string, lines bool) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case hidden(r):
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden also are marks without a width, and spaces that are no blank.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r != ' ' && unicode.IsSpace(r) || r == '\u2028' || r == '\u2029'
}

// count is a number for people: 1,234,567.
func count[T ~int | ~int64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "−", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// change is a number with its sign.
func change(n int64) string {
	if n > 0 {
		return "+" + count(n)
	}
	return count(n)
}

// several is a number of things.
func several(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// size is a number of bytes, as the log writes it.
func size(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	for n >= 999.95 && i < len(units)-1 {
		n /= 1000
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}

// span is a length of time for people, in its two largest units.
func span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return two(int(d.Minutes()), "min", int(d.Seconds())%60, "s")
	case d < 48*time.Hour:
		return two(int(d.Hours()), "h", int(d.Minutes())%60, "min")
	}
	return two(int(d.Hours()/24), "d", int(d.Hours())%24, "h")
}

func two(large int, of string, small int, ofSmall string) string {
	if small == 0 {
		return fmt.Sprintf("%d %s", large, of)
	}
	return fmt.Sprintf("%d %s %d %s", large, of, small, ofSmall)
}

// age is how long ago something was, or how long it will take: below a minute nobody counts.
func age(d time.Duration) string {
	if d < time.Minute {
		return "less than 1 min"
	}
	if d < time.Hour {
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return span(d)
}
