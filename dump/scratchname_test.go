package dump

import (
	"strings"
	"testing"
	"time"
)

func TestScratchName(t *testing.T) {
	made := time.Date(2026, 12, 1, 3, 4, 5, 0, time.FixedZone("", 3600))
	for _, prefix := range []string{"drill_", "", `a"b'c%_`, "20260101000000_", "zeile\num"} {
		name := NewScratchName(prefix, made)
		if len(name) != len(prefix)+ScratchNameLength || !strings.HasPrefix(name, prefix+"20261201020405_") {
			t.Errorf("%q", name)
		}
		if got, at, ok := ParseScratchName(name); !ok || got != prefix || !at.Equal(made) {
			t.Errorf("%q: %q, %s, %v", name, got, at, ok)
		}
		other := "f"
		if strings.HasSuffix(name, other) {
			other = "e"
		}
		for _, human := range []string{name + "_old", "x" + name, name[:len(name)-1], name[:len(name)-1] + other, strings.Replace(name, "02040", "02050", 1), strings.ToUpper("x" + name)} {
			if IsScratchName(human) {
				t.Errorf("%q is taken for a drill's", human)
			}
		}
	}
	if prefix, made, ok := ParseScratchName(ScratchMarks("drill_")); prefix != "drill_" || !made.IsZero() || !ok {
		t.Errorf("%q, %s, %v", prefix, made, ok)
	}
	if a, b := NewScratchName("a", made), NewScratchName("a", made); a == b {
		t.Errorf("twice %q", a)
	}
	if IsScratchName("drill_20261201020405_0123456789abcdef") || IsScratchName("drill_") || IsScratchName("") {
		t.Error("a name without its checksum is taken for a drill's")
	}
	if name := withSum("drill_20261301020405_01234567"); IsScratchName(name) {
		t.Errorf("%q has no time", name)
	}
}
