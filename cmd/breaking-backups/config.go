package main

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	_ "time/tzdata" // the image has no zone data

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/schedule"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
	"github.com/breaking-backups/breaking-backups/notify"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/retention"
)

// config is every variable of ours, by subject, and what follows from them. The tags in the
// subjects' structs are the one list of variables: flags, help texts, docs/settings.md, _FILE
// forms, the check of choices and the search for misspelt names are made from it, by package
// settings. An empty variable counts as unset.
type config struct {
	Jobs       jobsSettings       `group:"jobs"`
	Job        jobSettings        `group:"job"`
	Database   databaseSettings   `group:"job"`
	Postgres   postgresSettings   `group:"postgres"`
	MySQL      mysqlSettings      `group:"mysql"`
	Mongo      mongoSettings      `group:"mongo"`
	Repository repositorySettings `group:"repository"`
	Backup     backupSettings     `group:"backup"`
	Retention  retentionSettings  `group:"retention"`
	Schedule   scheduleSettings   `group:"schedule"`
	Webhook    webhookSettings    `group:"webhook"`
	HTTP       httpSettings       `group:"http"`
	Push       pushSettings       `group:"push"`
	Drill      drillSettings      `group:"drill"`
	Log        logSettings        `group:"log"`

	jobs   []*config // of the whole: each job's; of one alone: itself
	parent string    // of the job of a database: that which stands for each of its server; else empty

	// What follows from the variables.
	zone     *time.Location
	schedule schedule.Times   // nil: run once
	policy   retention.Policy // zero: keep everything
	tags     []string
	webhook  *notify.Webhook // nil: nobody is told
	restic   string          // path of the program; empty without a repository
	children []string        // environment of restic

	// drillsAt is where drills of the job restore to: the same job, with the variables of VERIFY_
	// in the place of the database's.
	drillsAt func() (*config, error)

	again func() (*config, error) // the same once more: the files that hold secrets may have changed
	stamp [sha256.Size]byte       // of all credentials, to tell whether they have

	redact   secret.Redactor
	warnings []string // for the log, once there is one
}

// needs says which parts of the configuration a command cannot do without.
type needs struct {
	job        bool // the database's type and connection, and the job that follows from them
	repository bool
}

func needsJob(*config) needs { return needs{job: true} }

func jobAndRepository(*config) needs { return needs{job: true, repository: true} }

// configLoader reads a configuration. What is in a single variable its Loader reads; what follows
// from several the methods here and in the subjects' files do.
type configLoader struct {
	*settings.Loader
	dropped []string // shared variables that the job's own say otherwise
}

// loadConfig reads the configuration from environ and, before it, from overrides: variables by
// name, as flags give them. It contacts nothing. wants says what the command needs, the variables
// being parsed. The error is a *exit.ConfigError with every mistake; what could be read is returned
// with it, the webhook above all.
func loadConfig(environ []string, overrides map[string]settings.FlagValue, wants func(*config) needs) (*config, error) {
	if names := jobNames(environ, overrides); len(names) > 0 {
		return loadJobs(environ, overrides, wants, names)
	}
	return loadOne(environ, overrides, wants)
}

// loadOne is loadConfig where there is one job. Where that stands for each database of a server, a
// command line may name the job of one.
func loadOne(environ []string, overrides map[string]settings.FlagValue, wants func(*config) needs) (*config, error) {
	of, known, pipes := settings.Overlay{Environ: environ}, secret.NewRedactor(nil), settings.Pipes{}
	cfg, err := readConfig(of, overrides, wants, known, pipes)
	flag, named := overrides["JOB_NAME"]
	if err != nil || !named || !cfg.Job.PerDatabase {
		return cfg, err
	}
	overrides = maps.Clone(overrides)
	delete(overrides, "JOB_NAME")
	if cfg, err = readConfig(of, overrides, wants, known, pipes); err != nil {
		return cfg, err
	}
	one, ok := cfg.ofDatabase(flag.Text)
	if !ok {
		parent := cmp.Or(cfg.Job.Name, cfg.Job.Type)
		return cfg, &exit.ConfigError{Mistakes: []error{fmt.Errorf("--%s: want the job of a database, %s-NAME, got %q", flag.Flag, parent, flag.Text)}}
	}
	return one, nil
}

