package retention

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPolicy(t *testing.T) {
	tests := []struct {
		name   string
		policy Policy
		words  string
		err    error
	}{
		{"none set", Policy{}, "everything", nil},
		{"one rule", Policy{Daily: new(7)}, "7 daily", nil},
		{
			"every rule",
			Policy{new(1), new(2), new(3), new(4), new(5), new(6), Span{Months: 1, Days: 2}},
			"1 last, 2 hourly, 3 daily, 4 weekly, 5 monthly, 6 yearly, all within 1m2d", nil,
		},
		{"unlimited", Policy{Yearly: new(Unlimited)}, "unlimited yearly", nil},
		{"a zero beside a rule", Policy{Daily: new(7), Weekly: new(0)}, "7 daily", nil},
		{"within alone", Policy{Within: Span{Days: 30}}, "all within 30d", nil},
		{"one zero", Policy{Daily: new(0)}, "nothing", errKeepsNothing},
		{"zeros", Policy{Last: new(0), Daily: new(0)}, "nothing", errKeepsNothing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.policy.Validate(); !errors.Is(err, tt.err) {
				t.Errorf("Validate: %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.words, tt.policy.String()); diff != "" {
				t.Errorf("String (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValidateRefusesNegativeCounts(t *testing.T) {
	err := Policy{Daily: new(7), Monthly: new(-2)}.Validate()
	if err == nil || !strings.Contains(err.Error(), "keep monthly: want 0 or more, got -2") {
		t.Errorf("Validate: %v", err)
	}
}

func TestParseCount(t *testing.T) {
	for in, want := range map[string]int{"0": 0, "7": 7, "unlimited": Unlimited} {
		if got, err := ParseCount(in); err != nil || got != want {
			t.Errorf("ParseCount(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "-1", "seven", "1.5", " 7", "0x7", "4294967296", "all"} {
		if got, err := ParseCount(in); err == nil {
			t.Errorf("ParseCount(%q) = %d, want an error", in, got)
		}
	}
}

func TestParseSpan(t *testing.T) {
	tests := map[string]Span{
		"30d":          {Days: 30},
		"1y":           {Years: 1},
		"1y5m7d2h":     {Years: 1, Months: 5, Days: 7, Hours: 2},
		"2h1y":         {Years: 1, Hours: 2},
		"65535d":       {Days: 65535},
		"65536y":       {},
		"":             {},
		"30":           {},
		"d":            {},
		"0d":           {},
		"-3d":          {},
		"+3d":          {},
		"1d2d":         {},
		"30 d":         {},
		"1w":           {},
		"1h30":         {},
		"99999999999d": {},
	}
	for in, want := range tests {
		got, err := ParseSpan(in)
		if got != want || (err == nil) == want.IsZero() {
			t.Errorf("ParseSpan(%q) = %+v, %v, want %+v", in, got, err, want)
		}
	}
}

// What is read as a span is written so that it reads as the same span, and is never "keep nothing".
func FuzzParseSpan(f *testing.F) {
	for _, seed := range []string{"30d", "1y5m7d2h", "", "0d", "1d2d", "y", "9999999999h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		span, err := ParseSpan(in)
		if err != nil {
			return
		}
		if span.IsZero() {
			t.Fatalf("ParseSpan(%q) is zero without an error", in)
		}
		again, err := ParseSpan(span.String())
		if err != nil || again != span {
			t.Fatalf("%q: %+v writes as %q, which reads as %+v, %v", in, span, span, again, err)
		}
	})
}
