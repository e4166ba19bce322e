package mongo

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// shardedFake plays a mongos with collections of every kind of sharding.
func shardedFake(t *testing.T) *fake {
	t.Helper()
	f := startFake(t)
	f.msg = "isdbgrid"
	f.handle("balancerStatus", func(string, bson.Raw) any {
		return bson.D{{Key: "ok", Value: 1}, {Key: "mode", Value: "off"}}
	})
	f.add(t, "app", "hashed", "collection", "", `{"_id":1,"u":2}`)
	f.add(t, "app", "moved", "collection", "")
	f.add(t, "app", "plain", "collection", "")
	f.add(t, "app", "ts", "timeseries", `{"timeseries":{"timeField":"t","metaField":"m"}}`)
	f.add(t, "app", "system.buckets.ts", "collection", "")
	unique := f.add(t, "app", "unique", "collection", `{"collation":{"locale":"fr"}}`)
	unique.indexes = append(unique.indexes, jsonRaw(t, `{"v":2,"key":{"b":1,"c":-1},"name":"by_b","unique":true}`), jsonRaw(t, `{"v":2,"key":{"c":1},"name":"c_1"}`))
	f.add(
		t, "config", "collections", "collection", "",
		`{"_id":"app.hashed","key":{"u":"hashed","v":1},"unique":false}`,
		`{"_id":"app.moved","key":{"_id":1},"unsplittable":true}`,
		`{"_id":"app.plain","key":{"_id":1},"dropped":true}`,
		`{"_id":"app.system.buckets.ts","key":{"meta.place":1,"control.min.t":1},"timeseriesFields":{"timeField":"t","metaField":"m"}}`,
		`{"_id":"app.unique","key":{"b":1.0},"unique":true}`,
		`{"_id":"app.gone","key":{"b":1}}`,
	)
	return f
}

func TestShardedCollections(t *testing.T) {
	f := shardedFake(t)
	stream, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff})
	if err != nil || len(said.warnings) != 1 || !strings.Contains(said.warnings[0], "not of one moment") {
		t.Fatal(err, said.warnings)
	}

	// A cluster of before 6.0, of which one collection may not be sharded.
	to := startFake(t)
	to.msg = "isdbgrid"
	enabled := false
	to.handle("enableSharding", func(string, bson.Raw) any { enabled = true; return bson.D{{Key: "ok", Value: 1}} })
	to.handle("shardCollection", func(_ string, command bson.Raw) any {
		switch {
		case !enabled:
			return failure(server.CodeIllegalOperation, "sharding not enabled for db app")
		case strings.HasSuffix(command.Lookup("shardCollection").StringValue(), ".ts"):
			return failure(72, "no such thing here")
		case len(to.collection("app", "hashed").docs) > 0:
			t.Error("sharded after it was filled")
		}
		return nil
	})
	warnings, err := loadFake(t, to, LoadConfig{}, stream)
	if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], "app.ts is not sharded, as it was where it was dumped: ") {
		t.Error(err, warnings)
	}
	equalStrings(t, "shardCollection", to.sent("shardCollection"), []string{
		`admin: {"shardCollection":"app.hashed","key":{"u":"hashed","v":1},"unique":false}`,
		`admin: {"shardCollection":"app.hashed","key":{"u":"hashed","v":1},"unique":false}`,
		`admin: {"shardCollection":"app.ts","key":{"m.place":1,"t":1},"unique":false}`,
		`admin: {"shardCollection":"app.unique","key":{"b":1.0},"unique":true,"collation":{"locale":"simple"}}`,
	})

	// The index by which the server finds the key is the dump's own, and no other beside it.
	var names []string
	for _, index := range to.collection("app", "unique").indexes {
		raw, _ := bson.Marshal(index)
		names = append(names, definition.IndexName(raw))
	}
	equalStrings(t, "indexes", names, []string{"_id_", "by_b", "c_1"})

	// An index that has the server's name and options of its own.
	f.collection("app", "unique").indexes = bson.A{idIndex, jsonRaw(t, `{"v":2,"key":{"b":1},"name":"b_1","expireAfterSeconds":60}`)}
	expiring, _, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loadFake(t, to, LoadConfig{Clean: true}, expiring); err != nil {
		t.Error(err)
	}

	// No cluster, and under other names.
	to = startFake(t)
	warnings, err = loadFake(t, to, LoadConfig{From: []string{"app.*"}, To: []string{"copy.*"}}, stream)
	if err != nil || len(warnings) != 1 || !strings.HasSuffix(warnings[0], "no mongos of a sharded cluster: copy.hashed, copy.ts, copy.unique") {
		t.Error(err, warnings)
	}
	if got := to.sent("shardCollection"); len(got) > 0 {
		t.Errorf("sent %q", got)
	}

	// mongorestore passes over what is noted.
	db := newTestDB(t)
	cmd := exec.CommandContext(t.Context(), servers.MongoTool(t, "mongorestore"), "--uri", db.uri, "--archive", "--nsInclude", "app.hashed", "--nsFrom", "app.*", "--nsTo", db.name+".*", "--stopOnError")
	cmd.Stdin = bytes.NewReader(stream)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mongorestore: %v\n%s", err, out)
	}
	if n, err := db.coll("hashed").CountDocuments(t.Context(), bson.D{}); err != nil || n != 1 {
		t.Errorf("after mongorestore there are %d documents, %v", n, err)
	}

	// Who may not look is told.
	f.handle("find", func(db string, command bson.Raw) any {
		if name := command.Lookup("find").StringValue(); db == "config" && name == "collections" {
			return failure(server.CodeUnauthorized, "not authorized")
		}
		return nil
	})
	if _, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff}); err != nil || len(said.warnings) != 2 || !strings.Contains(said.warnings[1], "this user may not read config.collections") {
		t.Error(err, said.warnings)
	}
}

