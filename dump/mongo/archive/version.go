package archive

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A Version is a server's: major, minor, patch.
type Version [3]int

// ParseVersion reads a version as a server tells it, such as 8.0.4 or
// 8.3.0-rc1. What is none is zero, below all others.
func ParseVersion(text string) Version {
	var v Version
	text, _, _ = strings.Cut(text, "-")
	for i, part := range strings.SplitN(text, ".", len(v)) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return Version{}
		}
		v[i] = n
	}
	return v
}

// AtLeast tells whether v is other or above.
func (v Version) AtLeast(other Version) bool {
	return slices.CompareFunc(v[:], other[:], cmp.Compare[int]) >= 0
}

// RawData tells whether servers of this version keep the buckets of a time series
// under its own name, and give and take them where a command says rawData.
func (v Version) RawData() bool { return v.AtLeast(Version{8, 3, 0}) }

// BucketsPrefix and a time series' name are the name of its buckets, where they
// have their own.
const BucketsPrefix = "system.buckets."

// DataName is the name under which a collection's documents stand in such a
// server's database, and in an archive of it: a time series keeps them in a
// collection of buckets.
func (v Version) DataName(c *Collection) string {
	if c.Type == "timeseries" && !v.RawData() {
		return BucketsPrefix + c.Name
	}
	return c.Name
}