// readConfig is loadConfig for one job, once more or for the first time: with the redactor that is
// to know the secrets, and with what pipes have said, which cannot be read again.
func readConfig(of settings.Overlay, overrides map[string]settings.FlagValue, wants func(*config) needs, known secret.Redactor, pipes settings.Pipes) (*config, error) {
	l := &configLoader{Loader: settings.NewLoader(of.Environ, overrides, pipes)}
	l.Own, l.Before = of.Own, of.Before
	l.ReadFiles(secretNames(), trimmedByRestic, restic.Text)
	l.dropServiceLinks()
	l.dropShared()
	cfg := &config{redact: known}
	cfg.jobs = []*config{cfg}
	l.Parse(cfg, ownSettings(), parsers())
	cfg.Postgres.password, _ = l.Overridden("PGPASSWORD")
	further, err := parseNames(cfg.Repository.Env)
	if err != nil {
		l.Mistake("RESTIC_ENV", err)
	}
	cfg.children = l.childEnv(further)
	l.findType(cfg)
	found := misspelt(l.Environ)
	for name, meant := range found {
		if own := of.Own[name]; own != "" {
			delete(found, name)
			found[own] = of.Prefix + meant
		}
	}
	for name, meant := range misspelt(of.Rest) {
		found[of.Prefix+name] = of.Prefix + meant
	}
	maps.Copy(found, l.foreignNames(cfg))
	cfg.warnings = append(questions(found), cfg.warnings...)
	l.checkURLs(cfg)
	cfg.redact.Learn(l.secrets(cfg), cfg.Postgres.User, cfg.Postgres.Database, cfg.Postgres.Host, cfg.MySQL.User, cfg.MySQL.Database, cfg.MySQL.Host, cfg.Mongo.User, cfg.Mongo.Database, cfg.Mongo.Host, cfg.Job.Type, cfg.Job.Name)
	cfg.again = func() (*config, error) { return readConfig(of, overrides, wants, known, pipes) }
	cfg.drillsAt = func() (*config, error) { return readConfig(drillOverlay(of), overrides, needsJob, known, pipes) }

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
	if len(l.Mistakes) > 0 {
		return cfg, &exit.ConfigError{Mistakes: l.Mistakes}
	}
	return cfg, nil
}

// trimmedByRestic are the secrets whose files restic reads itself, and takes all blanks off their
// ends.
var trimmedByRestic = []string{"RESTIC_REPOSITORY", "RESTIC_PASSWORD"}

// secrets are all that the configuration holds.
func (l *configLoader) secrets(cfg *config) []string {
	values := secret.InEnvironment(cfg.children)
	for _, name := range secretNames() {
		if name == "WEBHOOK_URL" || !slices.Contains(addresses, name) {
			values = append(values, l.Environ[name])
		}
	}
	values = append(values, l.Environ["PGSSLPASSWORD"])
	for _, name := range addresses {
		values = append(values, secret.InAddress(l.Environ[name], name == "WEBHOOK_URL")...)
	}
	return values
}

// finish makes what follows from the variables.
func (l *configLoader) finish(cfg *config) {
	l.finishZone(cfg)
	for _, s := range ownSettings().Settings {
		if !s.CheckedWhereUsed {
			l.CheckChoice(cfg, s)
		}
	}
	if cfg.Mongo.URI != "" && cfg.Mongo.OtherURI != "" && cfg.Mongo.URI != cfg.Mongo.OtherURI {
		l.Mistake("MONGODB_URI", errors.New("MONGO_URI says something else; want one of them"))
	}
	l.checkEnds(cfg)
	var err error
	if cfg.tags, err = parseTags(cfg.Backup.Tags); err != nil {
		l.Mistake("RESTIC_TAGS", err)
	}
	l.finishSchedule(cfg)
	l.finishPolicy(cfg)
	l.finishWebhook(cfg)
	l.finishHTTP(cfg)
	l.finishDrill(cfg)
}

// shownRepository is where the repository is, without credentials, for people.
func (cfg *config) shownRepository() string {
	return cfg.redact.String(secret.WithoutCredentials(cfg.Repository.Location))
}
