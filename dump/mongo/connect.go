package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"strings"
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

// A serverConfig is how a server, a replica set or a cluster is reached.
type serverConfig struct {
	URI  string // mongodb:// or mongodb+srv://; in place of Host and Port
	Host string // empty means localhost
	Port string // empty means 27017

	User         string // in place of the URI's
	Password     string
	AuthDatabase string // where User is known; empty means where the URI says, else admin

	// ConnectTimeout bounds the wait for a server that can be reached;
	// serverSelectionTimeoutMS of the URI goes before it. Until the server has said
	// who it is twice that may pass. 0 means the driver's own, half a minute.
	ConnectTimeout time.Duration
}

// check finds mistakes without contacting anything.
func (s serverConfig) check() error {
	if s.URI != "" && (s.Host != "" || s.Port != "") {
		return errors.New("a URI and a host: want one of them")
	}
	if s.URI != "" {
		if err := CheckURI(s.URI, nil); err != nil {
			return err
		}
	}
	if isSRV(s.URI) { // the driver asks the name server as soon as it reads the URI
		return nil
	}
	_, err := s.options()
	return err
}

func (s serverConfig) options() (*options.ClientOptions, error) {
	opts := options.Client()
	if s.URI != "" {
		if err := opts.ApplyURI(s.URI).Validate(); err != nil {
			return nil, uriError(s.URI, nil, err)
		}
	} else {
		host, port := s.Host, s.Port
		if host == "" {
			host = "localhost"
		}
		if port == "" {
			port = "27017"
		}
		if strings.HasPrefix(host, "/") {
			opts.SetHosts([]string{host})
		} else {
			opts.SetHosts([]string{net.JoinHostPort(host, port)})
		}
	}
	if s.User != "" {
		credential := options.Credential{AuthSource: "admin"}
		if opts.Auth != nil { // the URI's mechanism, and where it looks
			credential = *opts.Auth
		}
		credential.Username, credential.Password, credential.PasswordSet = s.User, s.Password, s.Password != ""
		credential.AuthSource = cmp.Or(s.AuthDatabase, credential.AuthSource)
		opts.SetAuth(credential)
	}
	if opts.AppName == nil {
		opts.SetAppName("breaking-backups")
	}
	if opts.ServerSelectionTimeout == nil && s.ConnectTimeout > 0 {
		opts.SetServerSelectionTimeout(s.ConnectTimeout)
	}
	withoutSettings(opts)
	return opts, opts.Validate()
}

