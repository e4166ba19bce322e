package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo"
	"github.com/breaking-backups/breaking-backups/stream"
)

// mongoSettings are those of MongoDB.
type mongoSettings struct {
	// The address, `mongodb://` or `mongodb+srv://`, with all its options. `readPreference` chooses
	// the member that is read; `timeoutMS` and `maxIdleTimeMS` are not taken over, `w=0` is
	// refused. A restore waits for a majority of a replica set with each write, or for what `w`
	// says (`w=1` with a warning). What is another driver's (`uuidRepresentation`) is ignored with
	// a warning, unless it is about encryption. A database in the address is where the user is
	// known, and selects nothing.
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
	// Only these collections: `app.users,shop.*`. `*` stands for any text, and a backslash takes
	// the next character as it is: `app.a\*`, `app.a\,b`, `app.a\\b`. The same holds for
	// `--ns-include`, `--ns-exclude`, `--ns-from` and `--ns-to`.
	Include string `env:"MONGO_INCLUDE" help:"only these collections, e.g. app.users,shop.*" shown:"all"`
	// Not these collections.
	Exclude string `env:"MONGO_EXCLUDE" help:"not these, e.g. *.cache,app.tmp_*" shown:"none"`
	// Users and roles. `auto`: with all databases, and a warning where those of the one are left
	// out; `on`: also those of the one; `off`: not, and no warning.
	Users string `env:"MONGO_DUMP_USERS" choices:"auto | on | off" default:"auto" help:"users and roles; auto: with all databases; on: also those of the one"`
	// Keep the collections' UUIDs, for `mongorestore --preserveUUID`. They are new wherever a
	// collection is made anew, so that equal data no longer gives equal bytes.
	UUIDs bool `env:"MONGO_DUMP_UUIDS" default:"false" help:"keep the collections' UUIDs, for mongorestore --preserveUUID"`
	// Whether the oplog of the time of the dump is recorded. `on`: it is, or an error says why not;
	// `auto`: it is where it can be, else a snapshot is read, else there is a warning; `off`:
	// neither.
	Oplog string `env:"MONGO_OPLOG" choices:"auto | on | off" default:"auto" help:"one moment by the oplog; auto: where it can be had, else by a snapshot; off: neither"`
	// The order of documents. `natural`: as they were inserted; `id`: by `_id`; `auto`: natural,
	// but by `_id` through a mongos. Members of a replica set may differ in their natural order.
	Order string `env:"MONGO_ORDER" choices:"auto | natural | id" default:"auto" help:"id: by _id; auto: natural, but by _id through a mongos"`
	// `zstd` compresses in frames that are cut where the content says, so that restic finds again
	// what has not changed; restic's own compression is then off. `none` leaves it to restic.
	Compression string `env:"MONGO_COMPRESSION" choices:"zstd | none" default:"zstd" help:"zstd: in frames that deduplicate"`
	// The level of zstd's compression, 1 to 22.
	CompressionLevel level `env:"MONGO_COMPRESSION_LEVEL" default:"3" help:"1 to 22"`

	uri string // of whichever variable gives it; empty: host and port do
}

func mongoKind() kind {
	return kind{
		variables: "MONGO_*",
		names: map[string]string{
			"host": "MONGO_HOST", "port": "MONGO_PORT", "user": "MONGO_USER", "password": "MONGO_PASSWORD", "database": "MONGO_DATABASE",
			"address": "MONGO_URI",
		},
		instead:   []string{"MONGO_URI", "MONGODB_URI"},
		foreign:   []string{"MONGO_", "MONGODB_", "MONGO_INITDB_", "DB_"},
		extension: ".archive", // compressed or not, so that a job stays the same job
		address:   (*configLoader).mongoAddress,
		check:     (*configLoader).checkMongo,
		engine:    func(cfg *config) engine { return newMongoEngine(cfg.Mongo, cfg.Database) },
		only:      func(cfg *config, database string) { cfg.Mongo.Database = database },
	}
}

func newMongoEngine(s mongoSettings, db databaseSettings) engine {
	e := engine{
		source: func(hooks dumpHooks) (source, error) { return newMongoSource(s, db, hooks) },
		loader: func(opt restoreOptions, hooks loadHooks) (destination, error) {
			return newMongoLoader(s, db, opt, hooks)
		},
		lacks:    mongoLacks(),
		compared: comparedCollections,
		table:    "collection",
		row:      "document",

		scratch: func(prefix string, _ func(string)) (dump.Scratch, error) {
			return mongo.NewScratch(mongo.ScratchConfig{Server: mongoServer(s, db), Prefix: prefix})
		},
		tablesOf:       mongo.TablesOf,
		within:         collectionsDatabases,
		scratchOptions: mongoScratchOptions,
		named:          true,
		dumped: func(src source) string {
			name := src.Database()
			if checkJobName(name) != nil {
				name = url.PathEscape(name)
			}
			return cmp.Or(name, "all")
		},
	}
	if s.Compression == "zstd" {
		e.compression = "off"
	}
	if src, err := newMongoSource(s, db, dumpHooks{}); err == nil { // which knows the URI
		e.several = src.Database() == ""
	}
	return e
}

