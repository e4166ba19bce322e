package ddl

import (
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// Computing returns the TIMESTAMP columns of a table of which it computes something.
func (d Table) Computing() []string {
	var stamps, computed []string
	for _, e := range d.Elements {
		name, rest, column := quote.CutName(e)
		if column && strings.HasPrefix(rest, " timestamp") {
			stamps = append(stamps, name)
		}
		for _, word := range []string{" GENERATED ALWAYS AS (", " CHECK ("} {
			if at := quote.Index(e, word); at >= 0 {
				computed = append(computed, e[at:])
			}
		}
		if !column && (quote.Index(e, " ((") >= 0 || quote.Index(e, ",(") >= 0) {
			computed = append(computed, e)
		}
	}
	looks := slices.ContainsFunc(computed, func(text string) bool {
		return slices.ContainsFunc(stamps, func(name string) bool { return strings.Contains(text, name) })
	})
	if !looks {
		return nil
	}
	return stamps
}

// UniqueOfComputed returns the unique keys of columns that are computed of the stamps, and those
// behind the first of them, which are added together then and so in their order. What is unique in
// one zone need not be in UTC, in which the rows come first.
func (d Table) UniqueOfComputed(stamps []string) []string {
	of := slices.Clone(stamps)
	mentions := func(text string) bool {
		return slices.ContainsFunc(of, func(name string) bool { return strings.Contains(text, name) })
	}
	for more := true; more; { // one computed column may be of another
		more = false
		for _, e := range d.Elements {
			name, _, column := quote.CutName(e)
			if at := quote.Index(e, " GENERATED ALWAYS AS ("); column && at >= 0 && !slices.Contains(of, name) && mentions(e[at:]) {
				of, more = append(of, name), true
			}
		}
	}
	of = of[len(stamps):]
	var keys []string
	for _, e := range d.Elements {
		if strings.HasPrefix(e, "UNIQUE KEY ") && (len(keys) > 0 || mentions(keyParts(e))) {
			keys = append(keys, e)
		}
	}
	for _, e := range d.Elements { // whose key has to be there from the beginning
		if name, rest, ok := quote.CutName(e); ok && strings.Contains(rest, " AUTO_INCREMENT") {
			if slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(keyParts(key), name) }) {
				return nil
			}
		}
	}
	return keys
}

// keyParts is what a key's element says behind the key's name.
func keyParts(element string) string {
	return element[quote.End(element, strings.Index(element, "`"))+1:]
}
