package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/schedule"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
)

// baseEnv is a configuration with nothing but what is required; the database is not contacted.
func baseEnv(t *testing.T, more ...string) []string {
	t.Helper()
	if os.Getenv("PGHOST") == "" { // which the driver reads itself
		t.Setenv("PGHOST", "db.example")
	}
	restic := filepath.Join(t.TempDir(), "restic")
	if err := os.WriteFile(restic, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	return append([]string{
		"DB_TYPE=postgres", "RESTIC_REPOSITORY=/srv/backups", "RESTIC_PASSWORD=correct horse", "RESTIC_BINARY=" + restic, "TZ=UTC",
	}, more...)
}

func TestConfigDefaults(t *testing.T) {
	cfg, err := loadConfig(baseEnv(t), nil, jobAndRepository)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.schedule != nil || cfg.webhook != nil || !cfg.policy.IsZero() || cfg.tags != nil || cfg.zone.String() != "UTC" {
		t.Errorf("schedule %v, webhook %v, policy %s, tags %q, zone %s", cfg.schedule, cfg.webhook, cfg.policy, cfg.tags, cfg.zone)
	}
	if cfg.Backup.Mode != "auto" || cfg.Backup.WorkDir != "/backup/work" || !cfg.Retention.Prune || cfg.Repository.LockWait != seconds(35*time.Minute) {
		t.Errorf("mode %s, work folder %s, prune %t, lock wait %s", cfg.Backup.Mode, cfg.Backup.WorkDir, cfg.Retention.Prune, time.Duration(cfg.Repository.LockWait))
	}
}

func TestConfigValues(t *testing.T) {
	cfg, err := loadConfig(baseEnv(
		t,
		"KEEP_DAILIES=7", "KEEP_WITHIN=1y6m", "KEEP_LAST=", "CRON_SCHEDULE=@daily", "BACKUP_INTERVAL_SECONDS=60", "RESTIC_TAGS= app ,env=prod,,app",
		"WEBHOOK_URL=https://hooks.example/x", "WEBHOOK_AUTH_HEADER=Authorization: Bearer s3cret", "WEBHOOK_EXTRA_HEADERS=X-A=1,X-B=2", "WEBHOOK_TIMEOUT_SECONDS=3",
	), map[string]settings.FlagValue{"KEEP_DAILIES": {Flag: "keep-dailies", Text: "14"}}, jobAndRepository)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.policy.String(); got != "14 daily, all within 1y6m" {
		t.Errorf("policy %s: a flag goes before its variable", got)
	}
	if _, ok := cfg.schedule.(schedule.Interval); ok {
		t.Error("the interval wins over CRON_SCHEDULE")
	}
	if diff := cmp.Diff([]string{"app", "env=prod"}, cfg.tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if cfg.webhook.Timeout != 3*time.Second || cfg.webhook.Method != "POST" || len(cfg.webhook.Header) != 3 {
		t.Errorf("webhook %+v", cfg.webhook)
	}
}

func TestConfigMistakes(t *testing.T) {
	tests := []struct{ variable, want string }{
		{"DB_TYPE=", "DB_TYPE: not set"},
		{"DB_TYPE=oracle", `DB_TYPE: want postgres, mysql, mariadb or mongo, got "oracle"`},
		{"RESTIC_REPOSITORY=", "RESTIC_REPOSITORY: not set"},
		{"RESTIC_PASSWORD=", "RESTIC_PASSWORD: not set"},
		{"RESTIC_PASSWORD_FILE=/nowhere", "RESTIC_PASSWORD: set as well as RESTIC_PASSWORD_FILE"},
		{"RESTIC_PASSWORD_COMMAND=pass restic", "RESTIC_PASSWORD_COMMAND: set as well as RESTIC_PASSWORD or its _FILE; want one of them"},
		{"RESTIC_REPOSITORY=s3//host/bucket", "RESTIC_REPOSITORY: no colon behind the store's name"},
		{"CRON_SCHEDULE=\"30 2 * * *\"", `CRON_SCHEDULE: want it without quotes, which only a shell takes away, got "30 2 * * *"`},
		{"CRON_SCHEDULE='@daily'", `CRON_SCHEDULE: want it without quotes, which only a shell takes away, got '@daily'`},
		{"PGPASSWORD_FILE=/nowhere", "PGPASSWORD_FILE: want the path of a file: no such file"},
		{"AWS_SECRET_ACCESS_KEY_FILE=/dev/null", "AWS_SECRET_ACCESS_KEY_FILE: /dev/null: it is empty"},
		{"RESTIC_BINARY=/nowhere/restic", "RESTIC_BINARY: want the path of restic 0.17 or newer"},
		{"RESTIC_TAGS=a\x01", "RESTIC_TAGS: want tags in UTF-8 without control characters"},
		{"RESTIC_TAGS=app,breaking-backups.empty", `RESTIC_TAGS: tags that begin with breaking-backups. are this program's own`},
		{"RESTIC_HOST=\xff", `RESTIC_HOST: want UTF-8, as restic keeps names, got "\xff"`},
		{"ALLOW_EMPTY=perhaps", `ALLOW_EMPTY: want true or false, got "perhaps"`},
		{"JOB_NAME=a/b", `JOB_NAME: want a name without blanks, slashes and wildcards, got "a/b"`},
		{"BACKUP_MODE=fast", `BACKUP_MODE: want auto, stream, spool, got "fast"`},
		{"BACKUP_RETRIES=-1", `BACKUP_RETRIES: want a whole number of 0 or more, got "-1"`},
		{"LOCK_WAIT_SECONDS=1m", `LOCK_WAIT_SECONDS: want a whole number of seconds, 0 or more, got "1m"`},
		{"BACKUP_INTERVAL_SECONDS=1.5", `BACKUP_INTERVAL_SECONDS: want a whole number of seconds`},
		{"DUMP_JOBS=0", `DUMP_JOBS: want a whole number of 1 or more, got "0"`},
		{"DUMP_JOBS=many", `DUMP_JOBS: want a whole number of 1 or more, got "many"`},
		{"MONGO_COMPRESSION_LEVEL=high", `MONGO_COMPRESSION_LEVEL: want 1 to 22, got "high"`},
		{"MONGO_COMPRESSION_LEVEL=23", `MONGO_COMPRESSION_LEVEL: want 1 to 22, got "23"`},
		{"RESTORE_JOBS=0", `RESTORE_JOBS: want a whole number of 1 or more, got "0"`},
		{"PG_ROW_ORDER=random", `PG_ROW_ORDER: want auto, key, physical, got "random"`},
		{"PG_DUMP_ALL=maybe", `PG_DUMP_ALL: want true or false, got "maybe"`},
		{"KEEP_DAILIES=-1", `KEEP_DAILIES: want a whole number of 0 or more, or unlimited, got "-1"`},
		{"KEEP_DAILIES=0", "KEEP_*: the policy would keep nothing"},
		{"KEEP_WITHIN=a month", `KEEP_WITHIN: want years, months, days and hours, e.g. 1y6m or 30d, got "a month"`},
		{"CRON_SCHEDULE=* *", "CRON_SCHEDULE: "},
		{"CRON_SCHEDULE=0 0 30 2 *", "CRON_SCHEDULE: no date ever matches"},
		{"TZ=Mars/Olympus", "TZ: unknown time zone Mars/Olympus"},
		{"WEBHOOK_URL=hooks.example/s3cret", "WEBHOOK_URL: want an address that begins with http"},
		{"WEBHOOK_URL=ftp://hooks.example/s3cret", "WEBHOOK_URL: want an address that begins with http"},
		{"WEBHOOK_METHOD=po st", `WEBHOOK_METHOD: want a method such as POST or PUT, got "po st"`},
		{"WEBHOOK_AUTH_HEADER=s3cret", "WEBHOOK_AUTH_HEADER: want Name: value"},
		{"WEBHOOK_EXTRA_HEADERS=s3cret", "WEBHOOK_EXTRA_HEADERS: want K=V,K=V"},
		{"LOG_LEVEL=loud", `LOG_LEVEL: want debug, info, warn, error, got "loud"`},
		{"LOG_FORMAT=xml", `LOG_FORMAT: want text, json, auto, got "xml"`},
	}
	for _, tt := range tests {
		t.Run(tt.variable, func(t *testing.T) {
			_, err := loadConfig(baseEnv(t, tt.variable), nil, jobAndRepository)
			var wrong *exit.ConfigError
			if !errors.As(err, &wrong) || len(wrong.Mistakes) != 1 || !strings.HasPrefix(wrong.Mistakes[0].Error(), tt.want) {
				t.Errorf("%v, want one mistake: %s", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a secret shows: %v", err)
			}
		})
	}
}

// restic would keep another name, under which nothing of the job is found again.
func TestConfigHostThatResticCannotKeep(t *testing.T) {
	t.Setenv("PGHOST", "\xff") // the driver reads it itself
	_, err := loadConfig(baseEnv(t, "RESTIC_HOST="), nil, jobAndRepository)
	if want := "configuration: RESTIC_HOST: want the name that the snapshots bear: the database's host is not UTF-8"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestConfigTellsAllMistakesAtOnce(t *testing.T) {
	cfg, err := loadConfig(baseEnv(t, "KEEP_LAST=x", "TZ=x", "LOG_LEVEL=x", "WEBHOOK_URL=http://hooks.example/"), map[string]settings.FlagValue{"BACKUP_MODE": {Flag: "backup-mode", Text: "x"}}, jobAndRepository)
	want := `configuration: 4 mistakes
  KEEP_LAST: want a whole number of 0 or more, or unlimited, got "x"
  TZ: unknown time zone x
  --backup-mode: want auto, stream, spool, got "x"
  LOG_LEVEL: want debug, info, warn, error, got "x"`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if cfg.webhook == nil {
		t.Error("the webhook is not known, and so cannot be told")
	}
}

func TestConfigSecretsFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("secret:from a file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"RESTIC_HOST=db", "RESTIC_FEATURES=x"}
	for _, name := range secretNames() {
		if !strings.HasSuffix(name, "_URL") && !strings.HasSuffix(name, "_HEADER") && !strings.HasSuffix(name, "_HEADERS") {
			environ = append(environ, name+"_FILE="+file)
		}
	}
	cfg, err := loadConfig(environ, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Postgres.Password != "secret:from a file" || cfg.Repository.Password != "secret:from a file" || cfg.Repository.Location != "secret:from a file" {
		t.Errorf("%q, %q, %q", cfg.Postgres.Password, cfg.Repository.Password, cfg.Repository.Location)
	}
	for _, want := range []string{
		"AWS_SECRET_ACCESS_KEY=secret:from a file", "AWS_ACCESS_KEY_ID=secret:from a file", "B2_ACCOUNT_KEY=secret:from a file", // restic knows no file for them
		"RESTIC_PASSWORD_FILE=" + file, "RESTIC_REPOSITORY_FILE=" + file, // its own
		"RESTIC_FEATURES=x",
	} {
		if !slices.Contains(cfg.children, want) {
			t.Errorf("restic's environment lacks %s", want)
		}
	}
	for _, variable := range cfg.children {
		for _, name := range []string{"RESTIC_PASSWORD=", "RESTIC_REPOSITORY=", "RESTIC_HOST="} {
			if strings.HasPrefix(variable, name) {
				t.Errorf("restic's environment has %s", variable)
			}
		}
	}
}

// What an editor puts around a secret is none of it: a byte order mark, a line's end.
func TestSecretFilesOfEditors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for text, want := range map[string]string{
		"s3cret\r\n":                             "s3cret",
		"\ufeffs3cret":                           "s3cret",
		"\ufeffs3cret \r\n":                      "s3cret ",
		"\xff\xfes\x003\x00\xe9\x00\r\x00\n\x00": "s3é",
		"\xfe\xff\x00s\x003\x00\r\x00\n":         "s3",
		"\xff\xfeodd":                            "\xff\xfeodd",
		"with\ufeffwithin":                       "with\ufeffwithin",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := loadConfig([]string{"PGPASSWORD_FILE=" + file, "WEBHOOK_URL_FILE=" + file, "AWS_SECRET_ACCESS_KEY_FILE=" + file, "RESTIC_REPOSITORY_FILE=" + file}, nil, nil)
		if cfg.Postgres.Password != want || cfg.Webhook.URL != want || !slices.Contains(cfg.children, "AWS_SECRET_ACCESS_KEY="+want) || cfg.Repository.Location != strings.TrimSpace(want) {
			t.Errorf("%q: %q, %q, %q, want %q (%v)", text, cfg.Postgres.Password, cfg.Webhook.URL, cfg.Repository.Location, want, err)
		}
	}
}

func TestMisspelt(t *testing.T) {
	environ := map[string]string{
		"KEEP_DAILYS": "7", "KEEP_DAILY": "7", "WEBHOOK_TIMEOUT": "3", "RESTIC_PASWORD": "x", "CRON_SHEDULE": "x", "LOGLEVEL": "x", "BACKUP_INTERVAL": "x", "PGSSLMOD": "x", // meant for us
		"PGSSLMODE": "x", "PGHOSTADDR": "x", "RESTIC_CACHE_DIR": "x", "RESTIC_PASSWORD_COMMAND": "x", "WEBHOOK_URL_FILE": "x", "HOME": "x", "DB_HOST": "x", "BACKUP_PORT": "x", // not
		"KEEP_DAILES": "", // unset
	}
	want := []string{
		"BACKUP_INTERVAL is not a variable of this program; did you mean BACKUP_INTERVAL_SECONDS?",
		"CRON_SHEDULE is not a variable of this program; did you mean CRON_SCHEDULE?",
		"KEEP_DAILY is not a variable of this program; did you mean KEEP_DAILIES?",
		"KEEP_DAILYS is not a variable of this program; did you mean KEEP_DAILIES?",
		"LOGLEVEL is not a variable of this program; did you mean LOG_LEVEL?",
		"PGSSLMOD is not a variable of this program; did you mean PGSSLMODE?",
		"RESTIC_PASWORD is not a variable of this program; did you mean RESTIC_PASSWORD?",
		"WEBHOOK_TIMEOUT is not a variable of this program; did you mean WEBHOOK_TIMEOUT_SECONDS?",
	}
	if diff := cmp.Diff(want, questions(misspelt(environ))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestJob(t *testing.T) {
	tests := []struct {
		variables  []string
		name, host string
	}{
		{[]string{"PGDATABASE=app", "PGHOST=db.example"}, "postgres-app", "db.example"},
		{[]string{"PGDATABASE=app", "PGHOST=/run/postgresql"}, "postgres-app", "localhost"},
		{[]string{"PGDATABASE=a/b c"}, "postgres-a%2Fb%20c", "localhost"},
		{[]string{"PGDATABASE=app", "PGHOST=db", "PG_DUMP_ALL=true"}, "postgres-all", "db"},
		{[]string{"PGDATABASE=app", "PGHOST=db", "JOB_NAME=shop", "RESTIC_HOST=prod"}, "shop", "prod"},
	}
	for _, tt := range tests {
		t.Setenv("PGHOST", "/nowhere")
		flags := map[string]settings.FlagValue{}
		environ := baseEnv(t)
		for _, variable := range tt.variables {
			name, value, _ := strings.Cut(variable, "=")
			if strings.HasPrefix(name, "PG") {
				flags[name] = settings.FlagValue{Flag: "x", Text: value} // the driver reads the process's environment, flags go before it
			} else {
				environ = append(environ, variable)
			}
		}
		cfg, err := loadConfig(environ, flags, jobAndRepository)
		if err != nil {
			t.Fatal(err)
		}
		j, err := newJob(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if j.name != tt.name || j.host != tt.host || j.path() != "/"+tt.name+".sql" {
			t.Errorf("%q: %+v", tt.variables, j)
		}
	}
}

func FuzzParseTags(f *testing.F) {
	for _, seed := range []string{"", "app,env=prod", ",,", "a, a ,b", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		tags, err := parseTags(in)
		if err != nil {
			return
		}
		for _, tag := range tags {
			if tag == "" || strings.ContainsAny(tag, ",\n\x00") || strings.TrimSpace(tag) != tag {
				t.Fatalf("%q gives the tag %q", in, tag)
			}
		}
		again, err := parseTags(strings.Join(tags, ","))
		if err != nil || !slices.Equal(again, tags) {
			t.Fatalf("%q gives %q, which gives %q, %v", in, tags, again, err)
		}
	})
}
