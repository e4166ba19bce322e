package server

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// A Conn is a connection to one server: a mongod, or a mongos.
type Conn struct {
	client *mongo.Client
	read   *readpref.ReadPref
	Info   Info

	write    *writeconcern.WriteConcern // of a restore; writeConcern says it to the server, and not the driver
	patience time.Duration              // with which a write waits for members; 0: without end

	lastWords atomic.Pointer[error] // what the server has said of its end
}

// Connect connects to the server to read from it. Of a replica set it is one member, the one that
// the read preference selects, and all of it is read from there: another's documents may come in
// another order, and its oplog may be behind.
func (s Config) Connect(ctx context.Context) (*Conn, error) {
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	return dialMember(ctx, opts)
}

// ConnectPrimary connects to the server to write to it, whatever the read preference: of a replica
// set to whichever member is the primary. What it has acknowledged is there after an election as
// well.
func (s Config) ConnectPrimary(ctx context.Context) (*Conn, error) {
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	write := lasting(opts.WriteConcern)
	toWrite := func() (*Conn, error) {
		c, err := dial(ctx, opts.SetReadPreference(readpref.Primary()).SetWriteConcern(&writeconcern.WriteConcern{}))
		if err == nil {
			c.write, c.patience = write, s.patience()
		}
		return c, err
	}
	c, err := toWrite()
	if err != nil || c.Info.Set == "" || opts.ServerSelectionTimeout == nil || *opts.ServerSelectionTimeout != s.ConnectTimeout {
		return c, err
	}
	c.Close(ctx) // it has answered; from now on a primary may be missing for as long as an election takes
	opts.SetServerSelectionTimeout(max(s.ConnectTimeout, electionTime))
	return toWrite()
}

func dialMember(ctx context.Context, opts *options.ClientOptions) (*Conn, error) {
	c, err := dial(ctx, opts)
	if err != nil {
		return nil, err
	}
	direct := opts.Direct != nil && *opts.Direct
	if c.Info.Set == "" || c.Info.Mongos || c.Info.me == "" || direct {
		return c, nil
	}
	c.Close(ctx)
	return dial(ctx, member(opts, c.Info.me))
}

// member is a connection to one member alone, with all else as in opts. What is copied is what can
// be set, so not the URI, which where it is a service record forbids that.
func member(opts *options.ClientOptions, address string) *options.ClientOptions {
	alone := options.Client()
	from, to := reflect.ValueOf(opts).Elem(), reflect.ValueOf(alone).Elem()
	for i := range to.NumField() {
		if to.Field(i).CanSet() {
			to.Field(i).Set(from.Field(i))
		}
	}
	alone.SRVMaxHosts, alone.SRVServiceName = nil, nil
	return alone.SetHosts([]string{address}).SetDirect(true)
}

func dial(ctx context.Context, opts *options.ClientOptions) (_ *Conn, err error) {
	client, err := mongo.Connect(opts)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &Conn{client: client, read: opts.ReadPreference}
	if c.read == nil {
		c.read = readpref.Primary()
	}
	defer func() {
		if err != nil {
			c.Close(ctx)
		}
	}()
	var hello struct {
		SetName string `bson:"setName"`
		Me      string `bson:"me"`
		Msg     string `bson:"msg"`
		Session int64  `bson:"logicalSessionTimeoutMinutes"`
	}
	var build bson.Raw
	// Not the driver's own connectTimeoutMS: by it a server's heartbeat is judged as well, and a
	// dump would be cut off by a pause of the server's that its cursor outlasts.
	asking, cancel := ctx, func() {}
	if wait := opts.ServerSelectionTimeout; wait != nil {
		asking, cancel = context.WithTimeoutCause(ctx, 2**wait, fmt.Errorf("%w, which is %s", dump.ErrNoAnswer, 2**wait))
	}
	err = c.Run(asking, "admin", bson.D{{Key: "hello", Value: 1}}, &hello)
	if err == nil {
		err = c.Run(asking, "admin", bson.D{{Key: "buildInfo", Value: 1}}, &build)
	}
	if err != nil && asking.Err() != nil && ctx.Err() == nil {
		err = context.Cause(asking)
	}
	cancel()
	if err != nil {
		err = unreachable(ctx, opts, err)
		if opts.ServerAPIOptions == nil && wantsAPIVersion(err) {
			c.Close(ctx)
			return dial(ctx, withAPIVersion(opts))
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	text, _ := build.Lookup("version").StringValueOK()
	if version.Parse(text) == (version.Number{}) { // on which it depends where a time series has its documents
		return nil, errors.New("connect: the server does not say which version it is")
	}
	c.Info = Info{
		Version: version.Parse(text), Text: text, Set: hello.SetName, me: hello.Me, Mongos: hello.Msg == "isdbgrid", session: hello.Session,
		Mongod: !document.Has(build, "ferretdb") && !document.Has(build, "ferretdbVersion"),
		Proxy:  c.Run(ctx, "admin", bson.D{{Key: "atlasVersion", Value: 1}}, &bson.Raw{}) == nil, // no other has the command
	}
	return c, nil
}

// EndTime bounds what is said to a server in parting.
const EndTime = 3 * time.Second

// Close ends the connection, also where ctx has ended.
func (c *Conn) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), EndTime)
	defer cancel()
	_ = c.client.Disconnect(ctx)
}

// Run runs a command and decodes its answer.
func (c *Conn) Run(ctx context.Context, db string, command bson.D, answer any) error {
	err := c.client.Database(db).RunCommand(ctx, c.ownSettings(command), options.RunCmd().SetReadPreference(c.read)).Decode(answer)
	return c.Ended(withTimeLimit(err))
}

// Collection is a collection of the server's, for the driver's own commands.
func (c *Conn) Collection(db, name string) *mongo.Collection {
	return c.client.Database(db).Collection(name)
}
