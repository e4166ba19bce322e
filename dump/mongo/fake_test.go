package mongo

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// A fake speaks MongoDB's wire protocol and plays what no server at hand has. It keeps collections
// with their options, and answers as the manual says that a mongod does, as far as this package
// asks. on goes before that, by command.
type fake struct {
	addr    string
	set     string   // its replica set; empty: none
	others  []string // addresses by which it is the set's other members
	primary string   // the address of the set's primary; empty: addr
	msg     string   // isdbgrid makes it a mongos

	version string // empty: 7.0.5

	sessionMinutes int                 // 0: 30
	hello          func(bson.D) bson.D // makes another answer of that to hello; nil: that one

	committed uint32 // the oplog's entry up to which a majority has all

	mu          sync.Mutex
	collections []*fakeCollection
	commands    []bson.Raw // but for those by which a driver watches
	on          map[string]func(db string, command bson.Raw) any
	cursors     map[int64][]bson.Raw
	batch       int // documents in an answer; 0: all
}

type fakeCollection struct {
	db, name, kind string
	options        bson.D
	uuid           byte
	indexes        bson.A
	docs           []bson.Raw
}

// errHangUp as an answer ends the connection instead.
var errHangUp = errors.New("hang up")

// failure is an error as a server tells it.
func failure(code int, text string) bson.D {
	return bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: code}, {Key: "errmsg", Value: text}}
}

// notPrimary is a failure that a driver's inserts are repeated after.
func notPrimary(code int, text string) bson.D {
	return append(failure(code, text), bson.E{Key: "errorLabels", Value: bson.A{"RetryableWriteError"}})
}

func startFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{on: map[string]func(string, bson.Raw) any{}, cursors: map[int64][]bson.Raw{}}
	f.addr = f.listen(t)
	return f
}

// addMember gives the fake one more address, which is that of another member of its set with the
// same data.
func (f *fake) addMember(t *testing.T) string {
	t.Helper()
	addr := f.listen(t)
	f.others = append(f.others, addr)
	return addr
}

// stepDown makes another member the primary.
func (f *fake) stepDown() {
	all := append([]string{f.addr}, f.others...)
	f.primary = all[(slices.Index(all, cmp.Or(f.primary, f.addr))+1)%len(all)]
}

func (f *fake) listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var conns sync.Map
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Store(c, nil)
			all.Go(func() {
				defer c.Close()
				for f.answer(c) == nil {
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		all.Wait()
	})
	return l.Addr().String()
}

func (f *fake) server() Server {
	uri := "mongodb://" + f.addr + "/"
	if f.set != "" {
		uri += "?replicaSet=" + f.set
	}
	return Server{URI: uri}
}

const (
	opReply = 1
	opQuery = 2004 // a driver's first words
	opMsg   = 2013
)

// answer reads one message and answers it.
func (f *fake) answer(c net.Conn) error {
	var head [16]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return err
	}
	body := make([]byte, binary.LittleEndian.Uint32(head[:])-16)
	if _, err := io.ReadFull(c, body); err != nil {
		return err
	}
	out := make([]byte, 16)
	copy(out[8:], head[4:8])
	var command bson.Raw
	if binary.LittleEndian.Uint32(head[12:]) == opQuery {
		_, rest, _ := strings.Cut(string(body[4:]), "\x00")
		command = bson.Raw(rest[8:])
		binary.LittleEndian.PutUint32(out[12:], opReply)
		out = append(out, make([]byte, 16)...)
		out = binary.LittleEndian.AppendUint32(out, 1)
	} else {
		command = message(body[4:])
		binary.LittleEndian.PutUint32(out[12:], opMsg)
		out = append(out, 0, 0, 0, 0, 0)
	}
	reply := f.run(c.LocalAddr().String(), command)
	if reply == errHangUp {
		return errHangUp
	}
	raw, err := bson.Marshal(reply)
	if err != nil {
		return err
	}
	out = append(out, raw...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)))
	_, err = c.Write(out)
	return err
}

