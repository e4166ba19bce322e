package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the image has no zone data
	"unicode/utf8"

	"github.com/caarlos0/env/v11"

	"github.com/breaking-backups/breaking-backups/dump/postgres"
	"github.com/breaking-backups/breaking-backups/notify"
	"github.com/breaking-backups/breaking-backups/retention"
)

// config is every variable of ours, and what follows from them. The tags are the one list of variables: flags, help
// texts, _FILE forms and the search for misspelt names are made from it (settings.go). An empty variable counts as
// unset.
type config struct {
	// job
	DBType         string  `env:"DB_TYPE" group:"job" help:"postgres | mysql | mariadb | mongo (required, or DATABASE_URL)"`
	Address        string  `env:"DATABASE_URL" secret:"true" group:"job" help:"where the database is, in one: postgres://, mysql://, mariadb:// or mongodb://user:password@host:port/database; other variables go before its parts" shown:"none"`
	JobName        string  `env:"JOB_NAME" flag:"job" group:"job" help:"name of the job and of the file in its snapshots" shown:"type and database, e.g. postgres-app; postgres-all"`
	ResticHost     string  `env:"RESTIC_HOST" flag:"host" group:"job" help:"host that the snapshots bear" shown:"the database's host"`
	ConnectTimeout seconds `env:"CONNECT_TIMEOUT_SECONDS" group:"job" default:"10" help:"for a server to let one in, each that is named; a URI's own and PGCONNECT_TIMEOUT go before it; 0: without end"`
	StallTimeout   seconds `env:"STALL_TIMEOUT_SECONDS" group:"job" default:"300" help:"end what the store, or the reader of a dump, has kept waiting for so long; 0: never"`
	AllowEmpty     bool    `env:"ALLOW_EMPTY" flag:"allow-empty" group:"job" default:"false" help:"a dump that holds nothing is no error"`

	// database
	PGHost             string  `env:"PGHOST" group:"database" help:"server, or folder of its socket" shown:"as libpq"`
	PGPort             string  `env:"PGPORT" group:"database" help:"port" shown:"5432"`
	PGUser             string  `env:"PGUSER" group:"database" help:"role" shown:"as libpq"`
	PGPassword         string  `env:"PGPASSWORD" secret:"true" group:"database" help:"password" shown:"PGPASSFILE, ~/.pgpass"`
	PGDatabase         string  `env:"PGDATABASE" group:"database" help:"database" shown:"the role's name"`
	PGDumpAll          bool    `env:"PG_DUMP_ALL" group:"database" default:"false" help:"every database, roles and tablespaces"`
	PGDatabases        string  `env:"PG_DATABASES" group:"database" help:"several databases, each with its properties: names or patterns, e.g. app,shop_*" shown:"PGDATABASE alone"`
	PGExcludeDatabases string  `env:"PG_EXCLUDE_DATABASES" group:"database" help:"not these, of several or all" shown:"none"`
	PGNoOwner          bool    `env:"PG_NO_OWNER" flag:"no-owner" group:"database" default:"false" help:"leave out who owns what"`
	PGNoPrivileges     bool    `env:"PG_NO_PRIVILEGES" flag:"no-privileges" group:"database" default:"false" help:"leave out GRANT and REVOKE"`
	PGLockTimeout      seconds `env:"PG_LOCK_TIMEOUT_SECONDS" group:"database" default:"60" help:"wait for a table that somebody holds locked; 0: without end"`
	PGRowOrder         string  `env:"PG_ROW_ORDER" group:"database" default:"auto" help:"key | physical | auto: by key where that is cheap"`
	PGTrustOwners      bool    `env:"PG_TRUST_OWNERS" group:"database" default:"false" help:"the owners of tables and schemas may run code as the dumping role: large tables in the order of their keys where it may not lock them"`
	DumpJobs           jobs    `env:"DUMP_JOBS" group:"database" default:"2" help:"connections that read rows; the dump is the same for every number"`
	RestoreJobs        jobs    `env:"RESTORE_JOBS" group:"database" default:"2" help:"connections of a restore: they build indexes and keys; of MySQL and MariaDB they load the rows too"`

	// mysql
	MyHost        string  `env:"MYSQL_HOST" group:"mysql" default:"localhost" help:"server"`
	MyPort        uint    `env:"MYSQL_PORT" group:"mysql" default:"3306" help:"port"`
	MySocket      string  `env:"MYSQL_SOCKET" group:"mysql" help:"path of a socket, in place of host and port" shown:"none"`
	MyUser        string  `env:"MYSQL_USER" group:"mysql" default:"root" help:"user"`
	MyPassword    string  `env:"MYSQL_PASSWORD" secret:"true" group:"mysql" help:"password" shown:"none"`
	MyDatabase    string  `env:"MYSQL_DATABASE" group:"mysql" help:"database, or several, e.g. app,shop" shown:"all, with users and grants"`
	MyTLS         string  `env:"MYSQL_TLS" group:"mysql" help:"disabled | preferred | required | verify-ca | verify-full" shown:"preferred; verify-full with MYSQL_TLS_CA"`
	MyTLSCA       string  `env:"MYSQL_TLS_CA" group:"mysql" help:"file of certificates to trust" shown:"the system's"`
	MyTLSCert     string  `env:"MYSQL_TLS_CERT" group:"mysql" help:"file with a client's certificate" shown:"none"`
	MyTLSKey      string  `env:"MYSQL_TLS_KEY" group:"mysql" help:"file with its key" shown:"none"`
	MyServerKey   string  `env:"MYSQL_SERVER_PUBLIC_KEY" group:"mysql" help:"file with the server's public key, PEM, under which a password may leave without TLS" shown:"none"`
	MyLockTimeout seconds `env:"MYSQL_LOCK_TIMEOUT_SECONDS" group:"mysql" default:"60" help:"wait for what somebody holds locked; 0: as the server does"`
	MyPosition    bool    `env:"MYSQL_POSITION" group:"mysql" default:"false" help:"note the binary log's position in the dump, which then differs from run to run"`

	// mongo
	MongoURI              string `env:"MONGO_URI" secret:"true" group:"mongo" help:"mongodb:// or mongodb+srv://, with options such as readPreference and tls" shown:"made of the next"`
	MongoDBURI            string `env:"MONGODB_URI" secret:"true" group:"mongo" help:"the same by another name" shown:"none"`
	MongoHost             string `env:"MONGO_HOST" group:"mongo" help:"server, or its socket" shown:"localhost"`
	MongoPort             string `env:"MONGO_PORT" group:"mongo" help:"port" shown:"27017"`
	MongoUser             string `env:"MONGO_USER" group:"mongo" help:"user, in place of the URI's" shown:"none"`
	MongoPassword         string `env:"MONGO_PASSWORD" secret:"true" group:"mongo" help:"password" shown:"none"`
	MongoAuthDB           string `env:"MONGO_AUTH_DB" group:"mongo" help:"database that knows MONGO_USER" shown:"the URI's, else admin"`
	MongoDatabase         string `env:"MONGO_DATABASE" group:"mongo" help:"the one database to dump" shown:"all, but local"`
	MongoInclude          string `env:"MONGO_INCLUDE" group:"mongo" help:"only these collections, e.g. app.users,shop.*" shown:"all"`
	MongoExclude          string `env:"MONGO_EXCLUDE" group:"mongo" help:"not these, e.g. *.cache,app.tmp_*" shown:"none"`
	MongoUsers            string `env:"MONGO_DUMP_USERS" group:"mongo" default:"auto" help:"users and roles: auto: with all databases | on: also those of the one | off"`
	MongoUUIDs            bool   `env:"MONGO_DUMP_UUIDS" group:"mongo" default:"false" help:"keep the collections' UUIDs, for mongorestore --preserveUUID"`
	MongoOplog            string `env:"MONGO_OPLOG" group:"mongo" default:"auto" help:"one moment by the oplog: auto: where it can be had, else by a snapshot | on | off: neither"`
	MongoOrder            string `env:"MONGO_ORDER" group:"mongo" default:"auto" help:"natural | id: by _id | auto: natural, but by _id through a mongos"`
	MongoCompression      string `env:"MONGO_COMPRESSION" group:"mongo" default:"zstd" help:"zstd, in frames that deduplicate | none"`
	MongoCompressionLevel level  `env:"MONGO_COMPRESSION_LEVEL" group:"mongo" default:"3" help:"1 to 22"`

	// selection
	PGSchemas          string `env:"PG_SCHEMAS" flag:"schema" group:"selection" help:"only these schemas: patterns as psql takes them, e.g. app,shop_*" shown:"all"`
	PGExcludeSchemas   string `env:"PG_EXCLUDE_SCHEMAS" flag:"exclude-schema" group:"selection" help:"not these schemas" shown:"none"`
	PGTables           string `env:"PG_TABLES" flag:"table" group:"selection" help:"only these tables, views, sequences: table or schema.table" shown:"all"`
	PGExcludeTables    string `env:"PG_EXCLUDE_TABLES" flag:"exclude-table" group:"selection" help:"not these" shown:"none"`
	PGExcludeTableData string `env:"PG_EXCLUDE_TABLE_DATA" flag:"exclude-table-data" group:"selection" help:"not the rows of these tables" shown:"none"`
	PGSchemaOnly       bool   `env:"PG_SCHEMA_ONLY" flag:"schema-only" group:"selection" default:"false" help:"definitions, no rows"`
	PGDataOnly         bool   `env:"PG_DATA_ONLY" flag:"data-only" group:"selection" default:"false" help:"rows, no definitions"`
	PGClean            bool   `env:"PG_CLEAN" flag:"clean" group:"selection" default:"false" help:"the dump drops what it makes first, where it exists (for psql; restore has its own --clean)"`

	// repository
	Repository     string  `env:"RESTIC_REPOSITORY" flag:"repository" secret:"true" group:"repository" help:"where the repository is, as restic takes it (required)"`
	ResticPassword string  `env:"RESTIC_PASSWORD" secret:"true" group:"repository" help:"the repository's password (required, or RESTIC_PASSWORD_COMMAND)"`
	ResticEnv      string  `env:"RESTIC_ENV" group:"repository" help:"further variables that restic gets, and with it rclone, ssh and the password command: names, e.g. VAULT_ADDR,VAULT_TOKEN or OP_*" shown:"none"`
	ResticBinary   string  `env:"RESTIC_BINARY" group:"repository" help:"restic program, 0.17 or newer" shown:"beside this program, else on PATH"`
	LockWait       seconds `env:"LOCK_WAIT_SECONDS" group:"repository" default:"2100" help:"wait for another's lock; that of a killed container is stale after 30 minutes"`

	// backup
	Mode      string  `env:"BACKUP_MODE" group:"backup" default:"auto" help:"stream | spool | auto: stream, and spool when restic failed midway"`
	WorkDir   string  `env:"WORK_DIR" group:"backup" default:"/backup/work" help:"folder for spooled dumps"`
	Retries   uint    `env:"BACKUP_RETRIES" group:"backup" default:"3" help:"further tries to store a spooled dump"`
	RetryWait seconds `env:"BACKUP_RETRY_SECONDS" group:"backup" default:"10" help:"wait before the first of them; doubles"`
	Timeout   seconds `env:"BACKUP_TIMEOUT_SECONDS" group:"backup" default:"0" help:"bound of one run up to its snapshot; 0: none"`
	TagList   string  `env:"RESTIC_TAGS" group:"backup" help:"tags of the snapshots, e.g. app,env=prod" shown:"none"`

	// retention
	KeepLast      *int    `env:"KEEP_LAST" group:"retention" help:"keep the newest n snapshots; this and the next five: a number or unlimited" shown:"unset"`
	KeepHourly    *int    `env:"KEEP_HOURLIES" group:"retention" help:"keep the newest of each of n hours" shown:"unset"`
	KeepDaily     *int    `env:"KEEP_DAILIES" group:"retention" help:"keep the newest of each of n days" shown:"unset"`
	KeepWeekly    *int    `env:"KEEP_WEEKLIES" group:"retention" help:"keep the newest of each of n weeks" shown:"unset"`
	KeepMonthly   *int    `env:"KEEP_MONTHLIES" group:"retention" help:"keep the newest of each of n months" shown:"unset"`
	KeepYearly    *int    `env:"KEEP_YEARLIES" group:"retention" help:"keep the newest of each of n years" shown:"unset"`
	KeepWithin    string  `env:"KEEP_WITHIN" group:"retention" help:"keep all of this time, e.g. 30d or 1y6m" shown:"unset"`
	ForgetTimeout seconds `env:"FORGET_TIMEOUT_SECONDS" group:"retention" default:"0" help:"bound of forgetting and pruning; 0: none"`
	PruneOnForget bool    `env:"PRUNE_ON_SUCCESS" group:"retention" default:"true" help:"remove data that no snapshot needs after forgetting"`

	// schedule
	Interval   seconds `env:"BACKUP_INTERVAL_SECONDS" group:"schedule" default:"0" help:"from one run's start to the next; 0: run once and exit"`
	Cron       string  `env:"CRON_SCHEDULE" group:"schedule" help:"five fields or @daily forms; wins over the interval" shown:"none"`
	Jitter     seconds `env:"SCHEDULE_JITTER_SECONDS" group:"schedule" default:"0" help:"start up to so much later, at random"`
	RunOnStart bool    `env:"RUN_ON_START" group:"schedule" default:"false" help:"with CRON_SCHEDULE: also run at once"`
	TZ         string  `env:"TZ" group:"log" default:"UTC" help:"time zone of the schedule and of times shown"`

	// webhook
	WebhookURL     string  `env:"WEBHOOK_URL" secret:"true" group:"webhook" help:"told of every run, success or failure" shown:"none"`
	WebhookMethod  string  `env:"WEBHOOK_METHOD" group:"webhook" default:"POST" help:"HTTP method"`
	WebhookAuth    string  `env:"WEBHOOK_AUTH_HEADER" secret:"true" group:"webhook" help:"one header, Name: value" shown:"none"`
	WebhookHeaders string  `env:"WEBHOOK_EXTRA_HEADERS" secret:"true" group:"webhook" help:"more headers, K=V,K=V; a comma in a value is \\," shown:"none"`
	WebhookTimeout seconds `env:"WEBHOOK_TIMEOUT_SECONDS" group:"webhook" default:"10" help:"of one try; there are four"`

	// log
	LogLevel  string `env:"LOG_LEVEL" group:"log" default:"info" help:"debug | info | warn | error"`
	LogFormat string `env:"LOG_FORMAT" group:"log" default:"auto" help:"text | json | auto: text on a terminal, else json"`
	LogFile   string `env:"LOG_FILE" group:"log" help:"also write the log here, at most 10 MB and three old files" shown:"/backup/cron.log with CRON_SCHEDULE"`

	// What follows from the variables.
	zone     *time.Location
	schedule schedule         // nil: run once
	policy   retention.Policy // zero: keep everything
	tags     []string
	webhook  *notify.Webhook   // nil: nobody is told
	restic   string            // path of the program; empty without a repository
	children []string          // environment of restic
	pg       map[string]string // parameters of the connection that DATABASE_URL, PGDATABASE and flags give
	mongoURI string            // of whichever variable gives it; empty: host and port do

	again func() (*config, error) // the same once more: the files that hold secrets may have changed
	stamp [sha256.Size]byte       // of all credentials, to tell whether they have

	redact   redactor
	warnings []string // for the log, once there is one

	overridden map[string]string // variables whose value came from a flag or a file
}

