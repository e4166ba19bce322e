package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo"
	"github.com/breaking-backups/breaking-backups/stream"
)

// mongoSettings are those of MongoDB.
type mongoSettings struct {
	// The address, `mongodb://` or `mongodb+srv://`, with all its options. `readPreference` chooses the member
	// that is read; `timeoutMS` and `maxIdleTimeMS` are not taken over, `w=0` is refused. A restore waits for a
	// majority of a replica set with each write, or for what `w` says (`w=1` with a warning). What is another
	// driver's (`uuidRepresentation`) is ignored with a warning, unless it is about encryption. A database in the
	// address is where the user is known, and selects nothing.
	URI string `env:"MONGO_URI" secret:"true" help:"mongodb:// or mongodb+srv://, with options such as readPreference and tls" shown:"made of the next"`
	// `MONGO_URI` by another name.
	OtherURI string `env:"MONGODB_URI" secret:"true" help:"the same by another name" shown:"none"`
	// The server, or its socket.
	Host string `env:"MONGO_HOST" help:"server, or its socket" shown:"localhost"`
	// The port.
	Port string `env:"MONGO_PORT" help:"port" shown:"27017"`
	// The user, in place of the address's.
	User string `env:"MONGO_USER" help:"user, in place of the URI's" shown:"none"`
	// The user's password.
	Password string `env:"MONGO_PASSWORD" secret:"true" help:"password" shown:"none"`
	// The database that knows the user.
	AuthDatabase string `env:"MONGO_AUTH_DB" help:"database that knows MONGO_USER" shown:"the URI's, else admin"`
	// The one database to dump.
	Database string `env:"MONGO_DATABASE" help:"the one database to dump" shown:"all, but local"`
	// Only these collections: `app.users,shop.*`. `*` stands for any text, and a backslash takes the next
	// character as it is: `app.a\*`, `app.a\,b`, `app.a\\b`. The same holds for `--ns-include`, `--ns-exclude`,
	// `--ns-from` and `--ns-to`.
	Include string `env:"MONGO_INCLUDE" help:"only these collections, e.g. app.users,shop.*" shown:"all"`
	// Not these collections.
	Exclude string `env:"MONGO_EXCLUDE" help:"not these, e.g. *.cache,app.tmp_*" shown:"none"`
	// Users and roles. `auto`: with all databases, and a warning where those of the one are left out; `on`: also
	// those of the one; `off`: not, and no warning.
	Users string `env:"MONGO_DUMP_USERS" choices:"auto | on | off" default:"auto" help:"users and roles; auto: with all databases; on: also those of the one"`
	// Keep the collections' UUIDs, for `mongorestore --preserveUUID`. They are new wherever a collection is made
	// anew, so that equal data no longer gives equal bytes.
	UUIDs bool `env:"MONGO_DUMP_UUIDS" default:"false" help:"keep the collections' UUIDs, for mongorestore --preserveUUID"`
	// Whether the oplog of the time of the dump is recorded. `on`: it is, or an error says why not; `auto`: it is
	// where it can be, else a snapshot is read, else there is a warning; `off`: neither.
	Oplog string `env:"MONGO_OPLOG" choices:"auto | on | off" default:"auto" help:"one moment by the oplog; auto: where it can be had, else by a snapshot; off: neither"`
	// The order of documents. `natural`: as they were inserted; `id`: by `_id`; `auto`: natural, but by `_id`
	// through a mongos. Members of a replica set may differ in their natural order.
	Order string `env:"MONGO_ORDER" choices:"auto | natural | id" default:"auto" help:"id: by _id; auto: natural, but by _id through a mongos"`
	// `zstd` compresses in frames that are cut where the content says, so that restic finds again what has not
	// changed; restic's own compression is then off. `none` leaves it to restic.
	Compression string `env:"MONGO_COMPRESSION" choices:"zstd | none" default:"zstd" help:"zstd: in frames that deduplicate"`
	// The level of zstd's compression, 1 to 22.
	CompressionLevel level `env:"MONGO_COMPRESSION_LEVEL" default:"3" help:"1 to 22"`
}

func mongoEngine() engine {
	return engine{
		variables: "MONGO_*",
		source:    newMongoSource,
		loader:    newMongoLoader,
		compared:  comparedCollections,
		dumped: func(_ *config, src source) string {
			name := src.Database()
			if checkJobName(name) != nil {
				name = url.PathEscape(name)
			}
			return cmp.Or(name, "all")
		},
		extension: ".archive", // compressed or not, so that a job stays the same job
		compression: func(cfg *config) string {
			if cfg.Mongo.Compression == "zstd" {
				return "off"
			}
			return ""
		},
	}
}

