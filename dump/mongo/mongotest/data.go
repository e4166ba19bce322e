package mongotest

import (
	"bytes"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A Collection is one, a view, or a time series, as listCollections and its like tell of it.
type Collection struct {
	Name      string
	Type      string // "": collection
	Options   bson.D
	Info      bson.D   // "": a UUID, unless it is a view
	Indexes   []bson.D // nil: the one of _id, unless it is a view or a time series
	Documents []any    // what bson can marshal, bson.Raw as it is

	docs []bson.Raw
}

// Add adds a collection, in place of one of that name.
func (s *Server) Add(db string, c Collection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(db, &c)
}

func (s *Server) add(db string, c *Collection) {
	if c.Type == "" {
		c.Type = "collection"
	}
	if c.Type == "collection" && c.Indexes == nil {
		c.Indexes = []bson.D{{{Key: "v", Value: int32(2)}, {Key: "key", Value: bson.D{{Key: "_id", Value: int32(1)}}}, {Key: "name", Value: "_id_"}}}
	}
	if c.Info == nil {
		c.Info = bson.D{{Key: "readOnly", Value: c.Type == "view"}}
		if c.Type == "collection" {
			s.lastID++
			uuid := make([]byte, 16)
			uuid[15] = byte(s.lastID)
			c.Info = append(c.Info, bson.E{Key: "uuid", Value: bson.Binary{Subtype: 4, Data: uuid}})
		}
	}
	if c.Options == nil {
		c.Options = bson.D{}
	}
	for _, doc := range c.Documents {
		c.docs = append(c.docs, marshal(doc))
	}
	s.remove(db, c.Name)
	s.databases[db] = append(s.databases[db], c)
}

// Drop takes a collection away, as others might during a dump.
func (s *Server) Drop(db, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(db, name)
}

func (s *Server) remove(db, name string) bool {
	before := len(s.databases[db])
	s.databases[db] = slices.DeleteFunc(s.databases[db], func(c *Collection) bool { return c.Name == name })
	if len(s.databases[db]) == 0 {
		delete(s.databases, db)
		return before > 0
	}
	return len(s.databases[db]) < before
}

// Documents returns what a collection holds.
func (s *Server) Documents(db, name string) []bson.Raw {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(db, name); c != nil {
		return slices.Clone(c.docs)
	}
	return nil
}

func (s *Server) find(db, name string) *Collection {
	for _, c := range s.databases[db] {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// AddOplog appends an entry to local.oplog.rs, with its time as ts, which then is the server's.
func (s *Server) AddOplog(ts bson.Timestamp, entry bson.D) {
	s.mu.Lock()
	defer s.mu.Unlock()
	oplog := s.find("local", "oplog.rs")
	if oplog == nil {
		oplog = &Collection{Name: "oplog.rs", Options: bson.D{{Key: "capped", Value: true}}, Indexes: []bson.D{}}
		s.add("local", oplog)
	}
	oplog.docs = append(oplog.docs, marshal(append(bson.D{{Key: "ts", Value: ts}}, entry...)))
	s.now = ts
}

// RollOver takes the oldest entries of the oplog away, all but the last keep.
func (s *Server) RollOver(keep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if oplog := s.find("local", "oplog.rs"); oplog != nil {
		oplog.docs = slices.Clone(oplog.docs[max(0, len(oplog.docs)-keep):])
	}
}

// SetNow sets the time that the server tells.
func (s *Server) SetNow(ts bson.Timestamp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = ts
}

// matches knows equality, $in, and the comparisons, of timestamps.
func matches(doc, filter bson.Raw) bool {
	conditions, err := filter.Elements()
	if err != nil {
		return false
	}
	for _, condition := range conditions {
		have := doc.Lookup(condition.Key())
		want := condition.Value()
		operators, ok := want.DocumentOK()
		if !ok {
			if !same(have, want) {
				return false
			}
			continue
		}
		elements, _ := operators.Elements()
		for _, e := range elements {
			if !holds(e.Key(), have, e.Value()) {
				return false
			}
		}
	}
	return true
}

func holds(operator string, have, want bson.RawValue) bool {
	switch operator {
	case "$in":
		list, _ := want.ArrayOK()
		values, _ := list.Values()
		return slices.ContainsFunc(values, func(v bson.RawValue) bool { return same(have, v) })
	case "$exists":
		return want.Boolean() == !have.IsZero()
	case "$ne":
		return !same(have, want)
	}
	ht, hi, ok1 := have.TimestampOK()
	wt, wi, ok2 := want.TimestampOK()
	if !ok1 || !ok2 {
		return false
	}
	c := bson.Timestamp{T: ht, I: hi}.Compare(bson.Timestamp{T: wt, I: wi})
	switch operator {
	case "$gt":
		return c > 0
	case "$gte":
		return c >= 0
	case "$lt":
		return c < 0
	case "$lte":
		return c <= 0
	}
	return false
}

func same(a, b bson.RawValue) bool { return a.Type == b.Type && bytes.Equal(a.Value, b.Value) }