// needs says which parts of the configuration a command cannot do without.
type needs struct {
	job        bool // the database's type and connection, and the job that follows from them
	repository bool
}

func jobAndRepository(*config) needs { return needs{job: true, repository: true} }

// configError is everything that is wrong with the configuration.
type configError struct{ mistakes []string }

func (e *configError) Error() string {
	if len(e.mistakes) == 1 {
		return "configuration: " + e.mistakes[0]
	}
	return fmt.Sprintf("configuration: %d mistakes\n  %s", len(e.mistakes), strings.Join(e.mistakes, "\n  "))
}

// loader collects what is wrong while a configuration is read.
type loader struct {
	environ    map[string]string
	flags      map[string]string // variables whose value comes from a flag, and that flag
	overridden map[string]string
	pipes      map[string]string // what files said that can be read only once
	err        configError
}

// loadConfig reads the configuration from environ and, before it, from overrides: variables by name, as flags give
// them. It contacts nothing. wants says what the command needs, the variables being parsed. The error is a
// *configError with every mistake; what could be read is returned with it, the webhook above all.
func loadConfig(environ []string, overrides map[string]flagValue, wants func(*config) needs) (*config, error) {
	return readConfig(environ, overrides, wants, newRedactor(nil), map[string]string{})
}

// readConfig is loadConfig, once more or for the first time: with the redactor that is to know the secrets, and with what
// pipes have said, which cannot be read again.
func readConfig(environ []string, overrides map[string]flagValue, wants func(*config) needs, known redactor, pipes map[string]string) (*config, error) {
	l := &loader{environ: env.ToMap(environ), flags: map[string]string{}, overridden: map[string]string{}, pipes: pipes}
	for name, value := range overrides {
		l.environ[name], l.overridden[name] = value.text, value.text
		l.flags[name] = "--" + value.flag
		delete(l.environ, name+"_FILE")
	}
	l.readFiles()
	l.dropServiceLinks()
	cfg := &config{overridden: l.overridden, redact: known}
	l.parse(cfg)
	further, err := parseNames(cfg.ResticEnv)
	if err != nil {
		l.mistake("RESTIC_ENV", err)
	}
	cfg.children = l.childEnv(further)
	l.findType(cfg)
	found := misspelt(l.environ)
	maps.Copy(found, l.foreignNames(cfg))
	cfg.warnings = append(questions(found), cfg.warnings...)
	l.checkURLs(cfg)
	cfg.redact.learn(l.secrets(cfg), cfg.PGUser, cfg.PGDatabase, cfg.PGHost, cfg.MyUser, cfg.MyDatabase, cfg.MyHost, cfg.MongoUser, cfg.MongoDatabase, cfg.MongoHost, cfg.DBType, cfg.JobName)
	cfg.again = func() (*config, error) { return readConfig(environ, overrides, wants, known, pipes) }

	l.finish(cfg)
	var need needs
	if wants != nil {
		need = wants(cfg)
	}
	if need.repository {
		l.requireRepository(cfg)
	}
	if need.job {
		l.requireJob(cfg)
	}
	cfg.stamp = l.makeStamp(cfg)
	if len(l.err.mistakes) > 0 {
		return cfg, &l.err
	}
	return cfg, nil
}

