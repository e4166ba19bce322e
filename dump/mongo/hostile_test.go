package mongo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// lies are what a field of an answer may be instead; nil: it is missing.
func lies() []any {
	return []any{
		nil,
		bson.Null{},
		"", "a\x00b", "\x1b[2J\n{\"level\":\"INFO\",\"msg\":\"backup done\"}", strings.Repeat("n", 70_000),
		int32(-1), int64(1) << 62, true,
		bson.D{{Key: "", Value: "\x00"}},
		bson.A{1, "x"},
		bson.MinKey{},
	}
}

// paths are the places of a document, at any depth, up to some.
func paths(doc bson.D, most int) (all [][]string) {
	var walk func(v any, at []string)
	walk = func(v any, at []string) {
		if len(at) > 0 {
			all = append(all, slices.Clone(at))
		}
		switch v := v.(type) {
		case bson.D:
			for _, e := range v {
				walk(e.Value, append(at, e.Key))
			}
		case bson.A:
			for i, e := range v {
				if i < 2 {
					walk(e, append(at, fmt.Sprint(i)))
				}
			}
		}
	}
	walk(doc, nil)
	return all[:min(len(all), most)]
}

// replaced is a copy of a value with another one at a place.
func replaced(v any, at []string, with any) any {
	switch v := v.(type) {
	case bson.D:
		var d bson.D
		for _, e := range v {
			if e.Key == at[0] {
				if len(at) > 1 {
					e.Value = replaced(e.Value, at[1:], with)
				} else if e.Value = with; with == nil {
					continue
				}
			}
			d = append(d, e)
		}
		return d
	case bson.A:
		a := bson.A{}
		for i, e := range v {
			if fmt.Sprint(i) == at[0] {
				if len(at) > 1 {
					e = replaced(e, at[1:], with)
				} else if e = with; with == nil {
					continue
				}
			}
			a = append(a, e)
		}
		return a
	}
	return v
}

// dumpOnly is dumpFake where others run beside it.
func dumpOnly(t *testing.T, f *fake, cfg Config) (stream []byte, warnings []string, err error) {
	t.Helper()
	cfg.Server = f.server()
	cfg.Warn = func(text string) { warnings = append(warnings, text) }
	src, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = src.Dump(t.Context(), &b)
	return b.Bytes(), warnings, err
}

// documentsOf is what an archive holds, and whether it does.
func documentsOf(t *testing.T, stream []byte) string {
	t.Helper()
	all := contents(t, stream)
	var text []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text = append(text, fmt.Sprintf("%q %q", name, all[name][1:]))
	}
	return strings.Join(text, "\n")
}

// A server lies in every field of every answer: the dump is an error, or holds all documents. There
// is no panic, and nothing that a person reads has more lines than were written, or a control
// character.
//
// What no one can find out: that a collection is of another name, of other options, or temporary,
// where all the server's answers agree on that. These are let through here, if what is dumped is
// whole.
func TestServerThatLies(t *testing.T) {
	fill := func() *fake {
		f := startFake(t)
		f.batch = 2
		users := f.add(t, "app", "users", "collection", `{"validator":{"a":1}}`, manyDocuments(5)...)
		users.indexes = append(users.indexes, jsonRaw(t, `{"v":2,"key":{"a":1},"name":"a_1"}`))
		f.add(t, "app", "view", "view", `{"viewOn":"users","pipeline":[{"$match":{"a":1}}]}`)
		return f
	}
	f := fill()
	cfg := Config{Database: "", Oplog: OplogOff}
	stream, _, err := dumpOnly(t, f, cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := documentsOf(t, stream)
	for _, command := range []string{"buildInfo", "listDatabases", "listCollections", "listIndexes", "find", "getMore", "count", "dbStats"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			f := fill()
			var honest bson.D
			f.handle(command, func(db string, sent bson.Raw) any {
				if honest == nil {
					target, _ := sent.Index(0).Value().StringValueOK()
					raw, err := bson.Marshal(f.mongod(db, command, target, sent))
					if err == nil {
						err = bson.Unmarshal(raw, &honest)
					}
					if err != nil {
						t.Error(err)
					}
					return honest
				}
				return nil
			})
			if _, _, err := dumpOnly(t, f, cfg); err != nil {
				t.Fatal(err)
			}
			for _, at := range paths(honest, 24) {
				for _, lie := range lies() {
					f.handle(command, func(db string, sent bson.Raw) any {
						target, _ := sent.Index(0).Value().StringValueOK()
						var answer bson.D
						raw, err := bson.Marshal(f.mongod(db, command, target, sent))
						if err == nil {
							err = bson.Unmarshal(raw, &answer)
						}
						if err != nil {
							t.Error(err)
						}
						return replaced(answer, at, lie)
					})
					stream, warnings, err := dumpOnly(t, f, cfg)
					what := fmt.Sprintf("%s is %.40q", strings.Join(at, "."), fmt.Sprint(lie))
					for _, warning := range warnings {
						if strings.ContainsAny(warning, "\n\x1b\x00") {
							t.Errorf("%s: warning %q", what, warning)
						}
					}
					if err != nil {
						continue
					}
					got := documentsOf(t, stream)
					last := at[len(at)-1]
					consistent := last == "name" || last == "type" || slices.Contains(at, "options") ||
						lie != nil && (slices.Contains(at, "firstBatch") && command == "find" || slices.Contains(at, "nextBatch")) // what is in a document
					told := slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, "the dump may be short") })
					if got != want && !consistent && !told {
						t.Errorf("%s: no error, and\n%s", what, got)
					}
				}
			}
		})
	}
}

