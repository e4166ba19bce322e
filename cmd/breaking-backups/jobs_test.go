package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
)

// jobsEnv is an environment of the jobs app and shop.
func jobsEnv(t *testing.T, more ...string) []string {
	environ := baseEnv(t, more...)
	return append(environ, "JOBS=app,shop")
}

// What a job is given goes before what all share, also where it is the same in another way.
func TestJobsOverlay(t *testing.T) {
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte("of shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig(jobsEnv(
		t, "RESTIC_HOST=prod", "DB_TYPE=mysql", "MYSQL_HOST=db", "MYSQL_PORT=3307", "MYSQL_PASSWORD=of all", "CRON_SCHEDULE=@daily", "KEEP_DAILIES=7",
		"APP_MYSQL_DATABASE=app", "APP_BACKUP_INTERVAL_SECONDS=60", "APP_KEEP_DAILIES=3", "APP_AWS_ACCESS_KEY_ID=key of app", "AWS_DEFAULT_REGION=eu",
		"SHOP_DATABASE_URL=postgres://u@other:5433/shop", "SHOP_PGPASSWORD_FILE="+secretFile, "SHOP_RESTIC_TAGS=x", "SHOP_HOME=/nowhere", "SHOP_PGSSLMODE=disable", "SHOP_JOB_NAME=store",
	), nil, jobAndRepository)
	if err != nil {
		t.Fatal(err)
	}
	app, shop := cfg.jobs[0], cfg.jobs[1]
	type shown struct {
		Name, Host, Type, Server, Database, Password, When string
		Port                                               uint
		Daily                                              int
	}
	got := shown{app.Job.Name, app.Job.Host, app.Job.Type, app.MySQL.Host, app.MySQL.Database, app.MySQL.Password, app.when(), app.MySQL.Port, *app.Retention.Daily}
	if diff := cmp.Diff(shown{"app", "prod", "mysql", "db", "app", "of all", "every 1m0s", 3307, 3}, got); diff != "" {
		t.Errorf("app (-want +got):\n%s", diff)
	}
	want := map[string]string{"host": "other", "port": "5433", "user": "u", "dbname": "shop", "sslmode": "disable"}
	if diff := cmp.Diff(want, shop.Postgres.conn); diff != "" {
		t.Errorf("shop's connection (-want +got):\n%s", diff)
	}
	if shop.Job.Name != "store" || shop.Job.Type != "postgres" || shop.Postgres.password != "of shop" || shop.when() != "@daily (UTC)" || *shop.Retention.Daily != 7 {
		t.Errorf("shop: %+v, %+v, %s", shop.Job, shop.Postgres, shop.when())
	}
	for _, variable := range []string{"AWS_ACCESS_KEY_ID=key of app", "AWS_DEFAULT_REGION=eu"} {
		if !slices.Contains(app.children, variable) {
			t.Errorf("restic of app lacks %s", variable)
		}
	}
	if slices.Contains(shop.children, "AWS_ACCESS_KEY_ID=key of app") {
		t.Error("restic of shop gets app's key")
	}
	for _, variable := range append(app.children, shop.children...) {
		if strings.Contains(variable, "APP_") || strings.Contains(variable, "SHOP_") || variable == "HOME=/nowhere" {
			t.Errorf("restic gets %s", variable)
		}
	}
}

// A port belongs to its host: where a job has an address of its own, a shared port does not count,
// whoever reads it.
func TestJobsOwnAddress(t *testing.T) {
	t.Setenv("PGPORT", "9")
	t.Setenv("PGHOST", "shared")
	cfg, err := loadConfig(jobsEnv(
		t, "PGHOST=shared", "PGPORT=9", "PGUSER=me", "PGDATABASE=x", "APP_DATABASE_URL=postgres://own/app", "SHOP_PGHOST=theirs",
	), nil, jobAndRepository)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"host": "own", "port": "5432", "dbname": "app"}, cfg.jobs[0].Postgres.conn); diff != "" {
		t.Errorf("app (-want +got):\n%s", diff)
	}
	if got := cfg.jobs[1].Postgres.conn["host"]; got != "theirs" {
		t.Errorf("shop's host is %q", got)
	}
}

