package mongotest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// commands are the server's own, called with its lock held.
var commands map[string]func(*Server, Command) (any, error)

func init() { // they refer to the map
	commands = map[string]func(*Server, Command) (any, error){
		"hello": (*Server).hello, "isMaster": (*Server).hello, "ismaster": (*Server).hello,
		"ping": done, "endSessions": done, "applyOps": done,
		"buildInfo": (*Server).buildInfo, "buildinfo": (*Server).buildInfo,
		"listDatabases": (*Server).listDatabases, "listCollections": (*Server).listCollections, "listIndexes": (*Server).listIndexes,
		"find": (*Server).findCommand, "getMore": (*Server).getMore, "killCursors": (*Server).killCursors,
		"create": (*Server).create, "createIndexes": (*Server).createIndexes, "insert": (*Server).insert,
		"drop": (*Server).drop, "dropDatabase": (*Server).dropDatabase,
	}
}

func isHello(name string) bool { return strings.EqualFold(name, "ismaster") || name == "hello" }

func done(*Server, Command) (any, error) { return bson.D{}, nil }

func (s *Server) hello(Command) (any, error) {
	primary := !s.options.Secondary
	doc := bson.D{
		{Key: "helloOk", Value: true},
		{Key: "isWritablePrimary", Value: primary},
		{Key: "ismaster", Value: primary},
		{Key: "maxBsonObjectSize", Value: int32(16 << 20)},
		{Key: "maxMessageSizeBytes", Value: int32(maxMessage)},
		{Key: "maxWriteBatchSize", Value: int32(100_000)},
		{Key: "logicalSessionTimeoutMinutes", Value: int32(30)},
		{Key: "minWireVersion", Value: int32(0)},
		{Key: "maxWireVersion", Value: wireVersion(s.options.Version)},
		{Key: "readOnly", Value: false},
	}
	switch {
	case s.options.Mongos:
		doc = append(doc, bson.E{Key: "msg", Value: "isdbgrid"})
	case s.options.ReplicaSet != "":
		doc = append(doc, bson.D{
			{Key: "setName", Value: s.options.ReplicaSet},
			{Key: "setVersion", Value: int32(1)},
			{Key: "hosts", Value: bson.A{s.address}},
			{Key: "me", Value: s.address},
			{Key: "secondary", Value: !primary},
		}...)
		if primary {
			doc = append(doc, bson.E{Key: "primary", Value: s.address})
		}
	}
	return doc, nil
}

// wireVersion is what the releases say: 13 is 5.0, 17 is 6.0, 21 is 7.0, 25 is 8.0.
func wireVersion(version string) int32 {
	return int32(13 + 4*(versionArray(version)[0]-5))
}

func versionArray(version string) (array [4]int32) {
	for i, part := range strings.SplitN(version, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil {
			panic(fmt.Sprintf("mongotest: version %q, expected one like 8.0.4", version))
		}
		array[i] = int32(n)
	}
	return array
}

func (s *Server) buildInfo(Command) (any, error) {
	return bson.D{
		{Key: "version", Value: s.options.Version},
		{Key: "versionArray", Value: versionArray(s.options.Version)},
		{Key: "modules", Value: bson.A{}},
		{Key: "maxBsonObjectSize", Value: int32(16 << 20)},
	}, nil
}

func (s *Server) listDatabases(Command) (any, error) {
	var names []string
	for name := range s.databases {
		names = append(names, name)
	}
	slices.Sort(names)
	list := bson.A{}
	for _, name := range names {
		list = append(list, bson.D{{Key: "name", Value: name}, {Key: "sizeOnDisk", Value: int64(1)}, {Key: "empty", Value: false}})
	}
	return bson.D{{Key: "databases", Value: list}, {Key: "totalSize", Value: int64(len(names))}}, nil
}

func (s *Server) listCollections(c Command) (any, error) {
	filter, _ := c.Body.Lookup("filter").DocumentOK()
	var list []bson.Raw
	for _, collection := range s.databases[c.DB] {
		doc := marshal(bson.D{
			{Key: "name", Value: collection.Name},
			{Key: "type", Value: collection.Type},
			{Key: "options", Value: collection.Options},
			{Key: "info", Value: collection.Info},
		})
		if filter == nil || matches(doc, filter) {
			list = append(list, doc)
		}
	}
	return s.open(c, "$cmd.listCollections", list)
}

func (s *Server) listIndexes(c Command) (any, error) {
	name := c.Arg("listIndexes")
	collection := s.find(c.DB, name)
	if collection == nil {
		return nil, &Error{Code: 26, Name: "NamespaceNotFound", Message: "ns does not exist: " + c.DB + "." + name}
	}
	if collection.Type == "view" {
		return nil, &Error{Code: 166, Name: "CommandNotSupportedOnView", Message: name + " is a view"}
	}
	var list []bson.Raw
	for _, index := range collection.Indexes {
		list = append(list, marshal(index))
	}
	return s.open(c, name, list)
}

func (s *Server) findCommand(c Command) (any, error) {
	name := c.Arg("find")
	var docs []bson.Raw
	if collection := s.find(c.DB, name); collection != nil {
		docs = slices.Clone(collection.docs)
	}
	if filter, ok := c.Body.Lookup("filter").DocumentOK(); ok {
		docs = slices.DeleteFunc(docs, func(doc bson.Raw) bool { return !matches(doc, filter) })
	}
	if sort, ok := c.Body.Lookup("sort").DocumentOK(); ok {
		if _, err := sort.LookupErr("_id"); err == nil {
			slices.SortStableFunc(docs, func(a, b bson.Raw) int { return compareIDs(a.Lookup("_id"), b.Lookup("_id")) })
		}
		if n, ok := sort.Lookup("$natural").AsInt64OK(); ok && n < 0 {
			slices.Reverse(docs)
		}
	}
	if limit, ok := c.Body.Lookup("limit").AsInt64OK(); ok && limit > 0 {
		docs = docs[:min(int64(len(docs)), limit)]
	}
	return s.open(c, name, docs)
}