// collectionsDatabases are the databases of the collections that a dump holds, in their order.
func collectionsDatabases(of *dump.Contents) []string {
	var all []string
	for _, t := range of.Tables {
		if database, _, _ := strings.Cut(t.Name, "."); !slices.Contains(all, database) && database != "admin" && database != "config" {
			all = append(all, database)
		}
	}
	return all
}

// mongoScratchOptions are those of a restore into a drill's database.
func mongoScratchOptions(name, database string) restoreOptions {
	if database == "" {
		return restoreOptions{database: name, onError: stopOnError, drill: true}
	}
	return restoreOptions{onError: stopOnError, drill: true, nsInclude: []string{database + ".*"}, nsFrom: []string{database + ".*"}, nsTo: []string{name + ".*"}}
}

// noNamespaces are the flags of restore that are MongoDB's alone.
func noNamespaces() map[string]string {
	return map[string]string{
		"ns-include": "it is for MongoDB; want --table, for tables",
		"ns-exclude": "it is for MongoDB; want --exclude-table, for tables",
		"ns-from":    "it is for MongoDB; want --from-database and --database for another database",
		"ns-to":      "it is for MongoDB; want --database for another database",
	}
}

// mongoLacks are the flags of restore that are not for MongoDB.
func mongoLacks() map[string]string {
	return map[string]string{
		"table":              "MongoDB has collections: --ns-include app.users",
		"exclude-table":      "MongoDB has collections: --ns-exclude app.users",
		"schema":             "MongoDB has no schemas: --ns-include 'app.*'",
		"exclude-schema":     "MongoDB has no schemas: --ns-exclude 'app.*'",
		"data-only":          "collections come with their options and indexes",
		"from-database":      "want --ns-include 'app.*', and --ns-from, --ns-to for another name",
		"to-schema":          "MongoDB has no schemas: --database, or --ns-from and --ns-to",
		"single-transaction": "MongoDB has no transaction that holds a restore",
		"disable-triggers":   "MongoDB has no triggers",
	}
}

// comparedCollections tells what was compared of an archive.
func comparedCollections(c dump.Comparison) string {
	return fmt.Sprintf("compared %s, %s with the archive's checksums", number(c.Tables, "collection"), number(c.Rows, "document"))
}

func newMongoSource(settings mongoSettings, db databaseSettings, hooks dumpHooks) (source, error) {
	s := mongoSource{contents: new(dump.Contents)}
	src, err := mongo.NewSource(mongo.Config{
		Server:   mongoServer(settings, db),
		Database: settings.Database,
		Include:  mongo.SplitPatterns(settings.Include),
		Exclude:  mongo.SplitPatterns(settings.Exclude),
		Users:    mongo.Users(settings.Users),
		UUIDs:    settings.UUIDs,
		Oplog:    mongo.Oplog(settings.Oplog),

		AllowEmpty: db.AllowEmpty,
		Order:      mongo.Order(settings.Order),
		Jobs:       int(db.DumpJobs),
		Contents:   func(c dump.Contents) { *s.contents = c },
		Table:      hooks.table,
		Warn:       hooks.warn,
		Debug:      hooks.debug,
	})
	if err != nil {
		return nil, err
	}
	s.Source = src
	if settings.Compression == "zstd" {
		s.options = &stream.CompressOptions{Level: int(settings.CompressionLevel)}
	}
	return s, nil
}

func newMongoLoader(settings mongoSettings, db databaseSettings, opt restoreOptions, hooks loadHooks) (destination, error) {
	l, err := mongo.NewLoader(mongo.LoadConfig{
		Server:   mongoServer(settings, db),
		Database: cmp.Or(opt.database, settings.Database),
		Include:  splitAll(opt.nsInclude, mongo.SplitPatterns),
		Exclude:  splitAll(opt.nsExclude, mongo.SplitPatterns),
		From:     splitAll(opt.nsFrom, mongo.SplitPatterns),
		To:       splitAll(opt.nsTo, mongo.SplitPatterns),
		Jobs:     int(db.RestoreJobs),
		Clean:    opt.clean,

		SchemaOnly: opt.schemaOnly,
		Drill:      opt.drill,

		Refused:  hooks.refused,
		Into:     hooks.into,
		Compared: hooks.compared,
		Warn:     hooks.warn,
	})
	return mongoLoader{l}, err
}

func mongoServer(settings mongoSettings, db databaseSettings) mongo.Server {
	return mongo.Server{
		URI: settings.uri, Host: settings.Host, Port: settings.Port,
		User: settings.User, Password: settings.Password, AuthDatabase: settings.AuthDatabase,
		ConnectTimeout: time.Duration(db.ConnectTimeout),
	}
}