func TestJobsMistakes(t *testing.T) {
	tests := []struct {
		name  string
		more  []string
		flags map[string]settings.FlagValue
		want  []string
	}{
		{"of one, by its own name", []string{"APP_KEEP_LAST=x"}, nil, []string{`APP_KEEP_LAST: want a whole number of 0 or more, or unlimited, got "x"`}},
		{"of all, once", []string{"KEEP_LAST=x"}, nil, []string{`KEEP_LAST: want a whole number of 0 or more, or unlimited, got "x"`}},
		{"missing in all, once", []string{"RESTIC_PASSWORD="}, nil, []string{"RESTIC_PASSWORD: not set, nor RESTIC_PASSWORD_FILE; want the repository's password"}},
		{"missing in one", []string{"DB_TYPE=", "APP_DB_TYPE=postgres"}, nil, []string{"job shop: DB_TYPE: not set, nor DATABASE_URL; want postgres, mysql, mariadb or mongo"}},
		{"no such job", nil, map[string]settings.FlagValue{"JOB_NAME": {Flag: "job", Text: "shp"}}, []string{`--job: want of app, shop, got "shp"`}},
		{"a name for all", []string{"JOB_NAME=x"}, nil, []string{"JOB_NAME: set as well as JOBS, which names the jobs; want one of them"}},
		{"one name twice", []string{"APP_JOB_NAME=shop"}, nil, []string{"JOB_NAME: two jobs bear the name shop; want different ones"}},
		{"variables alike", []string{"JOBS=my-app,my_app"}, nil, []string{"JOBS: the variables of my-app and my_app begin alike, with MY_APP_; want one of them otherwise"}},
		{"drills", []string{"JOBS=verify"}, nil, []string{"JOBS: the variables of a job verify would begin with VERIFY_"}},
		{"another's drills", []string{"JOBS=app,app-verify-x"}, nil, []string{"JOBS: the variables of a job app-verify-x would be those of app's drills"}},
		{"variables of a store", []string{"JOBS=aws"}, nil, []string{"JOBS: the variables of a job aws would begin with AWS_, as AWS_* does"}},
		{"variables of a store, longer", []string{"JOBS=os-x"}, nil, []string{"JOBS: the variables of a job os-x would begin with OS_X_, as OS_* does"}},
		{"variables of ours", []string{"JOBS=keep"}, nil, []string{"JOBS: the variables of a job keep would begin with KEEP_, as KEEP_LAST does"}},
		{"a proxy's", []string{"JOBS=https"}, nil, []string{"JOBS: the variables of a job https would begin with HTTPS_, as HTTPS_PROXY does"}},
		{"a database of another's", []string{"APP_JOB_PER_DATABASE=true", "JOBS=app,app-eu"}, nil, []string{"JOBS: the job app-eu bears a name as the databases of app do"}},
		{"no name", []string{"JOBS=a/b"}, nil, []string{`JOBS: want a name without blanks, slashes and wildcards, got "a/b"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadConfig(append(jobsEnv(t), tt.more...), tt.flags, jobAndRepository)
			var config *exit.ConfigError
			if !errors.As(err, &config) {
				t.Fatalf("error %v", err)
			}
			var got []string
			for _, mistake := range config.Mistakes {
				got = append(got, mistake.Error())
			}
			if len(got) != len(tt.want) || !strings.HasPrefix(got[0], tt.want[0]) {
				t.Errorf("mistakes %q, want %q", got, tt.want)
			}
		})
	}
}

// What bears a job's prefix and is no variable, but looks like one, is asked about.
func TestJobsMisspelt(t *testing.T) {
	cfg, err := loadConfig(jobsEnv(t, "APP_PGDATABSE=x"), nil, jobAndRepository)
	if err != nil {
		t.Fatal(err)
	}
	if want := "job app: APP_PGDATABSE is not a variable of this program; did you mean APP_PGDATABASE?"; len(cfg.warnings) != 1 || cfg.warnings[0] != want {
		t.Errorf("warnings %q", cfg.warnings)
	}
}

// The worst of several decides the exit code.
func TestWorst(t *testing.T) {
	plain, follow, config := errors.New("x"), exit.FollowUpError{Err: errors.New("y")}, &exit.ConfigError{Mistakes: []error{errors.New("z")}}
	for _, tt := range []struct {
		all  []error
		code int
	}{
		{nil, 0},
		{[]error{follow, plain, follow}, 1},
		{[]error{follow, follow}, 3},
		{[]error{plain, &jobError{"a", config}, follow}, 2},
	} {
		if code := exit.Code(t.Context(), worst(tt.all)); code != tt.code {
			t.Errorf("%v: exit code %d, want %d", tt.all, code, tt.code)
		}
	}
}

// No variable of one job reaches another's restic, whatever RESTIC_ENV names, nor do the secrets of
// the program itself.
func TestJobsKeepTheirSecrets(t *testing.T) {
	cfg, err := loadConfig(jobsEnv(
		t, "RESTIC_ENV=*", "APP_PGPASSWORD=a1", "APP_RESTIC_PASSWORD=a2", "APP_WEBHOOK_URL=http://a3", "APP_VAULT_TOKEN=a4", "SHOP_PGPASSWORD=s1",
		"HTTP_TOKEN=h1 that is long enough", "HTTP_BASIC_AUTH=h2:x", "PUSHGATEWAY_URL=http://h3", "VERIFY_PGPASSWORD=v1", "APP_VERIFY_PGPASSWORD=v2", "OTHER=fine",
	), nil, jobAndRepository)
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range cfg.jobs {
		for _, variable := range one.children {
			_, value, _ := strings.Cut(variable, "=")
			for _, secret := range []string{"a1", "a2", "http://a3", "a4", "s1", "h1 that is long enough", "h2:x", "http://h3", "v1", "v2"} {
				if own := i == 0 && (variable == "RESTIC_PASSWORD=a2"); value == secret && !own {
					t.Errorf("restic of %s gets %s", one.Job.Name, variable)
				}
			}
		}
		if !slices.Contains(one.children, "OTHER=fine") {
			t.Errorf("restic of %s does not get what RESTIC_ENV names", one.Job.Name)
		}
	}
}

// A drill goes where its job goes, unless VERIFY_ says otherwise, whatever the driver would read in
// the process's environment.
func TestJobsDrillWhereTheyAre(t *testing.T) {
	t.Setenv("PGHOST", "shared")
	cfg, err := loadConfig(jobsEnv(
		t, "PGHOST=shared", "APP_PGHOST=own", "APP_PGPORT=5440", "APP_PGPASSWORD=pw", "SHOP_PGHOST=theirs", "SHOP_PGPORT=5441", "SHOP_VERIFY_DATABASE_URL=postgres://me@drills/x",
	), nil, jobAndRepository)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]string{
		{"host": "own", "port": "5440"},
		{"host": "drills", "port": "5432", "user": "me", "dbname": "x"},
	} {
		at, err := cfg.jobs[i].drillsAt()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, at.Postgres.conn); diff != "" {
			t.Errorf("%s (-want +got):\n%s", cfg.jobs[i].Job.Name, diff)
		}
		if i == 0 && at.Postgres.password != "pw" {
			t.Errorf("the drill of app has the password %q", at.Postgres.password)
		}
	}
}

// A shared password in a file is no more a job's than one in a variable, where its address has one.
func TestJobsOwnPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("of all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig(jobsEnv(t, "PGPASSWORD_FILE="+file, "PGDATABASE=x", "APP_DATABASE_URL=postgres://me:own@host/app"), nil, jobAndRepository)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.jobs[0].Postgres; got.password != "" || got.conn["password"] != "own" {
		t.Errorf("app has the password %q, and in its address %q", got.password, got.conn["password"])
	}
	if got := cfg.jobs[1].Postgres.password; got != "of all" {
		t.Errorf("shop has the password %q", got)
	}
}

// The job of a database is the same once more: after its settings were read anew, and where a
// command line has named it, beside other jobs too.
func TestJobOfADatabase(t *testing.T) {
	for _, tt := range []struct {
		name    string
		environ []string
	}{
		{"alone", baseEnv(t, "JOB_PER_DATABASE=true", "JOB_NAME=fleet")},
		{"of several", baseEnv(t, "JOBS=other,fleet", "FLEET_JOB_PER_DATABASE=true", "OTHER_PGDATABASE=x")},
	} {
		cfg, err := loadConfig(tt.environ, map[string]settings.FlagValue{"JOB_NAME": {Flag: "job", Text: "fleet-a%2Fb"}}, jobAndRepository)
		if err != nil {
			t.Fatal(err)
		}
		if len(cfg.jobs) != 1 {
			t.Fatalf("%s: %d jobs", tt.name, len(cfg.jobs))
		}
		j, err := newJob(cfg.jobs[0])
		for range 2 {
			if err != nil {
				t.Fatal(err)
			}
			if src, err := j.engine.source(dumpHooks{}); err != nil || src.Database() != "a/b" || j.name != "fleet-a%2Fb" || j.parent != "fleet" || j.databases != nil {
				t.Errorf("%s: job %s of %q, database %s, %v", tt.name, j.name, j.parent, src.Database(), err)
			}
			j, err = j.again()
		}
	}
	if _, err := loadConfig(baseEnv(t, "JOBS=fleet", "FLEET_JOB_PER_DATABASE=true"), map[string]settings.FlagValue{"JOB_NAME": {Flag: "job", Text: "flet-x"}}, jobAndRepository); err == nil {
		t.Error("no error for a job that is none")
	}
}