// mistake notes what is wrong with a variable, by the name under which it was given.
func (l *loader) mistake(name string, err error) {
	if flag, ok := l.flags[name]; ok {
		name = flag
	}
	l.err.mistakes = append(l.err.mistakes, name+": "+err.Error())
}

// readFiles puts in place the secrets that are given as files.
func (l *loader) readFiles() {
	for _, name := range secretNames() {
		file := l.environ[name+"_FILE"]
		if file == "" {
			continue
		}
		if l.environ[name] != "" {
			l.mistake(name, fmt.Errorf("set as well as %s_FILE; want one of them", name))
			continue
		}
		value, err := l.readSecret(file)
		if slices.Contains(trimmedByRestic, name) {
			value = strings.TrimSpace(value)
		}
		if err != nil {
			l.mistake(name+"_FILE", err)
			continue
		}
		l.environ[name], l.overridden[name] = value, value
	}
}

// secrets are all that the configuration holds.
func (l *loader) secrets(cfg *config) []string {
	values := secretsIn(cfg.children)
	for _, name := range secretNames() {
		if name == "WEBHOOK_URL" || !slices.Contains(addresses, name) {
			values = append(values, l.environ[name])
		}
	}
	values = append(values, l.environ["PGSSLPASSWORD"])
	for _, name := range addresses {
		values = append(values, secretsOf(l.environ[name], name == "WEBHOOK_URL")...)
	}
	return values
}