// message is a message's command, with what it has in further sections.
func message(body []byte) bson.Raw {
	var command bson.D
	for len(body) > 4 {
		kind := body[0]
		size := int(binary.LittleEndian.Uint32(body[1:]))
		section := body[1 : 1+size]
		body = body[1+size:]
		if kind == 0 {
			elements, _ := bson.Raw(section).Elements()
			for _, e := range elements {
				command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
			}
			continue
		}
		name, docs, _ := strings.Cut(string(section[4:]), "\x00")
		var all bson.A
		for docs != "" {
			n := binary.LittleEndian.Uint32([]byte(docs[:4]))
			all = append(all, bson.Raw(docs[:n]))
			docs = docs[n:]
		}
		command = append(command, bson.E{Key: name, Value: all})
	}
	raw, err := bson.Marshal(command)
	if err != nil {
		panic(err)
	}
	return raw
}

func (f *fake) run(addr string, command bson.Raw) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := command.Index(0)
	name := first.Key()
	db, _ := command.Lookup("$db").StringValueOK()
	primary := cmp.Or(f.primary, f.addr)
	switch strings.ToLower(name) {
	case "hello", "ismaster":
		d := bson.D{
			{Key: "ok", Value: 1},
			{Key: "helloOk", Value: true},
			{Key: "isWritablePrimary", Value: addr == primary},
			{Key: "ismaster", Value: addr == primary},
			{Key: "secondary", Value: addr != primary},
			{Key: "maxBsonObjectSize", Value: 16 << 20},
			{Key: "maxMessageSizeBytes", Value: 48_000_000},
			{Key: "maxWriteBatchSize", Value: 100_000},
			{Key: "minWireVersion", Value: 0},
			{Key: "maxWireVersion", Value: f.wireVersion()},
			{Key: "logicalSessionTimeoutMinutes", Value: cmp.Or(f.sessionMinutes, 30)},
			{Key: "localTime", Value: time.Now()},
		}
		if f.set != "" {
			d = append(d, bson.E{Key: "setName", Value: f.set}, bson.E{Key: "hosts", Value: append([]string{f.addr}, f.others...)}, bson.E{Key: "me", Value: addr}, bson.E{Key: "primary", Value: primary})
			var at bson.Timestamp
			if f.committed > 0 {
				at = bson.Timestamp{T: 100, I: f.committed}
			}
			optime := bson.D{{Key: "ts", Value: at}, {Key: "t", Value: 1}}
			d = append(d, bson.E{Key: "lastWrite", Value: bson.D{{Key: "majorityOpTime", Value: optime}}})
		}
		if f.msg != "" {
			d = append(d, bson.E{Key: "msg", Value: f.msg})
		}
		if f.hello != nil {
			return f.hello(d)
		}
		return d
	case "endsessions", "killcursors", "ping":
		return bson.D{{Key: "ok", Value: 1}}
	}
	f.commands = append(f.commands, command)
	if addr != primary {
		return notPrimary(10107, "not primary")
	}
	if do := f.on[name]; do != nil {
		if answer := do(db, command); answer != nil {
			return answer
		}
	}
	target, _ := first.Value().StringValueOK()
	return f.mongod(db, name, target, command)
}

