package catalog

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// asked is all that a server is asked for the kinds of definition.go, and for letters.
func asked(srv server.Info) string {
	kinds := kindsOf(srv)
	_, occurrence := occurrence(kinds)
	queries := []string{occurrence, unknownLetters(srv.Version)}
	for _, k := range kinds {
		queries = append(queries, k.sql(srv), k.count(srv))
	}
	return strings.Join(queries, "\n")
}

// A server is asked for nothing that came with a later version.
func TestNewerKinds(t *testing.T) {
	const class, since = 8300, 190000
	before := asked(server.Info{Version: since - 1})
	definedKinds = append(definedKinds, definedKind{"riddles", class, kindStatistics, "RIDDLE", fixed("SELECT oid FROM pg_riddle WHERE oid >= $1"), "", since})
	knownLetters = append(knownLetters, letters{"pg_riddle", "ridkind", "ab", since}, letters{"pg_event_trigger", "evtriddle", "ab", since})
	catalogues[class] = "pg_riddle"
	t.Cleanup(func() {
		definedKinds = definedKinds[:len(definedKinds)-1]
		knownLetters = knownLetters[:len(knownLetters)-2]
		delete(catalogues, class)
	})

	if after := asked(server.Info{Version: since - 1}); after != before {
		t.Errorf("the older server is asked\n%s\nand without the newer kind\n%s", after, before)
	}
	now := asked(server.Info{Version: since})
	for _, part := range []string{
		"EXISTS (SELECT FROM pg_riddle WHERE oid >= $1)", "SELECT oid FROM pg_riddle", "SELECT count(*) FROM pg_riddle", "SELECT DISTINCT ridkind FROM pg_riddle", "x.evtriddle",
	} {
		if !strings.Contains(now, part) {
			t.Errorf("the newer server is not asked %q", part)
		}
	}
}

// An entry says, or count does, in which catalogue its kind is counted.
func TestEveryKindIsCounted(t *testing.T) {
	for major := 13; major <= newest; major++ {
		for _, sees := range []bool{false, true} {
			srv := server.Info{Version: major * 10000, SeesMappings: sees}
			for _, k := range kindsOf(srv) {
				if count := k.count(srv); !strings.HasPrefix(count, "SELECT count(*) FROM pg_") {
					t.Errorf("%s of %d are counted by %q: their catalogue is neither in catalogues nor in count", k.what, major, count)
				}
			}
		}
	}
	classes, _ := occurrence(definedKinds)
	if slices.Sort(classes); !slices.Equal(classes, slices.Sorted(maps.Keys(catalogues))) {
		t.Errorf("catalogues has %d classes, and of kinds that are defined there are %d of them: %d", len(catalogues), len(classes), classes)
	}
}