// parse fills the fields that have a variable of their own.
func (l *loader) parse(cfg *config) {
	given := map[string]string{}
	for _, s := range settings() {
		if value := l.environ[s.env]; value != "" {
			given[s.env] = value
		}
	}
	err := env.ParseWithOptions(cfg, env.Options{
		Environment:         given,
		DefaultValueTagName: "default",
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[int]():     func(s string) (any, error) { return retention.ParseCount(s) },
			reflect.TypeFor[uint]():    parseUint,
			reflect.TypeFor[jobs]():    parseJobs,
			reflect.TypeFor[level]():   parseLevel,
			reflect.TypeFor[bool]():    parseBool,
			reflect.TypeFor[seconds](): parseSeconds,
		},
	})
	var all env.AggregateError
	if !errors.As(err, &all) {
		return
	}
	for _, err := range all.Errors {
		var wrong env.ParseError
		if !errors.As(err, &wrong) {
			l.mistake("environment", err)
			continue
		}
		l.mistake(envOfField(wrong.Name), wrong.Err)
		reflect.ValueOf(cfg).Elem().FieldByName(wrong.Name).SetZero()
	}
}

// seconds is a time given as a whole number of seconds.
type seconds time.Duration

func parseSeconds(s string) (any, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("want a whole number of seconds, 0 or more, got %q", s)
	}
	return seconds(time.Duration(n) * time.Second), nil
}