func TestLeftOutIsNamed(t *testing.T) {
	f := startFake(t)
	f.version = "8.2.0"
	f.add(t, "app", "c", "collection", "", `{"_id":1}`)
	f.add(t, "app", "v", "view", `{"viewOn":"c","pipeline":[]}`)
	f.add(t, "config", "clusterParameters", "collection", "", `{"_id":"querySettings"}`, `{"_id":"defaultMaxTimeMS"}`, `{"_id":"shardedClusterCardinalityForDirectConns"}`)
	search := func(answer func(db, name string) any) {
		f.handle("aggregate", func(db string, command bson.Raw) any {
			if _, err := command.LookupErr("pipeline", "0", "$listSearchIndexes"); err != nil {
				return nil
			}
			return answer(db, command.Lookup("aggregate").StringValue())
		})
	}
	search(func(db, name string) any {
		return f.cursor(db, name, []bson.Raw{jsonRaw(t, `{"id":"1","name":"default"}`)})
	})
	_, said, err := dumpFake(t, f, Config{Users: UsersOff, Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	equalStrings(t, "warnings", said.warnings, []string{
		"cluster parameters are left out, as by mongodump: defaultMaxTimeMS, querySettings; set them anew after a restore (setClusterParameter)",
		"search indexes are left out, as by mongodump: default of app.c, default of app.v; make them anew after a restore",
	})
	// A user who may not ask, of a server that has search, and of one that has not.
	search(func(string, string) any { return failure(server.CodeUnauthorized, "not authorized") })
	for host, want := range map[string]int{"127.0.0.1:27027": 1, "": 0} {
		f.handle("getParameter", func(string, bson.Raw) any {
			return bson.D{{Key: "ok", Value: 1}, {Key: "mongotHost", Value: host}}
		})
		_, said, err := dumpFake(t, f, Config{Database: "app", Users: UsersOff, Oplog: OplogOff})
		if err != nil || len(said.warnings) != want || want > 0 && !strings.Contains(said.warnings[0], "this user may not see (listSearchIndexes)") {
			t.Errorf("mongotHost %q: %v, %q", host, err, said.warnings)
		}
	}
}