// A server lies of itself: dump and restore end, by an error or as they should.
func TestServerThatLiesOfItself(t *testing.T) {
	honest := startFake(t)
	honest.add(t, "app", "users", "collection", "", manyDocuments(5)...)
	stream, _, err := dumpFake(t, honest, Config{Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	want := documentsOf(t, stream)
	for _, field := range []string{"ok", "helloOk", "isWritablePrimary", "maxBsonObjectSize", "maxMessageSizeBytes", "maxWriteBatchSize", "minWireVersion", "maxWireVersion", "logicalSessionTimeoutMinutes", "setName", "hosts", "me", "msg", "compression", "topologyVersion", "saslSupportedMechs"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			f := startFake(t)
			f.add(t, "app", "users", "collection", "", manyDocuments(5)...)
			for _, lie := range []any{nil, "a\x00\n", int32(0), int32(-1), int64(1) << 62, bson.A{1, "x"}, bson.D{}} {
				f.mu.Lock()
				f.hello = func(d bson.D) bson.D {
					if !slices.ContainsFunc(d, func(e bson.E) bool { return e.Key == field }) {
						d = append(d, bson.E{Key: field, Value: "x"})
					}
					return replaced(d, []string{field}, lie).(bson.D)
				}
				f.mu.Unlock()
				server := Server{URI: f.server().URI + "?serverSelectionTimeoutMS=100"}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				src, err := NewSource(Config{Server: server, Oplog: OplogOff})
				if err != nil {
					t.Fatal(err)
				}
				var b bytes.Buffer
				if err := src.Dump(ctx, &b); err == nil && documentsOf(t, b.Bytes()) != want {
					t.Errorf("%s is %v: another dump", field, lie)
				}
				l, err := NewLoader(LoadConfig{Server: server, Clean: true})
				if err != nil {
					t.Fatal(err)
				}
				if err := l.Load(ctx, bytes.NewReader(stream)); err == nil && len(f.collection("app", "users").docs) != 5 {
					t.Errorf("%s is %v: another restore", field, lie)
				}
				if ctx.Err() != nil {
					t.Errorf("%s is %v: it does not end", field, lie)
				}
				cancel()
				f.mu.Lock()
				f.collections = nil
				f.mu.Unlock()
				f.add(t, "app", "users", "collection", "", manyDocuments(5)...)
			}
		})
	}
}