// mongod does what a mongod would.
func (f *fake) mongod(db, name, target string, command bson.Raw) any {
	ok := bson.D{{Key: "ok", Value: 1}}
	switch name {
	case "buildInfo":
		return append(ok, bson.E{Key: "version", Value: cmp.Or(f.version, "7.0.5")})
	case "listDatabases":
		var names []string
		for _, c := range f.collections {
			if !slices.Contains(names, c.db) {
				names = append(names, c.db)
			}
		}
		all := bson.A{}
		for _, n := range names {
			all = append(all, bson.D{{Key: "name", Value: n}})
		}
		return append(ok, bson.E{Key: "databases", Value: all})
	case "listCollections":
		var all []bson.Raw
		for _, c := range f.collections {
			if c.db == db {
				raw, _ := bson.Marshal(bson.D{
					{Key: "name", Value: c.name},
					{Key: "type", Value: c.kind},
					{Key: "options", Value: c.options},
					{Key: "info", Value: bson.D{{Key: "uuid", Value: bson.Binary{Subtype: 4, Data: slices.Repeat([]byte{c.uuid}, 16)}}}},
				})
				all = append(all, raw)
			}
		}
		return f.cursor(db, "$cmd.listCollections", all)
	case "listIndexes":
		var all []bson.Raw
		c := f.collection(db, target)
		if c == nil {
			return failure(26, "ns does not exist")
		}
		for _, index := range c.indexes {
			raw, _ := bson.Marshal(index)
			all = append(all, raw)
		}
		return f.cursor(db, target, all)
	case "find":
		c := f.collection(db, target)
		if c == nil {
			return f.cursor(db, target, nil)
		}
		docs := slices.Clone(c.docs)
		if direction, found := command.Lookup("sort", "$natural").AsInt64OK(); found && direction < 0 {
			slices.Reverse(docs)
		}
		docs = slices.DeleteFunc(docs, func(doc bson.Raw) bool { return !selected(doc, command) })
		if limit, found := command.Lookup("limit").AsInt64OK(); found && int(limit) < len(docs) {
			docs = docs[:limit]
		}
		return f.cursor(db, target, docs)
	case "getMore":
		id, _ := command.Lookup("getMore").AsInt64OK()
		coll, _ := command.Lookup("collection").StringValueOK()
		return f.more(db, coll, id, "nextBatch")
	case "create":
		c := &fakeCollection{db: db, name: target, kind: "collection", uuid: byte(len(f.collections) + 1)}
		elements, _ := command.Elements()
		for _, e := range elements[1:] {
			switch {
			case strings.HasPrefix(e.Key(), "$"), e.Key() == "lsid", e.Key() == "writeConcern":
				continue
			case e.Key() == "viewOn":
				c.kind = "view"
			case e.Key() == "timeseries":
				c.kind = "timeseries"
				f.collections = append(f.collections, &fakeCollection{db: db, name: "system.buckets." + target, kind: "collection"})
			}
			c.options = append(c.options, bson.E{Key: e.Key(), Value: e.Value()})
		}
		if c.kind == "collection" {
			c.indexes = bson.A{idIndex}
		}
		f.collections = append(f.collections, c)
		return ok
	case "createIndexes":
		indexes, _ := command.Lookup("indexes").ArrayOK()
		values, _ := bson.RawArray(indexes).Values()
		c := f.collection(db, target)
		for _, v := range values {
			if refusal := c.addIndex(v.Document()); refusal != nil {
				return refusal
			}
		}
		return ok
	case "shardCollection":
		db, name, _ := strings.Cut(target, ".")
		c, key := f.collection(db, name), command.Lookup("key").Document()
		if !slices.ContainsFunc(c.indexes, func(index any) bool { raw, _ := bson.Marshal(index); return definition.BeginsWith(raw, key) }) {
			c.addIndex(keyIndex(key))
		}
		return ok
	case "insert":
		c := f.collection(db, target)
		if c == nil {
			c = &fakeCollection{db: db, name: target, kind: "collection"}
			f.collections = append(f.collections, c)
		}
		return f.insert(c, command)
	case "count":
		n := 0
		if c := f.collection(db, target); c != nil {
			n = len(c.docs)
		}
		return append(ok, bson.E{Key: "n", Value: n})
	case "aggregate": // which this package asks for counts, and for search indexes
		if _, err := command.LookupErr("pipeline", "0", "$listSearchIndexes"); err == nil {
			return failure(31082, "$listSearchIndexes stage is only allowed on MongoDB Atlas")
		}
		c := f.collection(db, target)
		if c == nil || len(c.docs) == 0 {
			return f.cursor(db, target, nil)
		}
		n := 0
		for _, doc := range c.docs {
			if of, err := command.LookupErr("pipeline", "0", "$match", "db"); err != nil || of.Equal(doc.Lookup("db")) {
				n++
			}
		}
		return f.cursor(db, target, []bson.Raw{count(n)})
	case "dbStats":
		collections, views := 0, 0
		for _, c := range f.collections {
			switch {
			case c.db != db:
			case c.kind == "collection":
				collections++
			default:
				views++
			}
		}
		return append(ok, bson.E{Key: "collections", Value: collections}, bson.E{Key: "views", Value: views})
	case "drop":
		f.collections = slices.DeleteFunc(f.collections, func(c *fakeCollection) bool {
			return c.db == db && (c.name == target || c.name == "system.buckets."+target)
		})
		return ok
	case "getParameter":
		return append(ok, bson.E{Key: "authSchemaVersion", Value: 5})
	case "applyOps":
		return f.applyOps(command)
	case "_mergeAuthzCollections", "collMod", "update", "refreshSessions":
		return ok
	}
	return failure(59, "no such command: "+name)
}

