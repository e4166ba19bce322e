// Package mongotest is a server for tests that speaks MongoDB's protocol, without being a database: it answers from
// documents that a test gives it, and as the test tells it to. So a test can have what no server that can be installed
// here has: a replica set with an oplog, a mongos, time series, views, a primary that steps down, a cursor that is gone
// midway.
//
//	server := mongotest.Start(t, mongotest.Options{ReplicaSet: "rs0"})
//	server.Add("shop", mongotest.Collection{Name: "orders", Documents: []any{bson.D{{Key: "_id", Value: 1}}}})
//	server.AddOplog(bson.Timestamp{T: 100, I: 1}, bson.D{{Key: "op", Value: "n"}})
//	server.Handle("getMore", func(mongotest.Command) (any, error) { return nil, mongotest.CursorNotFound })
//	… connect to server.URI() …
//	server.Commands("find") // what was received
//
// By itself it answers hello, ping, buildInfo, listDatabases, listCollections, listIndexes, find with getMore and
// killCursors (filters of equality, $in and comparisons of timestamps; sort by _id or $natural; limit, batchSize),
// create, createIndexes, insert, drop, dropDatabase, endSessions, and applyOps, which it only notes. A find with the
// read concern "snapshot" is told the time Now as its atClusterTime in a replica set. Any other command is unknown, as
// it would be to MongoDB, unless the test has a handler for it.
package mongotest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Options say what the server is.
type Options struct {
	Version    string // "": 8.0.4
	ReplicaSet string // the set that it is the primary of; "": none
	Secondary  bool   // it is a secondary of that set instead
	Mongos     bool   // it is the front of a sharded cluster
	BatchSize  int    // documents in an answer where the command does not say; 0: 101
}

// A Server is the server. Its methods may be called at any time.
type Server struct {
	options  Options
	address  string
	listener net.Listener
	all      sync.WaitGroup

	mu        sync.Mutex
	conns     map[net.Conn]bool
	handlers  map[string]Handler
	received  []Command
	databases map[string][]*Collection
	cursors   map[int64]*cursor
	lastID    int64
	now       bson.Timestamp
	closed    bool
}

// A Command is one that the server has received.
type Command struct {
	Name string
	DB   string
	Body bson.Raw   // the command document
	Docs []bson.Raw // that came beside it: what insert inserts
}

// Arg is a string argument of the command, of its name itself for instance; empty if it is none.
func (c Command) Arg(key string) string {
	s, _ := c.Body.Lookup(key).StringValueOK()
	return s
}

// A Handler answers a command. Both nil leave it to the server. The answer is what bson can marshal, without "ok".
// The error is an [*Error], [ErrHangUp], or any other, which is told as an internal one.
type Handler func(Command) (answer any, err error)

// An Error is an answer that is not ok.
type Error struct {
	Code    int32
	Name    string
	Message string
	Labels  []string
}

func (e *Error) Error() string { return e.Name + ": " + e.Message }

// Errors that servers give.
var (
	CursorNotFound     = &Error{Code: 43, Name: "CursorNotFound", Message: "cursor id not found"}
	NotWritablePrimary = &Error{Code: 10107, Name: "NotWritablePrimary", Message: "not primary"}
	SteppingDown       = &Error{Code: 11602, Name: "InterruptedDueToReplStateChange", Message: "operation was interrupted"}
	SnapshotTooOld     = &Error{Code: 239, Name: "SnapshotTooOld", Message: "the snapshot is too old"}
	Unauthorized       = &Error{Code: 13, Name: "Unauthorized", Message: "not authorized to execute this command"}
)

// ErrHangUp closes the connection in place of an answer.
var ErrHangUp = errors.New("hang up")

// Start starts a server, which ends with the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if options.Version == "" {
		options.Version = "8.0.4"
	}
	if options.BatchSize == 0 {
		options.BatchSize = 101
	}
	s := &Server{
		options: options, address: listener.Addr().String(), listener: listener, conns: map[net.Conn]bool{},
		handlers: map[string]Handler{}, databases: map[string][]*Collection{}, cursors: map[int64]*cursor{}, now: bson.Timestamp{T: 1, I: 1},
	}
	s.all.Go(s.accept)
	t.Cleanup(s.stop)
	return s
}

// URI is the server's address.
func (s *Server) URI() string {
	if s.options.ReplicaSet != "" {
		return "mongodb://" + s.address + "/?replicaSet=" + s.options.ReplicaSet
	}
	return "mongodb://" + s.address + "/"
}

// Handle has h asked before the server answers a command, in place of the handler there was. Nil takes it away. It may
// call the server's methods.
func (s *Server) Handle(command string, h Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[command] = h
}

// Commands returns the commands received of that name, or all but hello and its like, in their order.
func (s *Server) Commands(name string) []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.received), func(c Command) bool { return name != "" && c.Name != name })
}

// HangUp closes all connections; new ones are accepted.
func (s *Server) HangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

func (s *Server) stop() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.listener.Close()
	s.HangUp()
	s.all.Wait()
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			_ = conn.Close()
		} else {
			s.conns[conn] = true
			s.all.Go(func() { s.serve(conn) })
		}
		s.mu.Unlock()
	}
}

func (s *Server) serve(conn net.Conn) {
	defer func() {
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
		_ = conn.Close()
	}()
	for {
		m, err := readMessage(conn)
		if err != nil {
			return // the client has gone, or sends what is no message
		}
		answer, err := s.answer(m.command)
		if errors.Is(err, ErrHangUp) {
			return
		}
		if m.silent {
			continue
		}
		if err := m.reply(conn, s.document(answer, err)); err != nil {
			return
		}
	}
}

// answer asks the test's handler and then the server's own.
func (s *Server) answer(c Command) (any, error) {
	s.mu.Lock()
	handler := s.handlers[c.Name]
	if !isHello(c.Name) {
		s.received = append(s.received, c)
	}
	s.mu.Unlock()
	if handler != nil {
		if answer, err := handler(c); answer != nil || err != nil {
			return answer, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own, ok := commands[c.Name]
	if !ok {
		return nil, &Error{Code: 59, Name: "CommandNotFound", Message: fmt.Sprintf("no such command: '%s'", c.Name)}
	}
	return own(s, c)
}

// document is the answer as it is sent.
func (s *Server) document(answer any, err error) bson.Raw {
	var doc bson.D
	var known *Error
	switch {
	case errors.As(err, &known):
		doc = bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: known.Message}, {Key: "code", Value: known.Code}, {Key: "codeName", Value: known.Name}}
		if known.Labels != nil {
			doc = append(doc, bson.E{Key: "errorLabels", Value: known.Labels})
		}
	case err != nil:
		doc = bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: err.Error()}, {Key: "code", Value: int32(1)}, {Key: "codeName", Value: "InternalError"}}
	default:
		if err := bson.Unmarshal(marshal(answer), &doc); err != nil {
			panic(err)
		}
		doc = append(doc, bson.E{Key: "ok", Value: 1.0})
	}
	if s.options.ReplicaSet != "" {
		s.mu.Lock()
		doc = append(doc, bson.E{Key: "operationTime", Value: s.now})
		s.mu.Unlock()
	}
	return marshal(doc)
}

// marshal is for what a test has written, where a mistake is one of the test.
func marshal(v any) bson.Raw {
	if raw, ok := v.(bson.Raw); ok {
		return raw
	}
	data, err := bson.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("mongotest: %v: %v", v, err))
	}
	return data
}

var errMessage = fmt.Errorf("not a message: %w", io.ErrUnexpectedEOF)
