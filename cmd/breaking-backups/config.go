package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the image has no zone data

	"github.com/caarlos0/env/v11"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/schedule"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/notify"
	"github.com/breaking-backups/breaking-backups/retention"
)

// config is every variable of ours, by subject, and what follows from them. The tags in the
// subjects' structs are the one list of variables: flags, help texts, docs/settings.md, _FILE
// forms, the check of choices and the search for misspelt names are made from it (settings.go). An
// empty variable counts as unset.
type config struct {
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
	Log        logSettings        `group:"log"`

	// What follows from the variables.
	zone     *time.Location
	schedule schedule.Times   // nil: run once
	policy   retention.Policy // zero: keep everything
	tags     []string
	webhook  *notify.Webhook // nil: nobody is told
	restic   string          // path of the program; empty without a repository
	children []string        // environment of restic

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

func jobAndRepository(*config) needs { return needs{job: true, repository: true} }

// configLoader collects what is wrong while a configuration is read.
type configLoader struct {
	environ    map[string]string
	flags      map[string]string // variables whose value comes from a flag, and that flag
	overridden map[string]string
	pipes      map[string]string // what files said that can be read only once
	err        exit.ConfigError
}

// loadConfig reads the configuration from environ and, before it, from overrides: variables by
// name, as flags give them. It contacts nothing. wants says what the command needs, the variables
// being parsed. The error is a *exit.ConfigError with every mistake; what could be read is returned
// with it, the webhook above all.
func loadConfig(environ []string, overrides map[string]flagValue, wants func(*config) needs) (*config, error) {
	return readConfig(environ, overrides, wants, secret.NewRedactor(nil), map[string]string{})
}

// readConfig is loadConfig, once more or for the first time: with the redactor that is to know the
// secrets, and with what pipes have said, which cannot be read again.
func readConfig(environ []string, overrides map[string]flagValue, wants func(*config) needs, known secret.Redactor, pipes map[string]string) (*config, error) {
	l := &configLoader{environ: env.ToMap(environ), flags: map[string]string{}, overridden: map[string]string{}, pipes: pipes}
	for name, value := range overrides {
		l.environ[name], l.overridden[name] = value.text, value.text
		l.flags[name] = "--" + value.flag
		delete(l.environ, name+"_FILE")
	}
	l.readFiles()
	l.dropServiceLinks()
	cfg := &config{redact: known}
	l.parse(cfg)
	cfg.Postgres.password = l.overridden["PGPASSWORD"]
	further, err := parseNames(cfg.Repository.Env)
	if err != nil {
		l.mistake("RESTIC_ENV", err)
	}
	cfg.children = l.childEnv(further)
	l.findType(cfg)
	found := misspelt(l.environ)
	maps.Copy(found, l.foreignNames(cfg))
	cfg.warnings = append(questions(found), cfg.warnings...)
	l.checkURLs(cfg)
	cfg.redact.Learn(l.secrets(cfg), cfg.Postgres.User, cfg.Postgres.Database, cfg.Postgres.Host, cfg.MySQL.User, cfg.MySQL.Database, cfg.MySQL.Host, cfg.Mongo.User, cfg.Mongo.Database, cfg.Mongo.Host, cfg.Job.Type, cfg.Job.Name)
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
	if len(l.err.Mistakes) > 0 {
		return cfg, &l.err
	}
	return cfg, nil
}

// mistake notes what is wrong with a variable, by the name under which it was given.
func (l *configLoader) mistake(name string, err error) {
	if flag, ok := l.flags[name]; ok {
		name = flag
	}
	l.err.Mistakes = append(l.err.Mistakes, fmt.Errorf("%s: %w", name, err))
}

// readFiles puts in place the secrets that are given as files.
func (l *configLoader) readFiles() {
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
func (l *configLoader) secrets(cfg *config) []string {
	values := secret.InEnvironment(cfg.children)
	for _, name := range secretNames() {
		if name == "WEBHOOK_URL" || !slices.Contains(addresses, name) {
			values = append(values, l.environ[name])
		}
	}
	values = append(values, l.environ["PGSSLPASSWORD"])
	for _, name := range addresses {
		values = append(values, secret.InAddress(l.environ[name], name == "WEBHOOK_URL")...)
	}
	return values
}

// parse fills the fields that have a variable of their own.
func (l *configLoader) parse(cfg *config) {
	for _, subject := range subjects() {
		given := map[string]string{}
		for _, s := range subject.settings {
			if value := l.environ[s.env]; value != "" {
				given[s.env] = value
			}
		}
		into := reflect.ValueOf(cfg).Elem().FieldByIndex(subject.index)
		err := env.ParseWithOptions(into.Addr().Interface(), env.Options{
			Environment: given, DefaultValueTagName: "default", FuncMap: parsers(),
		})
		var all env.AggregateError
		if !errors.As(err, &all) {
			continue
		}
		for _, err := range all.Errors {
			var wrong env.ParseError
			if !errors.As(err, &wrong) {
				l.mistake("environment", err)
				continue
			}
			l.mistake(subject.named(wrong.Name).env, wrong.Err)
			into.FieldByName(wrong.Name).SetZero()
		}
	}
}

// finish makes what follows from the variables.
func (l *configLoader) finish(cfg *config) {
	l.finishZone(cfg)
	for _, s := range settings() {
		if !s.checkedWhereUsed {
			l.checkChoice(cfg, s)
		}
	}
	if cfg.Mongo.URI != "" && cfg.Mongo.OtherURI != "" && cfg.Mongo.URI != cfg.Mongo.OtherURI {
		l.mistake("MONGODB_URI", errors.New("MONGO_URI says something else; want one of them"))
	}
	l.checkEnds(cfg)
	var err error
	if cfg.tags, err = parseTags(cfg.Backup.Tags); err != nil {
		l.mistake("RESTIC_TAGS", err)
	}
	l.finishSchedule(cfg)
	l.finishPolicy(cfg)
	l.finishWebhook(cfg)
}

// checkChoice holds a setting with choices to them, and reports whether it is one. What is not is
// told, and unset: nobody else tells it.
func (l *configLoader) checkChoice(cfg *config, s setting) bool {
	if len(s.choices) == 0 {
		return true
	}
	value := reflect.ValueOf(cfg).Elem().FieldByIndex(s.index)
	if value.String() == "" {
		return true
	}
	err := oneOf(value.String(), s.choices...)
	if err != nil {
		l.mistake(s.env, err)
		value.SetString("")
	}
	return err == nil
}

// shownRepository is where the repository is, without credentials, for people.
func (cfg *config) shownRepository() string {
	return cfg.redact.String(secret.WithoutCredentials(cfg.Repository.Location))
}