// addIndex adds an index, and refuses one that is another's by its key or its name.
func (c *fakeCollection) addIndex(index bson.Raw) any {
	same := func(a, b bson.Raw) bool {
		named := func(e bson.RawElement) bool { return slices.Contains([]string{"name", "ns", "v"}, e.Key()) }
		x, _ := a.Elements()
		y, _ := b.Elements()
		return slices.EqualFunc(slices.DeleteFunc(x, named), slices.DeleteFunc(y, named), func(x, y bson.RawElement) bool { return bytes.Equal(x, y) })
	}
	for _, other := range c.indexes {
		raw, _ := bson.Marshal(other)
		there := bson.Raw(raw)
		switch {
		case definition.IndexName(there) == definition.IndexName(index) && same(there, index):
			return nil
		case definition.IndexName(there) == definition.IndexName(index):
			return failure(86, "an existing index has the same name as the requested index")
		case there.Lookup("key").Equal(index.Lookup("key")):
			return failure(85, "index already exists with a different name")
		}
	}
	c.indexes = append(c.indexes, index)
	return nil
}

// keyIndex is the index that a mongos makes for a key, named as a server names one.
func keyIndex(key bson.Raw) bson.Raw {
	var name []string
	fields, _ := key.Elements()
	for _, field := range fields {
		text, isText := field.Value().StringValueOK()
		if !isText {
			text = "1"
		}
		name = append(name, field.Key()+"_"+text)
	}
	raw, err := bson.Marshal(bson.D{{Key: "key", Value: key}, {Key: "name", Value: strings.Join(name, "_")}})
	if err != nil {
		panic(err)
	}
	return raw
}

// insert refuses what a unique index has already, as a mongod does, and goes on after that where
// the insert is not ordered.
func (f *fake) insert(c *fakeCollection, command bson.Raw) any {
	unique := []bson.Raw{bson.Raw(idKey)}
	for _, index := range c.indexes {
		raw, _ := bson.Marshal(index)
		if document.True(raw, "unique") && !definition.IsIDIndex(raw) {
			unique = append(unique, bson.Raw(raw).Lookup("key").Document())
		}
	}
	values := func(key, doc bson.Raw) string {
		fields, _ := key.Elements()
		text := fmt.Sprint(key)
		for _, field := range fields {
			text += doc.Lookup(field.Key()).String() + "\x00"
		}
		return text
	}
	there := map[string]bool{}
	for _, doc := range c.docs {
		for _, key := range unique {
			there[values(key, doc)] = true
		}
	}
	docs, _ := command.Lookup("documents").ArrayOK()
	all, _ := bson.RawArray(docs).Values()
	n, refused := 0, bson.A{}
	ordered, given := command.Lookup("ordered").BooleanOK()
	for i, v := range all {
		doc := v.Document()
		at := slices.IndexFunc(unique, func(key bson.Raw) bool { return document.Has(doc, "_id") && there[values(key, doc)] })
		if at >= 0 {
			refused = append(refused, bson.D{{Key: "index", Value: i}, {Key: "code", Value: server.CodeDuplicateKey}, {Key: "keyPattern", Value: unique[at]}, {Key: "errmsg", Value: "E11000 duplicate key"}})
			if ordered || !given {
				break
			}
			continue
		}
		n++
		c.docs = append(c.docs, doc)
		for _, key := range unique {
			there[values(key, doc)] = true
		}
	}
	answer := bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: n}}
	if len(refused) > 0 {
		answer = append(answer, bson.E{Key: "writeErrors", Value: refused})
	}
	return answer
}

// applyOps refuses what is about a collection that is not there, as a mongod does, and makes and
// drops collections.
func (f *fake) applyOps(command bson.Raw) any {
	op := command.Lookup("applyOps", "0").Document()
	ns, _ := op.Lookup("ns").StringValueOK()
	db, name, _ := strings.Cut(ns, ".")
	if kind, _ := op.Lookup("op").StringValueOK(); kind != "c" {
		if f.collection(db, name) == nil && !namespace.IsAuth(db, name) {
			return failure(server.CodeNamespaceNotFound, "cannot apply an operation on a non-existent namespace "+ns)
		}
		return bson.D{{Key: "ok", Value: 1}}
	}
	object := op.Lookup("o").Document()
	target, _ := object.Index(0).Value().StringValueOK()
	switch object.Index(0).Key() {
	case "create", "drop":
		return f.mongod(db, object.Index(0).Key(), target, object)
	}
	return bson.D{{Key: "ok", Value: 1}}
}

