// Package version is what depends on a server's version alone, and is to be known of a server as
// well as of an archive that one of its like was dumped into: above all under which name a time
// series has its documents.
package version

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A Number is a server's version: major, minor, patch.
type Number [3]int

// Parse reads a version as a server tells it, such as 8.0.4 or 8.3.0-rc1. What is none is zero,
// below all others.
func Parse(text string) Number {
	var v Number
	text, _, _ = strings.Cut(text, "-")
	for i, part := range strings.SplitN(text, ".", len(v)) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return Number{}
		}
		v[i] = n
	}
	return v
}

// AtLeast tells whether v is other or above.
func (v Number) AtLeast(other Number) bool {
	return slices.CompareFunc(v[:], other[:], cmp.Compare[int]) >= 0
}

// RawData tells whether servers of this version keep the buckets of a time series under its own
// name, and give and take them where a command says rawData.
func (v Number) RawData() bool { return v.AtLeast(Number{8, 3, 0}) }

// BucketsPrefix and a time series' name are the name of its buckets, where they have their own.
const BucketsPrefix = "system.buckets."

// DataName is the name under which the documents of a collection of such a kind stand in such a
// server's database, and in an archive of it: a time series keeps them in a collection of buckets.
func (v Number) DataName(kind, name string) string {
	if kind == "timeseries" && !v.RawData() {
		return BucketsPrefix + name
	}
	return name
}

// ListedName is the name of a collection of such a kind whose documents stand under that one: what
// DataName makes another of.
func (v Number) ListedName(kind, dataName string) string {
	if kind == "timeseries" && !v.RawData() {
		return strings.TrimPrefix(dataName, BucketsPrefix)
	}
	return dataName
}
