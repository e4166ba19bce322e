package mongo

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The primary steps down at each kind of command of a restore in turn, also when it has done what
// it does not answer. The restore goes on with the next one, and nothing is made twice or is
// missing.
func TestElectionsDuringARestore(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3}`))
	for name, answer := range map[string]any{"refused": notPrimary(189, "primary stepped down"), "done and not answered": errHangUp} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := startFake(t)
			to.set = "rs0"
			to.addMember(t)
			to.add(t, "app", "users", "collection", "", `{"_id":7}`)
			var interrupted []string
			for _, command := range []string{"drop", "create", "insert", "count", "createIndexes", "_mergeAuthzCollections", "applyOps"} {
				to.handle(command, func(db string, sent bson.Raw) any {
					if slices.Contains(interrupted, command) {
						return nil
					}
					interrupted = append(interrupted, command)
					if answer == errHangUp && command != "insert" { // which a real one knows again by its number
						target, _ := sent.Index(0).Value().StringValueOK()
						to.mongod(db, command, target, sent)
					}
					to.stepDown()
					return answer
				})
			}
			to.handle("create", func(db string, sent bson.Raw) any {
				target, _ := sent.Index(0).Value().StringValueOK()
				if to.collection(db, target) != nil {
					return failure(48, "already exists")
				}
				if slices.Contains(interrupted, "create") {
					return nil
				}
				interrupted = append(interrupted, "create")
				if answer == errHangUp {
					to.mongod(db, "create", target, sent)
				}
				to.stepDown()
				return answer
			})
			if _, err := loadFake(t, to, LoadConfig{Clean: true}, stream); err != nil {
				t.Error(err)
			}
			if len(interrupted) != 7 {
				t.Errorf("interrupted were %q", interrupted)
			}
			if users := to.collection("app", "users"); users == nil || len(users.docs) != 2 {
				t.Errorf("app.users has %v", users)
			}
			var names []string
			for _, c := range to.collections {
				names = append(names, c.db+"."+c.name)
			}
			slices.Sort(names)
			const want = "app.active app.by_name app.clustered app.images app.system.buckets.weather app.users app.weather app.zlog"
			if got := strings.Join(names, " "); got != want {
				t.Errorf("there are %s, want %s", got, want)
			}
		})
	}
}

// A server alone that goes away does not come back as another.
func TestNoElectionOfOne(t *testing.T) {
	to := startFake(t)
	to.handle("create", func(string, bson.Raw) any { return errHangUp })
	if _, err := loadFake(t, to, LoadConfig{}, dumpWithOplog(t)); err == nil || len(to.sent("create")) != 1 {
		t.Errorf("%v, %q", err, to.sent("create"))
	}
}

// What a server has not even begun, as it is no primary, was not done by it: what is there is
// another's.
func TestElectionBeforeACommand(t *testing.T) {
	to := startFake(t)
	to.set = "rs0"
	to.addMember(t)
	stepped := false
	to.handle("create", func(string, bson.Raw) any {
		if stepped {
			return failure(48, "already exists")
		}
		stepped = true
		to.stepDown()
		return notPrimary(10107, "not primary")
	})
	_, err := loadFake(t, to, LoadConfig{}, dumpWithOplog(t))
	if err == nil || !strings.Contains(err.Error(), "refuses 5 collections and 2 views: app.clustered: create: already exists") || len(to.sent("create")) != 8 || strings.Contains(strings.Join(to.sent("insert"), "\n"), "app: ") {
		t.Errorf("%v, %q, %q", err, to.sent("create"), to.sent("insert"))
	}
}

// A mongos that does not reach a shard's primary is asked once more, and nothing is said to be
// refused that nobody has.
func TestElectionOfAShard(t *testing.T) {
	f := shardedFake(t)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff})
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]bson.D{
		"unreachable": failure(6, "connection refused"), "not found": failure(7, "no such host"), "timed out": failure(89, "timed out"), "late": failure(262, "time limit"),
		"socket": failure(9001, "socket"), "labelled": notPrimary(8_000_000, "of a kind to come"),
	} {
		to := startFake(t)
		to.msg = "isdbgrid"
		for _, command := range []string{"create", "shardCollection"} {
			var asked []string
			to.handle(command, func(_ string, sent bson.Raw) any {
				if what := sent.Index(0).Value().StringValue(); !slices.Contains(asked, what) {
					asked = append(asked, what)
					return answer
				}
				if command == "create" {
					return nil
				}
				return bson.D{{Key: "ok", Value: 1}}
			})
		}
		if warnings, err := loadFake(t, to, LoadConfig{}, stream); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v, %q", name, err, warnings)
		}
	}
}

// What a primary alone has may be taken back by the next one: all that is written waits for a
// majority, or for what the URI says.
func TestWritesLast(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3}`), oplogEntry(4, "c", "app.$cmd", `{"collMod":"users","validationLevel":"off"}`))
	written := []string{"create", "insert", "createIndexes", "_mergeAuthzCollections", "applyOps", "drop"}
	for options, want := range map[string]string{
		"": `{"w":"majority","wtimeout":300000}`, "&wtimeoutMS=7000": `{"w":"majority","wtimeout":7000}`, "&wtimeoutMS=0": `{"w":"majority"}`, "&w=1": `{"w":1,"wtimeout":300000}`, "&w=2": `{"w":2,"wtimeout":300000}`,
		"&w=dc": `{"w":"dc","wtimeout":300000}`, "&journal=true": `{"w":"majority","j":true,"wtimeout":300000}`,
	} {
		to := startFake(t)
		to.set = "rs0"
		server := to.server()
		server.URI += options
		var warnings []string
		l, err := NewLoader(LoadConfig{Server: server, Warn: func(s string) { warnings = append(warnings, s) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
			t.Errorf("%s: %v", options, err)
		}
		if (len(warnings) > 0) != (options == "&w=1") {
			t.Errorf("%s: %q", options, warnings)
		}
		for _, name := range written {
			all := to.sent(name)
			for _, command := range all {
				if !strings.Contains(command, `"writeConcern":`+want) {
					t.Errorf("%s: %s, want %s", options, command, want)
				}
				// A build of an index waits for members of its own accord, for which no wtimeout is
				// a bound.
				w, _, _ := strings.Cut(strings.TrimPrefix(want, `{"w":`), ",")
				if quorum := `"commitQuorum":` + strings.TrimSuffix(w, "}"); name == "createIndexes" && !strings.Contains(command, quorum) {
					t.Errorf("%s: %s, want %s", options, command, quorum)
				}
			}
			if len(all) == 0 {
				t.Errorf("no %s", name)
			}
		}
	}
	// A server alone has nobody to wait for.
	to := startFake(t)
	if _, err := loadFake(t, to, LoadConfig{}, stream); err != nil || strings.Contains(strings.Join(to.sent("create"), " "), "writeConcern") {
		t.Errorf("%v, %q", err, to.sent("create"))
	}
}

// What was done and has not reached a majority is not refused, and may be taken back.
func TestNotAcknowledged(t *testing.T) {
	to := startFake(t)
	to.set = "rs0"
	to.handle("createIndexes", func(string, bson.Raw) any {
		return bson.D{{Key: "ok", Value: 1}, {Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "errmsg", Value: "waiting for replication timed out"}}}}
	})
	_, err := loadFake(t, to, LoadConfig{}, dumpWithOplog(t))
	if err == nil || !strings.Contains(err.Error(), "it was done, and within 5m0s not acknowledged by as many members as w says (majority): waiting for replication timed out") || strings.Contains(err.Error(), "refuses") {
		t.Error(err)
	}
}

