package mongo

import (
	"errors"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
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

// Views and users come before the oplog, which may be about them; nobody may write where views are kept.
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
	to = startFake(t)
	to.handle("create", func(_ string, command bson.Raw) any {
		if name, _ := command.Lookup("create").StringValueOK(); name == "fresh" {
			return failure(codeNamespaceExists, "there is one")
		}
		return nil
	})
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil {
		t.Error(err)
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

// A transaction that was prepared before the oplog begins and committed before the first document was read is in the
// documents.
func TestReplayOfCommitAlone(t *testing.T) {
	commit := `{"lsid":{"id":{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAA==","subType":"04"}}},"txnNumber":{"$numberLong":"7"},` +
		oplogEntry(3, "c", "admin.$cmd", `{"commitTransaction":1}`)[1:]
	if _, err := loadFake(t, startFake(t), LoadConfig{}, dumpWithOplog(t, commit)); err != nil {
		t.Error(err)
	}
}

// Of a document that is deleted and inserted anew during a dump both may be in it. The oplog says which it is; without
// one it is an error.
func TestSecondID(t *testing.T) {
	second := bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}, {Key: "writeErrors", Value: bson.A{bson.D{
		{Key: "index", Value: 1}, {Key: "code", Value: codeDuplicateKey}, {Key: "keyPattern", Value: bson.D{{Key: "_id", Value: 1}}}, {Key: "errmsg", Value: "E11000 duplicate key"},
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
	if _, err := loadFake(t, refusing(), LoadConfig{Include: []string{"app.*"}}, stream); err == nil || !strings.Contains(err.Error(), `insert the document with _id {"$numberInt":"2"}`) {
		t.Errorf("without the oplog: %v", err)
	}
}