func parseUint(s string) (any, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("want a whole number of 0 or more, got %q%s", s, serviceLink(s))
	}
	return uint(n), nil
}

// jobs is a number of connections.
type jobs int

func parseJobs(s string) (any, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("want a whole number of 1 or more, got %q", s)
	}
	return jobs(n), nil
}

// level is one of zstd's levels of compression.
type level int

func parseLevel(s string) (any, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 22 {
		return nil, fmt.Errorf("want 1 to 22, got %q", s)
	}
	return level(n), nil
}

func parseBool(s string) (any, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return nil, fmt.Errorf("want true or false, got %q", s)
	}
	return b, nil
}

// finish makes what follows from the variables.
func (l *loader) finish(cfg *config) {
	check := func(name string, err error) {
		if err != nil {
			l.mistake(name, err)
		}
	}
	var err error
	cfg.zone, err = time.LoadLocation(strings.TrimPrefix(cfg.TZ, ":"))
	check("TZ", err)
	if err != nil {
		cfg.zone = time.UTC
	}
	if err = oneOf(cfg.PGRowOrder, "auto", "key", "physical"); err != nil {
		l.mistake("PG_ROW_ORDER", err)
		cfg.PGRowOrder = "" // told once
	}
	for _, choice := range []struct {
		name    string
		value   *string
		allowed []string
	}{
		{"MONGO_DUMP_USERS", &cfg.MongoUsers, []string{"auto", "on", "off"}},
		{"MONGO_OPLOG", &cfg.MongoOplog, []string{"auto", "on", "off"}},
		{"MONGO_ORDER", &cfg.MongoOrder, []string{"auto", "natural", "id"}},
		{"MONGO_COMPRESSION", &cfg.MongoCompression, []string{"zstd", "none"}},
	} {
		if err = oneOf(*choice.value, choice.allowed...); err != nil {
			l.mistake(choice.name, err)
			*choice.value = "" // told once
		}
	}
	if cfg.MongoURI != "" && cfg.MongoDBURI != "" && cfg.MongoURI != cfg.MongoDBURI {
		check("MONGODB_URI", errors.New("MONGO_URI says something else; want one of them"))
	}
	check("BACKUP_MODE", oneOf(cfg.Mode, "auto", "stream", "spool"))
	check("LOG_LEVEL", oneOf(cfg.LogLevel, "debug", "info", "warn", "error"))
	check("LOG_FORMAT", oneOf(cfg.LogFormat, "text", "json", "auto"))
	l.checkEnds(cfg)
	cfg.tags, err = parseTags(cfg.TagList)
	check("RESTIC_TAGS", err)
	switch {
	case cfg.Cron != "":
		cfg.schedule, err = parseCron(cfg.Cron, cfg.zone)
		check("CRON_SCHEDULE", err)
	case cfg.Interval > 0:
		cfg.schedule = interval(cfg.Interval)
	}
	l.finishPolicy(cfg)
	l.finishWebhook(cfg)
}

