package mongo

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// dumpWithOplog is a dump of a replica set in which these things happened meanwhile.
func dumpWithOplog(t *testing.T, entries ...string) []byte {
	t.Helper()
	f := startFake(t)
	f.set = "rs0"
	fillFake(t, f)
	entriesDuringTheDump(t, f, entries...)
	stream, _, err := dumpFake(t, f, Config{Oplog: OplogOn})
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// order returns in which order the first commands of these names were sent.
func (f *fake) order(names ...string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	seen := map[string]bool{}
	for _, command := range f.commands {
		name := command.Index(0).Key()
		for _, n := range names {
			if n == name && !seen[n] {
				seen[n] = true
				all = append(all, n)
			}
		}
	}
	return all
}

// Views and users come before the oplog, which may be about them; nobody may write where views are
// kept.
func TestReplayOfViewsAndUsers(t *testing.T) {
	entries := []string{
		oplogEntry(3, "i", "app.system.views", `{"_id":"app.fresh","viewOn":"users","pipeline":[{"$match":{"b":1}}]}`),
		oplogEntry(4, "i", "app.system.views", `{"_id":"app.brief","viewOn":"fresh","pipeline":[]}`),
		oplogEntry(5, "d", "app.system.views", `{"_id":"app.brief"}`),
		oplogEntry(6, "i", "admin.system.users", `{"_id":"app.ann","user":"ann","db":"app"}`),
		oplogEntry(7, "km", "", `{}`),
		oplogEntry(8, "i", "__mdb_internal_x.y", `{"_id":1}`),
		oplogEntry(9, "c", "app.$cmd", `{"setMultikeyMetadata":"users"}`),
	}
	stream := dumpWithOplog(t, entries...)
	to := startFake(t)
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
		t.Fatal(err)
	}
	equalStrings(t, "order", to.order("_mergeAuthzCollections", "applyOps", "createIndexes"), []string{"_mergeAuthzCollections", "applyOps", "createIndexes"})
	if applied := to.sent("applyOps"); len(applied) != 1 || !strings.Contains(applied[0], "app.ann") {
		t.Errorf("applied %q, want the user alone", applied)
	}
	creates := strings.Join(to.sent("create"), "\n")
	if !strings.Contains(creates, `app: {"create":"fresh","viewOn":"users","pipeline":[{"$match":{"b":1}}]}`) || to.collection("app", "brief") != nil {
		t.Errorf("made:\n%s", creates)
	}
	// A view that is there already, as it was made before views were listed.
	f := startFake(t)
	f.set = "rs0"
	fillFake(t, f)
	f.add(t, "app", "fresh", "view", `{"viewOn":"users","pipeline":[{"$match":{"b":1}}]}`)
	entriesDuringTheDump(t, f, entries...)
	stream, _, err := dumpFake(t, f, Config{Oplog: OplogOn})
	if err != nil {
		t.Fatal(err)
	}
	to = startFake(t)
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
		t.Error(err)
	}
	if made := strings.Count(strings.Join(to.sent("create"), "\n"), `"create":"fresh"`); made != 1 {
		t.Errorf("the view is made %d times", made)
	}
}

// What happens to an index of a time series is told of its buckets.
func TestReplayOfSeriesIndexes(t *testing.T) {
	hide := oplogEntry(3, "c", "app.$cmd", `{"collMod":"system.buckets.weather","index":{"name":"m_1_t_1","hidden":true}}`)
	drop := oplogEntry(4, "c", "app.$cmd", `{"dropIndexes":"system.buckets.weather","index":"m_1_t_1"}`)
	for want, entries := range map[string][]string{"hidden": {hide}, "dropped": {hide, drop}} {
		to := startFake(t)
		if _, err := loadFake(t, to, LoadConfig{}, dumpWithOplog(t, entries...)); err != nil {
			t.Fatal(err)
		}
		made := strings.Join(to.sent("createIndexes"), "\n")
		if hidden := strings.Contains(made, `"name":"m_1_t_1","hidden":true`); hidden != (want == "hidden") {
			t.Errorf("%s: indexes made: %s", want, made)
		}
	}
}