// Where no majority is to be had a server acknowledges no write, and of one without a bound says
// nothing at all: a restore ends in time, and says what it has waited for and what would not wait.
func TestNoMajority(t *testing.T) {
	stream := dumpWithOplog(t, oplogEntry(3, "i", "app.users", `{"_id":3}`))
	for _, command := range []string{"drop", "create", "insert", "createIndexes", "_mergeAuthzCollections", "applyOps"} {
		for options, patience := range map[string]string{"": "5m0s", "&wtimeoutMS=90000": "1m30s"} {
			to := startFake(t)
			to.set = "rs0"
			to.add(t, "app", "users", "collection", "")
			to.handle(command, func(_ string, sent bson.Raw) any {
				if ms, ok := sent.Lookup("writeConcern", "wtimeout").AsInt64OK(); !ok || ms <= 0 {
					t.Errorf("%s would wait for ever: %s", command, sent)
				}
				return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}, {Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "errmsg", Value: "waiting for replication timed out"}}}}
			})
			server := to.server()
			server.URI += options
			l, err := NewLoader(LoadConfig{Server: server, Clean: true, Jobs: 1})
			if err != nil {
				t.Fatal(err)
			}
			err = l.Load(t.Context(), bytes.NewReader(stream))
			want := "it was done, and within " + patience + " not acknowledged by as many members as w says (majority): waiting for replication timed out; with w=1 among the URI's options"
			if err == nil || !strings.Contains(err.Error(), want) || len(to.sent(command)) != 1 {
				t.Errorf("%s: %v, want: … %s …; sent %q", command, err, want, to.sent(command))
			}
		}
	}
}