func (l *loader) finishPolicy(cfg *config) {
	cfg.policy = retention.Policy{
		Last: cfg.KeepLast, Hourly: cfg.KeepHourly, Daily: cfg.KeepDaily,
		Weekly: cfg.KeepWeekly, Monthly: cfg.KeepMonthly, Yearly: cfg.KeepYearly,
	}
	if cfg.KeepWithin != "" {
		var err error
		if cfg.policy.Within, err = retention.ParseSpan(cfg.KeepWithin); err != nil {
			l.mistake("KEEP_WITHIN", err)
			return
		}
	}
	if err := cfg.policy.Validate(); err != nil {
		l.mistake("KEEP_*", fmt.Errorf("%w; leave them all unset to keep everything", err))
	}
}

// finishWebhook makes the webhook. Its address and headers are secrets, so no message repeats them.
func (l *loader) finishWebhook(cfg *config) {
	header := http.Header{}
	if cfg.WebhookAuth != "" {
		name, value, err := notify.ParseHeader(cfg.WebhookAuth)
		if err != nil {
			l.mistake("WEBHOOK_AUTH_HEADER", err)
		} else {
			header.Set(name, value)
		}
	}
	if err := notify.ParseHeaders(cfg.WebhookHeaders, header); err != nil {
		l.mistake("WEBHOOK_EXTRA_HEADERS", err)
	}
	if strings.Trim(cfg.WebhookMethod, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		l.mistake("WEBHOOK_METHOD", fmt.Errorf("want a method such as POST or PUT, got %q", cfg.WebhookMethod))
		cfg.WebhookMethod = http.MethodPost
	}
	if cfg.WebhookURL == "" {
		return
	}
	address, err := parseURL(cfg.WebhookURL, "http", "https")
	if err == nil {
		err = strayAt(cfg.WebhookURL)
	}
	if err != nil {
		l.mistake("WEBHOOK_URL", err)
		return
	}
	cfg.webhook = &notify.Webhook{
		URL: address, Method: cfg.WebhookMethod, Header: header, Timeout: time.Duration(cfg.WebhookTimeout),
		Retries: 3, WaitMin: 500 * time.Millisecond, WaitMax: 30 * time.Second,
	}
}