// host is the first host, without its port.
func (s serverConfig) host() string {
	hosts := s.Host
	if s.URI != "" {
		_, rest, _ := strings.Cut(s.URI, "://")
		rest, _, _ = strings.Cut(rest, "?")
		rest, _, _ = strings.Cut(rest, "/")
		hosts = rest[strings.LastIndex(rest, "@")+1:]
	}
	host, _, _ := strings.Cut(hosts, ",")
	if h, err := url.PathUnescape(host); err == nil {
		host = h
	}
	if strings.HasPrefix(host, "/") || host == "" && s.URI == "" {
		return "localhost"
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.Trim(host, "[]")
}

// address is the server's, for people: of several the first.
func (s serverConfig) address() string {
	opts, err := s.options()
	if err != nil || len(opts.Hosts) == 0 || strings.HasPrefix(opts.Hosts[0], "/") {
		return s.host()
	}
	return opts.Hosts[0]
}

// conn is a connection to one server: a mongod, or a mongos.
type conn struct {
	client *mongo.Client
	read   *readpref.ReadPref
	info   serverInfo

	write       *writeconcern.WriteConcern // of a restore; writeConcern says it to the server, and not the driver
	uriPatience time.Duration              // with which the URI has a write wait for members; 0: it does not say
}

// connect connects to the server to read from it. Of a replica set it is one
// member, the one that the read preference selects, and all of it is read from
// there: another's documents may come in another order, and its oplog may be
// behind.
func (s serverConfig) connect(ctx context.Context) (*conn, error) {
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	return dialMember(ctx, opts)
}

// connectPrimary connects to the server to write to it, whatever the read
// preference: of a replica set to whichever member is the primary. What it has
// acknowledged is there after an election as well.
func (s serverConfig) connectPrimary(ctx context.Context) (*conn, error) {
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	write := lasting(opts.WriteConcern)
	toWrite := func() (*conn, error) {
		c, err := dial(ctx, opts.SetReadPreference(readpref.Primary()).SetWriteConcern(&writeconcern.WriteConcern{}))
		if err == nil {
			c.write, c.uriPatience = write, s.patience()
		}
		return c, err
	}
	c, err := toWrite()
	if err != nil || c.info.set == "" || opts.ServerSelectionTimeout == nil || *opts.ServerSelectionTimeout != s.ConnectTimeout {
		return c, err
	}
	c.close(ctx) // it has answered; from now on a primary may be missing for as long as an election takes
	opts.SetServerSelectionTimeout(max(s.ConnectTimeout, electionTime))
	return toWrite()
}

func dialMember(ctx context.Context, opts *options.ClientOptions) (*conn, error) {
	c, err := dial(ctx, opts)
	if err != nil {
		return nil, err
	}
	direct := opts.Direct != nil && *opts.Direct
	if c.info.set == "" || c.info.mongos || c.info.me == "" || direct {
		return c, nil
	}
	c.close(ctx)
	return dial(ctx, member(opts, c.info.me))
}

// member is a connection to one member alone, with all else as in opts. What is
// copied is what can be set, so not the URI, which where it is a service record
// forbids that.
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

func dial(ctx context.Context, opts *options.ClientOptions) (_ *conn, err error) {
	client, err := mongo.Connect(opts)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &conn{client: client, read: opts.ReadPreference}
	if c.read == nil {
		c.read = readpref.Primary()
	}
	defer func() {
		if err != nil {
			c.close(ctx)
		}
	}()
	var hello struct {
		SetName string `bson:"setName"`
		Me      string `bson:"me"`
		Msg     string `bson:"msg"`
		Session int64  `bson:"logicalSessionTimeoutMinutes"`
	}
	var build bson.Raw
	// Not the driver's own connectTimeoutMS: by it a server's heartbeat is judged as well, and a dump would be cut off by a
	// pause of the server's that its cursor outlasts.
	asking, cancel := ctx, func() {}
	if wait := opts.ServerSelectionTimeout; wait != nil {
		asking, cancel = context.WithTimeoutCause(ctx, 2**wait, fmt.Errorf("%w, which is %s", dump.ErrNoAnswer, 2**wait))
	}
	err = c.run(asking, "admin", bson.D{{Key: "hello", Value: 1}}, &hello)
	if err == nil {
		err = c.run(asking, "admin", bson.D{{Key: "buildInfo", Value: 1}}, &build)
	}
	if err != nil && asking.Err() != nil && ctx.Err() == nil {
		err = context.Cause(asking)
	}
	cancel()
	if err != nil {
		err = unreachable(ctx, opts, err)
		if opts.ServerAPIOptions == nil && wantsAPIVersion(err) {
			c.close(ctx)
			return dial(ctx, withAPIVersion(opts))
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	text, _ := build.Lookup("version").StringValueOK()
	if version.Parse(text) == (version.Number{}) { // on which it depends where a time series has its documents
		return nil, errors.New("connect: the server does not say which version it is")
	}
	c.info = serverInfo{
		version: version.Parse(text), text: text, set: hello.SetName, me: hello.Me, mongos: hello.Msg == "isdbgrid", session: hello.Session,
		mongod: !document.Has(build, "ferretdb") && !document.Has(build, "ferretdbVersion"),
		proxy:  c.run(ctx, "admin", bson.D{{Key: "atlasVersion", Value: 1}}, &bson.Raw{}) == nil, // no other has the command
	}
	return c, nil
}

// endTime bounds what is said to a server in parting.
const endTime = 3 * time.Second

func (c *conn) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	_ = c.client.Disconnect(ctx)
}

// run runs a command and decodes its answer.
func (c *conn) run(ctx context.Context, db string, command bson.D, answer any) error {
	return withTimeLimit(c.client.Database(db).RunCommand(ctx, c.ownSettings(command), options.RunCmd().SetReadPreference(c.read)).Decode(answer))
}

// collection is a collection of the server's, for the driver's own commands.
func (c *conn) collection(db, name string) *mongo.Collection {
	return c.client.Database(db).Collection(name)
}