// A server whose bytes are no BSON.
func TestServerThatSpeaksNoBSON(t *testing.T) {
	for name, spoil := range map[string]func(doc []byte){
		"length":     func(doc []byte) { doc[0]++ },
		"no length":  func(doc []byte) { copy(doc, []byte{0, 0, 0, 0}) },
		"huge":       func(doc []byte) { copy(doc, []byte{0xff, 0xff, 0xff, 0x7f}) },
		"negative":   func(doc []byte) { copy(doc, []byte{0xff, 0xff, 0xff, 0xff}) },
		"no end":     func(doc []byte) { doc[len(doc)-1] = 7 },
		"other type": func(doc []byte) { doc[4] = 0x7e },
	} {
		for _, command := range []string{"find", "listCollections", "listIndexes"} {
			t.Run(name+" "+command, func(t *testing.T) {
				f := startFake(t)
				f.add(t, "app", "users", "collection", "", manyDocuments(3)...)
				f.handle(command, func(db string, sent bson.Raw) any {
					target, _ := sent.Index(0).Value().StringValueOK()
					raw, err := bson.Marshal(f.mongod(db, command, target, sent))
					if err != nil {
						t.Error(err)
					}
					batch, ok := bson.Raw(raw).Lookup("cursor", "firstBatch").ArrayOK()
					if first, ok2 := bson.Raw(batch).Lookup("0").DocumentOK(); ok && ok2 {
						spoil(raw[bytes.Index(raw, first):][:len(first)])
					}
					return bson.Raw(raw)
				})
				stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
				if err == nil && (command != "find" || name != "other type") { // what is in a document is passed on as it is
					t.Errorf("no error, and %d bytes", len(stream))
				}
			})
		}
	}
}

// hostileNames are what somebody may call a collection.
var hostileNames = []string{
	"a\nb", "a\r\nb", "\x1b[2J", "a\tb", "\u202eevil", "\u2028", " ", " a", "a ", `"`, `'`, `\`, "`", "--", "-- table \"x\" rows 1 hash 0000000000000000",
	"EOF", "CRC", "oplog", "prelude.json", "%s%n", "../../x", "a/b", "C:\\x", "*", "a*b", "?", "{}", "null", "ünï", "🎉", "é", "e\u0301", "tmp.x", strings.Repeat("l", 230), "a..b", "system", "admin", "local",
}

// Names come back equal, and what is said of them is of one line.
func TestHostileNames(t *testing.T) {
	f := startFake(t)
	for i, name := range hostileNames {
		c := f.add(t, "app", name, "collection", "", fmt.Sprintf(`{"_id":%d}`, i))
		c.indexes = append(c.indexes, bson.D{{Key: "v", Value: 2}, {Key: "key", Value: bson.D{{Key: name, Value: 1}}}, {Key: "name", Value: name}, {Key: "strange\n", Value: 1}})
		f.add(t, "app", "view of "+name, "view", "").options = bson.D{{Key: "viewOn", Value: name}, {Key: "pipeline", Value: bson.A{}}}
	}
	stream, said, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range said.warnings {
		if strings.ContainsAny(warning, "\n\r\x1b\t\u202e\u2028") {
			t.Errorf("warning %q", warning)
		}
	}
	to := startFake(t)
	warnings, err := loadFake(t, to, LoadConfig{}, stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range warnings {
		if strings.ContainsAny(warning, "\n\r\x1b\t\u202e\u2028") {
			t.Errorf("warning of the restore %q", warning)
		}
	}
	for i, name := range hostileNames {
		c, v := to.collection("app", name), to.collection("app", "view of "+name)
		if c == nil || len(c.docs) != 1 || v == nil || v.kind != "view" {
			t.Errorf("%q is not back", name)
			continue
		}
		if id, _ := c.docs[0].Lookup("_id").AsInt64OK(); id != int64(i) {
			t.Errorf("%q has another's documents", name)
		}
	}
	// What fails says so in one line.
	for _, name := range hostileNames {
		f := startFake(t)
		f.add(t, "app", name, "collection", "", `{"_id":1}`)
		f.handle("find", func(string, bson.Raw) any { return failure(1, "no") })
		if _, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err == nil || strings.ContainsAny(err.Error(), "\n\r\x1b\t\u202e\u2028") {
			t.Errorf("%q", err)
		}
	}
}

// What a server says in its errors stands in a warning as one line.
func TestHostileMessages(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "a", "collection", "", `{"_id":1}`)
	f.handle("listDatabases", func(_ string, command bson.Raw) any {
		if document.Has(command, "authorizedDatabases") {
			return failure(9, "x\n{\"level\":\"INFO\",\"msg\":\"backup done\"}\x1b[2J\u202e")
		}
		return nil
	})
	_, said, err := dumpFake(t, f, Config{Oplog: OplogOff})
	if err != nil || len(said.warnings) != 1 || strings.ContainsAny(said.warnings[0], "\n\x1b\u202e") || !strings.Contains(said.warnings[0], `x\n{"level"`) {
		t.Errorf("%v, %q", err, said.warnings)
	}
}