// count is what an aggregation answers that counts.
func count(n int) bson.Raw {
	raw, err := bson.Marshal(bson.D{{Key: "_id", Value: nil}, {Key: "n", Value: n}})
	if err != nil {
		panic(err)
	}
	return raw
}

func (f *fake) wireVersion() int {
	if f.version >= "8.3" {
		return 29
	}
	return 21
}

var idIndex = bson.D{{Key: "v", Value: 2}, {Key: "key", Value: bson.D{{Key: "_id", Value: 1}}}, {Key: "name", Value: "_id_"}}

var idKey, _ = bson.Marshal(bson.D{{Key: "_id", Value: 1}})

// selected tells whether a document is one that a find of this package asks for.
func selected(doc, command bson.Raw) bool {
	if db, ok := command.Lookup("filter", "db").StringValueOK(); ok {
		return doc.Lookup("db").StringValue() == db
	}
	if ids, ok := command.Lookup("filter", "_id", "$in").ArrayOK(); ok {
		values, _ := bson.RawArray(ids).Values()
		return slices.ContainsFunc(values, doc.Lookup("_id").Equal)
	}
	at := func(v bson.RawValue) bson.Timestamp {
		t, i, _ := v.TimestampOK()
		return bson.Timestamp{T: t, I: i}
	}
	if from, err := command.LookupErr("filter", "ts", "$gte"); err == nil {
		ts := at(doc.Lookup("ts"))
		return !ts.Before(at(from)) && !ts.After(at(command.Lookup("filter", "ts", "$lte")))
	}
	return true
}

func (f *fake) collection(db, name string) *fakeCollection {
	for _, c := range f.collections {
		if c.db == db && c.name == name {
			return c
		}
	}
	return nil
}

func (f *fake) cursor(db, name string, docs []bson.Raw) any {
	id := int64(len(f.cursors) + 1)
	f.cursors[id] = docs
	return f.more(db, name, id, "firstBatch")
}

func (f *fake) more(db, name string, id int64, field string) bson.D {
	docs := f.cursors[id]
	n := len(docs)
	if f.batch > 0 {
		n = min(n, f.batch)
	}
	f.cursors[id] = docs[n:]
	if n == len(docs) {
		id = 0
	}
	batch := bson.A{}
	for _, doc := range docs[:n] {
		batch = append(batch, doc)
	}
	return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: db + "." + name}, {Key: field, Value: batch}}}}
}

// add makes a collection with documents in extended JSON.
func (f *fake) add(t *testing.T, db, name, kind, options string, docs ...string) *fakeCollection {
	t.Helper()
	c := &fakeCollection{db: db, name: name, kind: kind, uuid: byte(len(f.collections) + 1)}
	if options != "" {
		c.options = jsonD(t, options)
	}
	if kind == "collection" {
		c.indexes = bson.A{idIndex}
	}
	for _, text := range docs {
		c.docs = append(c.docs, jsonRaw(t, text))
	}
	f.collections = append(f.collections, c)
	return c
}

// handle lets do answer a command from now on, unless that returns nil. A connection of an earlier
// dump that was cut off may still be answered meanwhile.
func (f *fake) handle(command string, do func(db string, command bson.Raw) any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on[command] = do
}

// sent returns the commands of a name, without what a driver adds, as text.
func (f *fake) sent(name string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, command := range f.commands {
		if command.Index(0).Key() != name {
			continue
		}
		db, _ := command.Lookup("$db").StringValueOK()
		elements, _ := command.Elements()
		elements = slices.DeleteFunc(elements, func(e bson.RawElement) bool {
			return strings.HasPrefix(e.Key(), "$") || e.Key() == "lsid" || e.Key() == "txnNumber"
		})
		raw, _ := document.Of(elements)
		text, _ := bson.MarshalExtJSON(raw, false, false)
		all = append(all, db+": "+string(text))
	}
	return all
}

func jsonRaw(t *testing.T, text string) bson.Raw {
	t.Helper()
	var raw bson.Raw
	if err := bson.UnmarshalExtJSON([]byte(text), false, &raw); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return raw
}

func jsonD(t *testing.T, text string) bson.D {
	t.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(text), false, &d); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}
