package dump

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"time"

	"github.com/cespare/xxhash/v2"
)

// The name of a drill's database is a prefix, the time at which it was made, in UTC, and 16 digits:
// eight at random, and eight that are a checksum of all before. So nobody gives a database such a
// name by accident, not even who takes a drill's and changes it, and a name tells by itself what it
// is, whatever the prefix: MySQL and MongoDB have no other place for a mark.
const scratchTime = "20060102150405"

var scratchShape = regexp.MustCompile(`(?s)^(.*)([0-9]{14})_[0-9a-f]{8}([0-9a-f]{8})$`)

// ScratchNameLength is how many bytes a name of NewScratchName has behind its prefix.
const ScratchNameLength = len(scratchTime) + 1 + 16

// NewScratchName makes a name for the database of a drill.
func NewScratchName(prefix string, made time.Time) string {
	var random [4]byte
	rand.Read(random[:]) // never fails
	return withSum(fmt.Sprintf("%s%s_%x", prefix, made.UTC().Format(scratchTime), random))
}

// ParseScratchName reports whether a database has a name that NewScratchName has made, and with
// which prefix and when.
func ParseScratchName(name string) (prefix string, made time.Time, ok bool) {
	m := scratchShape.FindStringSubmatch(name)
	if m == nil || withSum(name[:len(name)-len(m[3])]) != name {
		return "", time.Time{}, false
	}
	made, err := time.Parse(scratchTime, m[2])
	return m[1], made, err == nil
}

// ScratchMarks is the name of a database in which drills of a prefix say that they live, where the
// engine has no other place for that. It was made at the zero time.
func ScratchMarks(prefix string) string {
	return withSum(prefix + time.Time{}.Format(scratchTime) + "_00000000")
}

// IsScratchName reports whether a database is a drill's, of any prefix: nobody backs that up.
func IsScratchName(name string) bool {
	_, _, ok := ParseScratchName(name)
	return ok
}

func withSum(name string) string {
	return fmt.Sprintf("%s%08x", name, uint32(xxhash.Sum64String(name)))
}