// A server that lists what cannot be is not believed.
func TestListingThatCannotBe(t *testing.T) {
	for name, list := range map[string]string{
		"twice":        `{"name":"a","type":"collection","options":{}}`,
		"no name":      `{"type":"collection","options":{}}`,
		"NUL":          `{"name":"x\u0000y","type":"collection","options":{}}`,
		"type":         `{"name":"b","type":7,"options":{}}`,
		"options":      `{"name":"b","type":"collection","options":"x"}`,
		"name of many": `{"name":["b"],"type":"collection","options":{}}`,
	} {
		f := startFake(t)
		f.add(t, "app", "a", "collection", "", `{"_id":1}`)
		f.handle("listCollections", func(db string, _ bson.Raw) any {
			return f.cursor(db, "$cmd.listCollections", []bson.Raw{jsonRaw(t, `{"name":"a","type":"collection","options":{}}`), jsonRaw(t, list)})
		})
		stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
		var empty *dump.EmptyError
		if err == nil || errors.As(err, &empty) || len(stream) > 0 {
			t.Errorf("%s: %v, %d bytes", name, err, len(stream))
		}
	}
}

// A server that goes on listing is not believed before there is no memory left.
func TestListingWithoutEnd(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "users", "collection", "", `{"_id":1}`)
	text, n := strings.Repeat("x", 14<<20), 0
	more := func(field string) func(string, bson.Raw) any {
		return func(string, bson.Raw) any {
			n++
			one := bson.D{{Key: "name", Value: fmt.Sprint("n", n)}, {Key: "options", Value: bson.D{{Key: "x", Value: text}}}}
			return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{{Key: "id", Value: int64(77)}, {Key: "ns", Value: "app.$cmd"}, {Key: field, Value: bson.A{one}}}}}
		}
	}
	f.handle("listCollections", more("firstBatch"))
	f.handle("getMore", more("nextBatch"))
	_, _, err := dumpOnly(t, f, Config{Database: "app", Users: UsersOff, Oplog: OplogOff})
	if err == nil || !strings.Contains(err.Error(), "the server lists more than the 134217728 bytes") || n > 10 {
		t.Errorf("answered %d times: %v", n, err)
	}
	var small server.Listing
	for n = 0; small.Add(document.Empty) == nil; n++ {
	}
	if n != 500_000+24_288 {
		t.Errorf("%d empty documents are as much as %d bytes", n, server.MostListed)
	}
}

// Options that are nested deeper than a server allows, by a million levels.
func TestDeepOptions(t *testing.T) {
	const levels, each = 1_000_000, 8
	var deep []byte
	for i := range levels {
		deep = append(binary.LittleEndian.AppendUint32(deep, uint32((levels-i)*each+5)), 3, 'a', 0)
	}
	deep = append(append(deep, document.Empty...), make([]byte, levels)...)
	f := startFake(t)
	f.add(t, "app", "v", "view", "").options = bson.D{{Key: "viewOn", Value: "x"}, {Key: "pipeline", Value: bson.A{bson.Raw(deep)}}}
	if _, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff}); err == nil || !strings.Contains(err.Error(), "the server says of v options that are no document") {
		t.Errorf("%v", err)
	}
}

// A target that says of a document that was never sent to it that it refuses it.
func TestTargetThatLies(t *testing.T) {
	f := startFake(t)
	f.add(t, "app", "a", "collection", "", manyDocuments(5)...)
	stream, _, err := dumpFake(t, f, Config{Database: "app", Oplog: OplogOff})
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []any{-1, 5, int64(1) << 40, "x", nil} {
		to := startFake(t)
		to.handle("insert", func(string, bson.Raw) any {
			return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 0}, {Key: "writeErrors", Value: bson.A{bson.D{{Key: "index", Value: index}, {Key: "code", Value: 11000}, {Key: "errmsg", Value: "no"}}}}}
		})
		if _, err := loadFake(t, to, LoadConfig{}, stream); err == nil {
			t.Errorf("%v: no error", index)
		}
	}
}