func (l *loader) requireRepository(cfg *config) {
	if cfg.Repository == "" {
		l.mistake("RESTIC_REPOSITORY", errors.New("not set, nor RESTIC_REPOSITORY_FILE; want where the repository is, e.g. s3:https://host/bucket"))
	} else if err := checkRepository(cfg.Repository, runtime.GOOS); err != nil {
		l.mistake("RESTIC_REPOSITORY", err)
	}
	switch command := l.environ["RESTIC_PASSWORD_COMMAND"]; {
	case cfg.ResticPassword == "" && command == "":
		l.mistake("RESTIC_PASSWORD", errors.New("not set, nor RESTIC_PASSWORD_FILE; want the repository's password"))
	case cfg.ResticPassword != "" && command != "":
		l.mistake("RESTIC_PASSWORD_COMMAND", errors.New("set as well as RESTIC_PASSWORD or its _FILE; want one of them"))
	}
	var err error
	if cfg.restic, err = findRestic(cfg.ResticBinary); err != nil {
		l.mistake("RESTIC_BINARY", err)
	}
}

// findRestic returns the path of the named program; without a name, of the restic beside our own program or on PATH.
func findRestic(name string) (string, error) {
	if name == "" {
		if self, err := os.Executable(); err == nil {
			if beside, err := exec.LookPath(filepath.Join(filepath.Dir(self), "restic")); err == nil {
				return beside, nil
			}
		}
		path, err := exec.LookPath("restic")
		if err != nil {
			return "", fmt.Errorf("there is no restic beside this program or on PATH (%w): make build puts one beside it, https://github.com/restic/restic/releases has it for every system; want 0.17 or newer there, or its path here", err)
		}
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("want the path of restic 0.17 or newer: %w", err)
	}
	return path, nil
}