func compareIDs(a, b bson.RawValue) int {
	x, ok1 := a.AsInt64OK()
	y, ok2 := b.AsInt64OK()
	if ok1 && ok2 {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(string(a.Value), string(b.Value))
}

// A cursor is what is still to be sent.
type cursor struct {
	ns   string
	docs []bson.Raw
}

// open answers a command with the first documents, and keeps the rest behind a cursor.
func (s *Server) open(c Command, name string, docs []bson.Raw) (any, error) {
	size := s.options.BatchSize
	if n, ok := c.Body.Lookup("batchSize").AsInt64OK(); ok {
		size = int(n)
	} else if n, ok := c.Body.Lookup("cursor", "batchSize").AsInt64OK(); ok {
		size = int(n)
	}
	if single, _ := c.Body.Lookup("singleBatch").BooleanOK(); single {
		size = len(docs)
	}
	size = min(size, len(docs))
	ns := c.DB + "." + name
	var id int64
	if size < len(docs) {
		s.lastID++
		id = s.lastID
		s.cursors[id] = &cursor{ns, docs[size:]}
	}
	answer := bson.D{{Key: "id", Value: id}, {Key: "ns", Value: ns}, {Key: "firstBatch", Value: array(docs[:size])}}
	if level, _ := c.Body.Lookup("readConcern", "level").StringValueOK(); level == "snapshot" && s.options.ReplicaSet != "" {
		at := s.now
		if t, i, ok := c.Body.Lookup("readConcern", "atClusterTime").TimestampOK(); ok {
			at = bson.Timestamp{T: t, I: i}
		}
		answer = append(answer, bson.E{Key: "atClusterTime", Value: at})
	}
	return bson.D{{Key: "cursor", Value: answer}}, nil
}

// array is never nil, which would be null.
func array(docs []bson.Raw) []bson.Raw { return append([]bson.Raw{}, docs...) }

func (s *Server) getMore(c Command) (any, error) {
	id, _ := c.Body.Lookup("getMore").AsInt64OK()
	cursor := s.cursors[id]
	if cursor == nil {
		return nil, CursorNotFound
	}
	size := s.options.BatchSize
	if n, ok := c.Body.Lookup("batchSize").AsInt64OK(); ok && n > 0 {
		size = int(n)
	}
	size = min(size, len(cursor.docs))
	batch := cursor.docs[:size]
	if cursor.docs = cursor.docs[size:]; len(cursor.docs) == 0 {
		delete(s.cursors, id)
		id = 0
	}
	return bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: cursor.ns}, {Key: "nextBatch", Value: array(batch)}}}}, nil
}

// Cursors is how many cursors are open.
func (s *Server) Cursors() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.cursors)
}

func (s *Server) killCursors(c Command) (any, error) {
	list, _ := c.Body.Lookup("cursors").ArrayOK()
	ids, err := list.Values()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		n, _ := id.AsInt64OK()
		delete(s.cursors, n)
	}
	return bson.D{{Key: "cursorsKilled", Value: bson.RawArray(list)}}, nil
}

func (s *Server) create(c Command) (any, error) {
	name := c.Arg("create")
	if s.find(c.DB, name) != nil {
		return nil, &Error{Code: 48, Name: "NamespaceExists", Message: "collection " + c.DB + "." + name + " already exists"}
	}
	created := &Collection{Name: name}
	elements, err := c.Body.Elements()
	if err != nil {
		return nil, err
	}
	for _, e := range elements[1:] {
		switch key := e.Key(); {
		case strings.HasPrefix(key, "$"), key == "lsid", key == "txnNumber", key == "writeConcern":
			continue
		case key == "viewOn":
			created.Type = "view"
		case key == "timeseries":
			created.Type = "timeseries"
		}
		created.Options = append(created.Options, bson.E{Key: e.Key(), Value: e.Value()})
	}
	s.add(c.DB, created)
	return bson.D{}, nil
}

func (s *Server) createIndexes(c Command) (any, error) {
	collection := s.orNew(c.DB, c.Arg("createIndexes"))
	var body struct {
		Indexes []bson.D `bson:"indexes"`
	}
	if err := bson.Unmarshal(c.Body, &body); err != nil {
		return nil, err
	}
	collection.Indexes = append(collection.Indexes, body.Indexes...)
	return bson.D{{Key: "numIndexesAfter", Value: int32(len(collection.Indexes))}}, nil
}

func (s *Server) insert(c Command) (any, error) {
	collection := s.orNew(c.DB, c.Arg("insert"))
	docs := c.Docs
	if list, ok := c.Body.Lookup("documents").ArrayOK(); ok {
		values, err := list.Values()
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			docs = append(docs, v.Document())
		}
	}
	collection.docs = append(collection.docs, docs...)
	return bson.D{{Key: "n", Value: int32(len(docs))}}, nil
}

func (s *Server) orNew(db, name string) *Collection {
	if s.find(db, name) == nil {
		s.add(db, &Collection{Name: name})
	}
	return s.find(db, name)
}

func (s *Server) drop(c Command) (any, error) {
	s.remove(c.DB, c.Arg("drop"))
	return bson.D{}, nil
}

func (s *Server) dropDatabase(c Command) (any, error) {
	delete(s.databases, c.DB)
	return bson.D{}, nil
}
