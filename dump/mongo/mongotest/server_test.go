package mongotest

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t *testing.T, s *Server) *mongo.Client {
	t.Helper()
	c, err := mongo.Connect(options.Client().ApplyURI(s.URI()).SetRetryReads(false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Disconnect(t.Context()) })
	return c
}

func start(t *testing.T, o Options) (*Server, *mongo.Client) {
	t.Helper()
	s := Start(t, o)
	c := client(t, s)
	t.Cleanup(s.stop) // before the client's end would wait for it
	return s, c
}

func numbers(n int) (docs []any) {
	for i := range n {
		docs = append(docs, bson.D{{Key: "_id", Value: i}})
	}
	return docs
}

func count(t *testing.T, c *mongo.Collection, filter bson.D) (int, error) {
	t.Helper()
	cur, err := c.Find(t.Context(), filter)
	if err != nil {
		return 0, err
	}
	var docs []bson.Raw
	err = cur.All(t.Context(), &docs)
	return len(docs), err
}

// A client of MongoDB's takes it for what it says it is.
func TestTopologies(t *testing.T) {
	for name, o := range map[string]Options{"alone": {}, "replica set": {ReplicaSet: "rs0"}, "mongos": {Mongos: true}, "5.0": {Version: "5.0.31"}} {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, o)
			s.Add("shop", Collection{Name: "orders", Documents: numbers(1000)})
			if n, err := count(t, c.Database("shop").Collection("orders"), bson.D{}); n != 1000 || err != nil {
				t.Errorf("%d documents, %v", n, err)
			}
			names, err := c.ListDatabaseNames(t.Context(), bson.D{})
			if err != nil || len(names) != 1 || names[0] != "shop" {
				t.Errorf("databases %v, %v", names, err)
			}
			if n := len(s.Commands("getMore")); n != 9 {
				t.Errorf("%d times more", n)
			}
			if n := s.Cursors(); n != 0 {
				t.Errorf("%d cursors are left", n)
			}
		})
	}
}

func TestWrites(t *testing.T) {
	s, c := start(t, Options{ReplicaSet: "rs0"})
	db := c.Database("shop")
	if err := db.CreateCollection(t.Context(), "log", options.CreateCollection().SetCapped(true).SetSizeInBytes(4096)); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateView(t.Context(), "recent", "log", mongo.Pipeline{}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Collection("log").InsertMany(t.Context(), numbers(3)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Collection("log").Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.D{{Key: "a", Value: 1}}}); err != nil {
		t.Fatal(err)
	}
	specs, err := db.ListCollectionSpecifications(t.Context(), bson.D{})
	if err != nil || len(specs) != 2 || !specs[0].Options.Lookup("capped").Boolean() || specs[1].Type != "view" {
		t.Errorf("%+v, %v", specs, err)
	}
	if indexes, err := db.Collection("log").Indexes().ListSpecifications(t.Context()); err != nil || len(indexes) != 2 {
		t.Errorf("%+v, %v", indexes, err)
	}
	if docs := s.Documents("shop", "log"); len(docs) != 3 || !bytes.Equal(docs[2], marshal(bson.D{{Key: "_id", Value: 2}})) {
		t.Error(docs)
	}
	if err := db.Collection("log").Drop(t.Context()); err != nil || s.Documents("shop", "log") != nil {
		t.Error(err)
	}
}

func TestHandlers(t *testing.T) {
	s, c := start(t, Options{BatchSize: 2})
	s.Add("shop", Collection{Name: "orders", Documents: numbers(9)})
	orders := c.Database("shop").Collection("orders")
	for _, want := range []*Error{CursorNotFound, NotWritablePrimary, SteppingDown, SnapshotTooOld} {
		var turn atomic.Int32
		s.Handle("getMore", func(Command) (any, error) {
			if turn.Add(1) == 2 {
				return nil, want
			}
			return nil, nil
		})
		_, err := count(t, orders, bson.D{})
		var command mongo.CommandError
		if !errors.As(err, &command) || command.Code != want.Code || command.Name != want.Name {
			t.Errorf("%v, want %v", err, want)
		}
	}
	s.Handle("getMore", func(Command) (any, error) { return nil, ErrHangUp })
	if _, err := count(t, orders, bson.D{}); !mongo.IsNetworkError(err) {
		t.Error(err)
	}
	s.Handle("getMore", nil)
	if n, err := count(t, orders, bson.D{}); n != 9 || err != nil {
		t.Errorf("%d documents, %v", n, err)
	}
	s.Handle("usersInfo", func(c Command) (any, error) {
		return bson.D{{Key: "users", Value: bson.A{bson.D{{Key: "user", Value: c.DB}}}}}, nil
	})
	if answer, err := c.Database("admin").RunCommand(t.Context(), bson.D{{Key: "usersInfo", Value: 1}}).Raw(); err != nil ||
		answer.Lookup("users", "0", "user").StringValue() != "admin" {
		t.Error(answer, err)
	}
	var command mongo.CommandError
	if err := c.Database("x").RunCommand(t.Context(), bson.D{{Key: "collStats", Value: "y"}}).Err(); !errors.As(err, &command) || command.Code != 59 {
		t.Error(err)
	}
}

func TestOplog(t *testing.T) {
	s, c := start(t, Options{ReplicaSet: "rs0"})
	for i := range uint32(10) {
		s.AddOplog(bson.Timestamp{T: 100, I: i}, bson.D{{Key: "op", Value: "n"}})
	}
	oplog := c.Database("local").Collection("oplog.rs")
	between := bson.D{{Key: "ts", Value: bson.D{{Key: "$gte", Value: bson.Timestamp{T: 100, I: 3}}, {Key: "$lte", Value: bson.Timestamp{T: 100, I: 7}}}}}
	if n, err := count(t, oplog, between); n != 5 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
	last, err := oplog.FindOne(t.Context(), bson.D{}, options.FindOne().SetSort(bson.D{{Key: "$natural", Value: -1}})).Raw()
	if err != nil {
		t.Fatal(err)
	}
	if _, i := last.Lookup("ts").Timestamp(); i != 9 {
		t.Errorf("the last is %d", i)
	}
	s.RollOver(4)
	if n, err := count(t, oplog, between); n != 2 || err != nil {
		t.Errorf("%d entries after it rolled over, %v", n, err)
	}
	answer, err := c.Database("local").RunCommand(t.Context(), bson.D{
		{Key: "find", Value: "oplog.rs"},
		{Key: "readConcern", Value: bson.D{{Key: "level", Value: "snapshot"}}},
	}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	if sec, i := answer.Lookup("cursor", "atClusterTime").Timestamp(); sec != 100 || i != 9 {
		t.Errorf("at %d,%d", sec, i)
	}
}

func FuzzReadMessage(f *testing.F) {
	var b bytes.Buffer
	m := &message{}
	if err := m.reply(&b, marshal(bson.D{{Key: "ping", Value: 1}, {Key: "$db", Value: "admin"}})); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := readMessage(bytes.NewReader(data))
		if err == nil && m.command.Name == "" && len(m.command.Body) < 5 {
			t.Error("no error, and no command")
		}
	})
}