// mongoAddress is the URI: one of the two variables', or unless the server is named DATABASE_URL.
func (l *configLoader) mongoAddress(cfg *config) (name string, err error) {
	switch {
	case cfg.Mongo.URI != "":
		name, cfg.Mongo.uri = "MONGO_URI", cfg.Mongo.URI
	case cfg.Mongo.OtherURI != "":
		name, cfg.Mongo.uri = "MONGODB_URI", cfg.Mongo.OtherURI
	case !l.Given("MONGO_HOST", "MONGO_PORT"):
		name, cfg.Mongo.uri = "DATABASE_URL", cfg.Job.Address
	}
	if cfg.Mongo.uri == "" {
		return name, nil
	}
	return name, mongo.CheckURI(cfg.Mongo.uri, func(o dump.AddressOption) error {
		if why := foreignOption(o.Name); why != "" {
			return dump.AddressMistake(cfg.Mongo.uri, o.At, why)
		}
		at := dump.AddressMistake(cfg.Mongo.uri, o.At, "").At
		cfg.warnings = append(cfg.warnings, fmt.Sprintf("%s, character %d: an option that is not known, which is passed over", name, at))
		return nil
	})
}

// foreignOption says why an option of MongoDB's that is not known is no other driver's which may be
// passed over; empty: it may well be. It is not repeated, as it may be a piece of a password.
func foreignOption(name string) string {
	lower := strings.ToLower(name)
	known := map[string]bool{}
	for _, option := range mongo.URIOptions {
		known[strings.ToLower(option)] = true
	}
	meant := settings.Nearest(lower, known, min(2, len(name)/3)) // letters wrong
	for _, option := range mongo.URIOptions {
		if strings.ToLower(option) == meant {
			return "an option that is not known; did you mean " + option + "?"
		}
	}
	if strings.HasPrefix(lower, "tls") || strings.HasPrefix(lower, "ssl") {
		return "an option about encryption that is not known; want tls, tlsCAFile, tlsCertificateKeyFile, tlsInsecure"
	}
	return ""
}

// checkMongo looks at what variables say of a server, and reports whether it can be meant.
func (l *configLoader) checkMongo(cfg *config) bool {
	host, port := checkMongoHost(cfg.Mongo.Host), checkPort(cfg.Mongo.Port)
	if host != nil {
		l.Mistake("MONGO_HOST", host)
	}
	if port != nil {
		l.Mistake("MONGO_PORT", port)
	}
	return host == nil && port == nil
}

func checkMongoHost(host string) error {
	if strings.Contains(host, ",") {
		return errors.New("several hosts; want one, or all of them in MONGO_URI: mongodb://a:27017,b:27017/?replicaSet=name")
	}
	return dump.CheckHost(host, "MONGO_PORT")
}

func checkPort(port string) error {
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return wrongPort(port, fmt.Errorf("want a number from 1 to 65535, got %q", port))
	}
	return nil
}

// restoreRole is how a user of MongoDB's gets the rights of a restore, or needs less of them.
const restoreRole = "the built-in role restore has those that are needed, but for the oplog, which needs a role with anyAction on anyResource; --ns-include '*' leaves the oplog out, and users and roles"

// hintMongo is what a person can do about an error of MongoDB, and whether it is one.
func hintMongo(err error, restoring bool) (text string, known bool) {
	var server interface{ HasErrorCode(int) bool }
	switch {
	case errors.Is(err, mongo.ErrManyDatabases):
		return "leave --database out, or take one database of the dump: --ns-include app.*, and --ns-from, --ns-to for another name", true
	case errors.Is(err, mongo.ErrOutside):
		return "--ns-to names collections of the database that the dump goes into; for another, name that with --database", true
	case errors.Is(err, mongo.ErrUndroppable), errors.Is(err, mongo.ErrNoRight):
		return restoreRole, true
	case errors.Is(err, mongo.ErrNothingSelected):
		return "patterns are database.collection, with * for any text, and tell cases apart", true
	case errors.Is(err, mongo.ErrNoReplay):
		return "restore it into a replica set; or leave the oplog out, and with it users and roles, with --ns-include '*': documents are then as they were when each was read", true
	case errors.Is(err, mongo.ErrTooOld):
		return "raise the server's minSnapshotHistoryWindowInSeconds; dump all databases of a replica set with MONGO_OPLOG=on; or read without a snapshot: MONGO_OPLOG=off", true
	case errors.As(err, new(*mongo.RightError)): // it says what to grant
		return "", true
	case errors.As(err, &server):
		return hintErrorCode(server, restoring), true
	}
	return "", false
}

func hintErrorCode(err interface{ HasErrorCode(int) bool }, restoring bool) string {
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

// refusedByMongo reports whether a server has not accepted who we say we are.
func refusedByMongo(err error) bool {
	var server interface{ HasErrorCode(int) bool }
	return errors.As(err, &server) && server.HasErrorCode(18)
}