// An index that is made of a time series during a dump is told of its buckets, with how it was
// asked for since 6.0. One more of them does not hide those that were there.
func TestReplayOfASeriesNewIndexes(t *testing.T) {
	const buckets = `{"createIndexes":"system.buckets.weather","v":2,"key":{"meta":1,"control.max.t":-1},"name":"new"`
	for want, made := range map[string]string{
		`{"createIndexes":"weather","indexes":[{"key":{"m":1,"t":-1},"name":"new"}]`:                               buckets + `,"originalSpec":{"v":2,"key":{"m":1,"t":-1},"name":"new"}}`,
		`{"createIndexes":"system.buckets.weather","indexes":[{"key":{"meta":1,"control.max.t":-1},"name":"new"}]`: buckets + `}`,
	} {
		to := startFake(t)
		stream := dumpWithOplog(t, oplogEntry(3, "c", "app.$cmd", made), oplogEntry(4, "c", "app.$cmd", `{"dropIndexes":"system.buckets.weather","index":"m_1_t_1"}`))
		if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(to.sent("createIndexes"), "\n"); !strings.Contains(all, want) || strings.Contains(all, "m_1_t_1") {
			t.Errorf("indexes made: %s, want %s alone", all, want)
		}
	}
}

func TestNoReplayThroughMongos(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3}`))
	to := startFake(t)
	to.msg = "isdbgrid"
	if _, err := loadFake(t, to, LoadConfig{}, stream); !errors.Is(err, ErrNoReplay) || len(to.sent("create")) > 0 {
		t.Errorf("%v, want %v before anything is changed; %q", err, ErrNoReplay, to.sent("create"))
	}
	if warnings, err := loadFake(t, to, LoadConfig{Include: []string{"*"}}, stream); err != nil || len(warnings) != 2 || !strings.Contains(warnings[1], "users and roles are left out") {
		t.Errorf("without the oplog: %v, %q", err, warnings)
	}
}

// A transaction that was prepared before the oplog begins and committed before the first document
// was read is in the documents.
func TestReplayOfCommitAlone(t *testing.T) {
	commit := `{"lsid":{"id":{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAA==","subType":"04"}}},"txnNumber":{"$numberLong":"7"},` +
		oplogEntry(3, "c", "admin.$cmd", `{"commitTransaction":1}`)[1:]
	if _, err := loadFake(t, startFake(t), LoadConfig{}, dumpWithOplog(t, commit)); err != nil {
		t.Error(err)
	}
}

// Of a document that is deleted and inserted anew during a dump both may be in it. The oplog says
// which it is; without one it is an error.
func TestSecondID(t *testing.T) {
	second := bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}, {Key: "writeErrors", Value: bson.A{bson.D{
		{Key: "index", Value: 1}, {Key: "code", Value: server.CodeDuplicateKey}, {Key: "keyPattern", Value: bson.D{{Key: "_id", Value: 1}}}, {Key: "errmsg", Value: "E11000 duplicate key"},
	}}}}
	refusing := func() *fake {
		to := startFake(t)
		to.handle("insert", func(_ string, command bson.Raw) any {
			if name, _ := command.Lookup("insert").StringValueOK(); name != "users" {
				return nil
			}
			to.collection("app", "users").docs = []bson.Raw{command.Lookup("documents", "0").Document()}
			return second
		})
		return to
	}
	stream := dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3}`))
	to := refusing()
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil || len(to.sent("applyOps")) != 1 {
		t.Errorf("%v, %q", err, to.sent("applyOps"))
	}
	if _, err := loadFake(t, refusing(), LoadConfig{Include: []string{"app.*"}, Jobs: 1}, stream); err == nil || !strings.Contains(err.Error(), `several documents of one _id, of which the first is there: {"$numberInt":"2"} of app.users`) {
		t.Errorf("without the oplog: %v", err)
	}
}

// What was under way when a dump began is in its oplog and not in its documents: it is passed over,
// as it is gone at the end. What else there is on the target of such names stays.
func TestReplayOfWhatIsGone(t *testing.T) {
	for name, entries := range map[string][]string{
		"temporary, made before": {oplogEntry(3, "i", "app.tmp.agg_out.1", `{"_id":1}`)},
		"temporary, made since": {
			oplogEntry(3, "c", "app.$cmd", `{"create":"tmp.agg_out.2","temp":true}`),
			oplogEntry(4, "c", "app.$cmd", `{"commitIndexBuild":"tmp.agg_out.2","indexes":[{"v":2,"key":{"d":1},"name":"d_1"}]}`),
			oplogEntry(5, "i", "app.tmp.agg_out.2", `{"_id":1}`),
		},
		"dropped before the listing": {
			oplogEntry(3, "i", "app.gone", `{"_id":1}`), oplogEntry(4, "u", "app.gone", `{"$v":2,"diff":{"u":{"b":7}}}`), oplogEntry(5, "d", "app.gone", `{"_id":1}`),
			oplogEntry(6, "c", "app.$cmd", `{"createIndexes":"gone","v":2,"key":{"c":1},"name":"c_1"}`),
			oplogEntry(7, "c", "app.$cmd", `{"collMod":"gone","validationLevel":"off"}`),
			oplogEntry(8, "c", "app.$cmd", `{"drop":"gone"}`),
		},
		"in a transaction": {oplogEntry(3, "c", "admin.$cmd", `{"applyOps":[{"op":"i","ns":"app.gone","o":{"_id":4}}]}`), oplogEntry(4, "c", "app.$cmd", `{"drop":"gone"}`)},
		"a database": {
			oplogEntry(3, "i", "other.gone", `{"_id":1}`), oplogEntry(4, "c", "other.$cmd", `{"drop":"gone"}`), oplogEntry(5, "c", "other.$cmd", `{"dropDatabase":1}`),
		},
		"an index changed and dropped": {
			oplogEntry(3, "c", "app.$cmd", `{"collMod":"users","index":{"name":"gone_1","hidden":true}}`),
			oplogEntry(4, "c", "app.$cmd", `{"dropIndexes":"users","index":"gone_1"}`),
		},
		"a view":                {oplogEntry(3, "d", "app.system.views", `{"_id":"app.kept"}`)},
		"the server's own":      {oplogEntry(3, "i", "admin.system.keys", `{"_id":1}`)},
		"made before a listing": {oplogEntry(3, "c", "app.$cmd", `{"create":"users"}`)},
	} {
		stream := dumpWithOplog(t, entries...)
		to := startFake(t)
		to.add(t, "app", "kept", "collection", "", `{"_id":1}`)
		to.add(t, "other", "gone", "collection", "", `{"_id":1}`)
		if _, err := loadFake(t, to, LoadConfig{Clean: true}, stream); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if applied := to.sent("applyOps"); len(applied) > 0 {
			t.Errorf("%s: applied %q", name, applied)
		}
		for _, ns := range [][2]string{{"app", "kept"}, {"other", "gone"}} {
			if to.collection(ns[0], ns[1]) == nil {
				t.Errorf("%s: %s is dropped", name, ns)
			}
		}
		for _, c := range []string{"tmp.agg_out.1", "tmp.agg_out.2", "gone"} {
			if made := to.sent("createIndexes"); to.collection("app", c) != nil || strings.Contains(strings.Join(made, "\n"), c) {
				t.Errorf("%s: %s is made, or an index of it: %q", name, c, made)
			}
		}
	}
}

// A collection that was made during a dump does not go into one that the target has for itself.
func TestReplayIntoAnother(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "c", "app.$cmd", `{"create":"kept"}`), oplogEntry(4, "i", "app.kept", `{"_id":3}`))
	to := startFake(t)
	to.add(t, "app", "kept", "collection", "", `{"_id":1}`)
	if _, err := loadFake(t, to, LoadConfig{Clean: true}, stream); !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "app.kept, which was made during the dump") || len(to.sent("applyOps")) > 0 {
		t.Errorf("%v, %q", err, to.sent("applyOps"))
	}
}

// A view that was made during a dump does not take the place of what the target has for itself, nor
// is that dropped when the view was.
func TestReplayOfAViewInAnothersPlace(t *testing.T) {
	stream := dumpWithOplog(
		t,
		oplogEntry(3, "i", "app.system.views", `{"_id":"app.kept","viewOn":"users","pipeline":[]}`),
		oplogEntry(4, "d", "app.system.views", `{"_id":"app.kept"}`),
		oplogEntry(5, "i", "app.users", `{"_id":3}`),
	)
	to := startFake(t)
	to.add(t, "app", "kept", "collection", "", `{"_id":1}`)
	_, err := loadFake(t, to, LoadConfig{Clean: true}, stream)
	if !errors.Is(err, dump.ErrNotEmpty) || !strings.Contains(err.Error(), "the server refuses 1 view: app.kept: create: ") {
		t.Error(err)
	}
	if to.collection("app", "kept") == nil || strings.Contains(strings.Join(to.sent("create"), " "), "kept") || len(to.sent("applyOps")) != 1 {
		t.Errorf("made %q, dropped %q, applied %q", to.sent("create"), to.sent("drop"), to.sent("applyOps"))
	}
}

// A database that was dropped during a dump, and made there too, takes with it what is the dump's
// and nothing of the target's own.
func TestReplayOfADroppedDatabase(t *testing.T) {
	made := dumpWithOplog(
		t,
		oplogEntry(3, "c", "brief.$cmd", `{"create":"new"}`),
		oplogEntry(4, "i", "brief.system.views", `{"_id":"brief.v","viewOn":"new","pipeline":[]}`),
		oplogEntry(5, "c", "brief.$cmd", `{"drop":"system.views"}`),
		oplogEntry(6, "c", "brief.$cmd", `{"drop":"new"}`),
		oplogEntry(7, "c", "brief.$cmd", `{"dropDatabase":1}`),
		oplogEntry(8, "c", "brief.$cmd", `{"create":"new"}`),
	)
	to := startFake(t)
	to.add(t, "brief", "others", "collection", "", `{"_id":1}`)
	if _, err := loadFake(t, to, LoadConfig{}, made); err != nil {
		t.Error(err)
	}
	if to.collection("brief", "others") == nil || to.collection("brief", "v") != nil || to.collection("brief", "new") == nil || strings.Contains(strings.Join(to.sent("applyOps"), " "), "dropDatabase") {
		t.Errorf("dropped %q, applied %q", to.sent("drop"), to.sent("applyOps"))
	}
	// One of the archive's own, as mongodump's allow.
	to = startFake(t)
	to.add(t, "app", "kept", "collection", "", `{"_id":1}`)
	if _, err := loadFake(t, to, LoadConfig{Clean: true}, withEntry(t, dumpWithOplog(t), oplogEntry(3, "c", "app.$cmd", `{"dropDatabase":1}`))); err != nil {
		t.Error(err)
	}
	if to.collection("app", "kept") == nil || to.collection("app", "users") != nil || to.collection("app", "active") != nil || strings.Contains(strings.Join(to.sent("drop"), " "), "buckets") || len(to.sent("applyOps")) > 0 || len(to.sent("createIndexes")) > 0 {
		t.Errorf("dropped %q, applied %q, indexes %q", to.sent("drop"), to.sent("applyOps"), to.sent("createIndexes"))
	}
}

// A time series that was dropped is so in whichever order its buckets and what it is among the
// views are; one that was gone before the listing is none of the dump's, and a view that was made
// in its place is.
func TestReplayOfADroppedSeries(t *testing.T) {
	drop := func(i int, name string) string {
		return oplogEntry(i, "c", "app.$cmd", `{"drop":"system.buckets.`+name+`"}`)
	}
	forget := func(i int, name string) string {
		return oplogEntry(i, "d", "app.system.views", `{"_id":"app.`+name+`"}`)
	}
	view := func(name string) string {
		return oplogEntry(5, "i", "app.system.views", `{"_id":"app.`+name+`","viewOn":"users","pipeline":[]}`)
	}
	for name, test := range map[string]struct {
		series  string // which is dropped
		entries []string
	}{
		"gone before":           {"kept", []string{drop(3, "kept"), forget(4, "kept")}},
		"the view first":        {"weather", []string{forget(3, "weather"), drop(4, "weather")}},
		"the buckets first":     {"weather", []string{drop(3, "weather"), forget(4, "weather")}},
		"a view in its place":   {"weather", []string{forget(3, "weather"), drop(4, "weather"), view("weather")}},
		"a view after one gone": {"new", []string{drop(3, "new"), view("new")}},
	} {
		stream := dumpWithOplog(t)
		for _, e := range test.entries {
			stream = withEntry(t, stream, e)
		}
		to := startFake(t)
		to.add(t, "app", "kept", "collection", "", `{"_id":1}`)
		if _, err := loadFake(t, to, LoadConfig{Clean: true}, stream); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if to.collection("app", "kept") == nil {
			t.Errorf("%s: app.kept is dropped", name)
		}
		c := to.collection("app", test.series)
		if view := strings.HasPrefix(name, "a view"); test.series != "kept" && view != (c != nil && c.kind == "view") || !view && test.series == "weather" && c != nil {
			t.Errorf("%s: there is %v", name, c)
		}
		if test.series == "weather" && (to.collection("app", "system.buckets.weather") != nil || strings.Contains(strings.Join(to.sent("createIndexes"), " "), "weather")) {
			t.Errorf("%s: the buckets are there, or indexes are made: %q", name, to.sent("createIndexes"))
		}
	}
}

// What a collMod makes of an index is what the index is made as.
func TestReplayOfIndexChanges(t *testing.T) {
	for change, want := range map[string]string{
		`{"name":"b_a","forceNonUnique":true}`:                `{"key":{"b":-1,"a":1},"name":"b_a","hidden":true,`,
		`{"keyPattern":{"b":-1,"a":1},"hidden":false}`:        `{"key":{"b":-1,"a":1},"name":"b_a","unique":true,"collation"`,
		`{"name":"text","prepareUnique":true}`:                `"textIndexVersion":3,"prepareUnique":true,"collation"`,
		`{"name":"text","unique":true}`:                       `"textIndexVersion":3,"unique":true,"collation"`,
		`{"name":"text","expireAfterSeconds":0}`:              `"textIndexVersion":3,"expireAfterSeconds":0,"collation"`,
		`{"name":"text","prepareUnique":false,"hidden":true}`: `"textIndexVersion":3,"hidden":true,"collation"`,
	} {
		to := startFake(t)
		stream := dumpWithOplog(t, oplogEntry(3, "c", "app.$cmd", `{"collMod":"users","index":`+change+`}`))
		if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
			t.Error(err)
		}
		if made := strings.Join(to.sent("createIndexes"), "\n"); !strings.Contains(made, want) || strings.Contains(made, "forceNonUnique") {
			t.Errorf("%s: made %s, want %s", change, made, want)
		}
	}
}

// A collection without options is made by an entry that says nothing but its name.
func TestReplayOfCreateAlone(t *testing.T) {
	to := startFake(t)
	if _, err := loadFake(t, to, LoadConfig{}, dumpWithOplog(t, oplogEntry(3, "c", "app.$cmd", `{"create":"new"}`))); err != nil || to.collection("app", "new") == nil {
		t.Error(err)
	}
}

// An oplog with what nobody knows is no oplog: the dump fails, and an archive that has one is
// refused before it is loaded.
func TestUnknownEntries(t *testing.T) {
	unknown := oplogEntry(3, "xi", "app.users", `{"_id":3}`)
	for text, entry := range map[string]string{
		`a kind that this program does not know: "xi"`:       unknown,
		"cannot be repeated: teleport":                       oplogEntry(3, "c", "app.$cmd", `{"teleport":"users"}`),
		`does not know: "xd"`:                                oplogEntry(3, "c", "admin.$cmd", `{"applyOps":[{"op":"xd","ns":"app.users","o":{}}]}`),
		"app.users was renamed to app.people":                oplogEntry(3, "c", "app.$cmd", `{"renameCollection":"app.users","to":"app.people"}`),
		"the oplog has a command without a name":             oplogEntry(3, "c", "app.$cmd", `{}`),
		`the oplog has a view "web.x", which is none of app`: oplogEntry(3, "i", "app.system.views", `{"_id":"web.x","viewOn":"users"}`),
	} {
		f := startFake(t)
		f.set = "rs0"
		fillFake(t, f)
		entriesDuringTheDump(t, f, entry)
		if _, _, err := dumpFake(t, f, Config{Oplog: OplogOn}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("dump: %v, want … %s", err, text)
		}
		stream := withEntry(t, dumpWithOplog(t), entry)
		l, err := NewLoader(LoadConfig{Server: f.server()})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Verify(bytes.NewReader(stream)); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("verify: %v, want … %s", err, text)
		}
		if _, err := loadFake(t, startFake(t), LoadConfig{}, stream); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("load: %v, want … %s", err, text)
		}
	}
}

// withEntry is an archive with one more entry at its oplog's end.
func withEntry(t *testing.T, stream []byte, entry string) []byte {
	t.Helper()
	from, err := archive.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	to, err := archive.NewWriter(&b, *from.Prelude())
	if err != nil {
		t.Fatal(err)
	}
	write := func(doc []byte) {
		if _, err := to.Write(doc); err != nil {
			t.Fatal(err)
		}
	}
	var open *archive.Collection
	for {
		block, err := from.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if open != block.Collection {
			open = block.Collection
			if err := to.Begin(open); err != nil {
				t.Fatal(err)
			}
		}
		if block.End != nil {
			if open.Name == "oplog" {
				write(jsonRaw(t, entry))
			}
			if err := to.End(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for {
			doc, err := from.Document()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			write(doc)
		}
	}
	if _, err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