// comparedCollections tells what was compared of an archive.
func comparedCollections(c dump.Comparison) string {
	return fmt.Sprintf("compared %s, %s with the archive's checksums", number(c.Tables, "collection"), number(c.Rows, "document"))
}

// mongoSource compresses what it dumps.
type mongoSource struct {
	*mongo.Source
	options *stream.CompressOptions // nil: not at all
}

func newMongoSource(cfg *config, warn, debug func(string)) (source, error) {
	src, err := mongo.NewSource(mongo.Config{
		Server:   mongoServer(cfg),
		Database: cfg.Mongo.Database,
		Include:  mongo.SplitPatterns(cfg.Mongo.Include),
		Exclude:  mongo.SplitPatterns(cfg.Mongo.Exclude),
		Users:    mongo.Users(cfg.Mongo.Users),
		UUIDs:    cfg.Mongo.UUIDs,
		Oplog:    mongo.Oplog(cfg.Mongo.Oplog),

		AllowEmpty: cfg.Database.AllowEmpty,
		Order:      mongo.Order(cfg.Mongo.Order),
		Jobs:       int(cfg.Database.DumpJobs),
		Warn:       warn,
		Debug:      debug,
	})
	if err != nil {
		return nil, err
	}
	s := mongoSource{Source: src}
	if cfg.Mongo.Compression == "zstd" {
		s.options = &stream.CompressOptions{Level: int(cfg.Mongo.CompressionLevel)}
	}
	return s, nil
}

func (s mongoSource) Dump(ctx context.Context, w io.Writer) error {
	if s.options == nil {
		return s.Source.Dump(ctx, w)
	}
	_, err := stream.Compress(ctx, w, *s.options, s.Source.Dump)
	return err
}

// mongoLoader loads dumps that are compressed, mongodump's too, and those that are not.
type mongoLoader struct{ *mongo.Loader }

func newMongoLoader(cfg *config, opt restoreOptions, hooks loadHooks) (destination, error) {
	l, err := mongo.NewLoader(mongo.LoadConfig{
		Server:   mongoServer(cfg),
		Database: cmp.Or(opt.database, cfg.Mongo.Database),
		Include:  mongoPatterns(opt.nsInclude),
		Exclude:  mongoPatterns(opt.nsExclude),
		From:     mongoPatterns(opt.nsFrom),
		To:       mongoPatterns(opt.nsTo),
		Clean:    opt.clean,
		Into:     hooks.into,
		Compared: hooks.compared,
		Warn:     hooks.warn,
	})
	return mongoLoader{l}, err
}

func (l mongoLoader) Load(ctx context.Context, r io.Reader) error {
	return unpacked(r, func(r io.Reader) error { return l.Loader.Load(ctx, r) })
}

func (l mongoLoader) Verify(r io.Reader) error { return unpacked(r, l.Loader.Verify) }

// unpacked has use read what r holds, which may be compressed by zstd or, as mongodump does it, by gzip.
func unpacked(r io.Reader, use func(io.Reader) error) (err error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	var z io.ReadCloser
	switch {
	case stream.Compressed(head):
		z, err = stream.Decompress(buffered)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		z, err = gzip.NewReader(buffered)
	default:
		return use(buffered)
	}
	if err != nil {
		return fmt.Errorf("decompress: %w", err)
	}
	defer z.Close()
	return use(z)
}

// mongoPatterns are those of a flag, which may be given several times.
func mongoPatterns(lists []string) (all []string) {
	for _, list := range lists {
		all = append(all, mongo.SplitPatterns(list)...)
	}
	return all
}

func mongoServer(cfg *config) mongo.Server {
	return mongo.Server{
		URI: cfg.mongoURI, Host: cfg.Mongo.Host, Port: cfg.Mongo.Port,
		User: cfg.Mongo.User, Password: cfg.Mongo.Password, AuthDatabase: cfg.Mongo.AuthDatabase,
		ConnectTimeout: time.Duration(cfg.Database.ConnectTimeout),
	}
}

// restoreRole is how a user of MongoDB's gets the rights of a restore, or needs less of them.
const restoreRole = "the built-in role restore has those that are needed, but for the oplog, which needs a role with anyAction on anyResource; --ns-include '*' leaves the oplog out, and users and roles"

// hintMongo is what a person can do about an error of a MongoDB server.
func hintMongo(err interface{ HasErrorCode(int) bool }, restoring bool) string {
	switch {
	case err.HasErrorCode(18):
		return "are user, password and MONGO_AUTH_DB right?"
	case err.HasErrorCode(13) && restoring:
		return "the user lacks a right: " + restoreRole
	case err.HasErrorCode(13):
		return "the user lacks a right: the built-in role backup has those that are needed"
	}
	return ""
}