func (l *loader) requireJob(cfg *config) {
	built, ok := engines()[cfg.DBType]
	switch {
	case ok && !l.readAddress(cfg): // which has told it
	case ok && !l.checkServer(cfg): // likewise
	case ok:
		src, err := newSource(cfg, nil)
		switch {
		case err != nil:
			l.sourceMistakes(built.variables, err)
		case cfg.ResticHost == "" && !utf8.ValidString(src.Host()):
			l.mistake("RESTIC_HOST", fmt.Errorf("want the name that the snapshots bear: the database's host is not UTF-8, as restic keeps names: %q", src.Host()))
		}
	case cfg.DBType == "" && cfg.Address != "":
		l.mistake("DATABASE_URL", errScheme)
	case cfg.DBType == "":
		l.mistake("DB_TYPE", errors.New("not set, nor DATABASE_URL; want postgres, mysql, mariadb or mongo"))
	default:
		l.mistake("DB_TYPE", fmt.Errorf("want postgres, mysql, mariadb or mongo, got %q", cfg.DBType))
	}
	if err := checkJobName(cfg.JobName); err != nil {
		l.mistake("JOB_NAME", err)
	}
	if !utf8.ValidString(cfg.ResticHost) {
		l.mistake("RESTIC_HOST", fmt.Errorf("want UTF-8, as restic keeps names, got %q", cfg.ResticHost))
	}
}

// sourceMistakes notes what is wrong with the settings of a database, by the variables that say it where they are known,
// else by the name of all.
func (l *loader) sourceMistakes(variables string, err error) {
	var one *postgres.SettingError
	var several postgres.SettingErrors
	switch {
	case errors.As(err, &several):
	case errors.As(err, &one):
		several = append(several, one)
	default:
		l.mistake(variables, err)
	}
	for _, wrong := range several {
		l.mistake(wrong.Variable, wrong.Err)
	}
}

// parseTags reads tags separated by commas. Blanks around them do not count, nor do tags that are empty or come twice.
func parseTags(s string) ([]string, error) {
	var tags []string
	for tag := range strings.SplitSeq(s, ",") {
		tag = strings.TrimSpace(tag)
		if !utf8.ValidString(tag) || strings.ContainsFunc(tag, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("want tags in UTF-8 without control characters, got %q", tag)
		}
		if strings.HasPrefix(tag, ourTags) {
			return nil, fmt.Errorf("tags that begin with %s are this program's own, got %q", ourTags, tag)
		}
		if tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

func oneOf(value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("want %s, got %q", strings.Join(allowed, ", "), value)
}
