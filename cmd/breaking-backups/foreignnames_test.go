package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The names of the images and of others are asked about where ours is not set, and only then.
func TestForeignNames(t *testing.T) {
	for _, tt := range []struct{ env, want string }{
		{"DB_TYPE=postgres POSTGRES_HOST=db POSTGRES_PASSWORD=x POSTGRES_USER=u POSTGRES_DB=d", "POSTGRES_DB PGDATABASE, POSTGRES_HOST PGHOST, POSTGRES_PASSWORD PGPASSWORD, POSTGRES_USER PGUSER"},
		{"DB_TYPE=postgres POSTGRES_PASSWORD_FILE=/x PGPASS=x", "PGPASS PGPASSWORD, POSTGRES_PASSWORD_FILE PGPASSWORD_FILE"},
		{"DB_TYPE=postgres POSTGRES_HOST=db POSTGRES_PASSWORD=x PGHOST=db PGPASSWORD=x POSTGRES_PORT=tcp://10.0.0.1:5432", ""},
		{"DB_TYPE=postgres POSTGRES_PASSWORD=x PGPASSFILE=/x", ""},
		{"DATABASE_URL=postgres://u:p@db/app POSTGRES_PASSWORD=x", ""},
		{"DB_TYPE=postgres PGDATABASE=postgres://u:p@db/app POSTGRES_PASSWORD=x", ""},
		{"DB_TYPE=postgres PG_DUMP_ALL=true POSTGRES_DB=x POSTGRES_USER=u", "POSTGRES_USER PGUSER"},
		{"DB_TYPE=mysql POSTGRES_PASSWORD=x MYSQL_ROOT_PASSWORD=x MYSQL_TCP_PORT=1 MYSQL_UNIX_PORT=/x MYSQL_DATABASE=app", "MYSQL_ROOT_PASSWORD MYSQL_PASSWORD, MYSQL_TCP_PORT MYSQL_PORT, MYSQL_UNIX_PORT MYSQL_SOCKET"},
		{"DB_TYPE=mysql MYSQL_HOST=db MYSQL_UNIX_PORT=/x", ""},
		{"DB_TYPE=mysql MYSQL_SOCKET=/x MYSQL_TCP_PORT=1 DB_HOST=db", ""},
		{"DB_TYPE=mariadb MARIADB_ROOT_PASSWORD_FILE=/x MARIADB_HOST=db DB_NAME=app", "DB_NAME MYSQL_DATABASE, MARIADB_HOST MYSQL_HOST, MARIADB_ROOT_PASSWORD_FILE MYSQL_PASSWORD_FILE"},
		{"DB_TYPE=mongo MONGO_INITDB_ROOT_USERNAME=u MONGO_INITDB_ROOT_PASSWORD=x MONGO_URL=mongodb://x", "MONGO_INITDB_ROOT_PASSWORD MONGO_PASSWORD, MONGO_INITDB_ROOT_USERNAME MONGO_USER, MONGO_URL MONGO_URI"},
	} {
		want := map[string]string{}
		for pair := range strings.SplitSeq(tt.want, ", ") {
			if name, meant, found := strings.Cut(pair, " "); found {
				want[name] = meant
			}
		}
		cfg, err := loadConfig(strings.Fields(tt.env), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(questions(want), cfg.warnings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.env, diff)
		}
	}
}

func TestServersOfOurVariables(t *testing.T) {
	for env, want := range map[string]string{
		"DB_TYPE=mysql MYSQL_HOST=db:3307":                                          `MYSQL_HOST: host and port in one, "db:3307"; want db, and MYSQL_PORT=3307`,
		"DB_TYPE=mysql MYSQL_HOST=::1":                                              "",
		"DB_TYPE=mysql MYSQL_HOST=db:3307 MYSQL_SOCKET=/x":                          "",
		"DB_TYPE=mysql MYSQL_PORT=tcp://10.0.0.1:3306":                              `MYSQL_PORT: want a whole number of 0 or more, got "tcp://10.0.0.1:3306", which Kubernetes sets`,
		"DB_TYPE=mysql MYSQL_TLS=REQUIRED":                                          `MYSQL_TLS: want disabled, preferred, required, verify-ca, verify-full, got "REQUIRED"`,
		"DB_TYPE=mysql MYSQL_TLS_CA=/nowhere":                                       "MYSQL_TLS_CA: want the path of a file: no such file",
		"DB_TYPE=mysql MYSQL_TLS_CA=/nowhere MYSQL_TLS=disabled":                    "",
		"DB_TYPE=mysql MYSQL_SERVER_PUBLIC_KEY=/nowhere":                            "MYSQL_SERVER_PUBLIC_KEY: want the path of a file: no such file",
		"DB_TYPE=mongo MONGO_HOST=db:27018":                                         `MONGO_HOST: host and port in one, "db:27018"; want db, and MONGO_PORT=27018`,
		"DB_TYPE=mongo MONGO_HOST=a,b":                                              "MONGO_HOST: several hosts; want one, or all of them in MONGO_URI",
		"DB_TYPE=mongo MONGO_HOST=/run/mongodb.sock":                                "",
		"DB_TYPE=mongo MONGO_PORT=x":                                                `MONGO_PORT: want a number from 1 to 65535, got "x"`,
		"DB_TYPE=mysql MYSQL_SOCKET=/x MYSQL_PORT=tcp://10.0.0.1:3306":              "",
		"DATABASE_URL=mysql://u@db/app MYSQL_PORT=tcp://10.0.0.1:3306":              "",
		"DATABASE_URL=mysql://u@db/app MYSQL_HOST=x MYSQL_PORT=tcp://10.0.0.1:3306": "MYSQL_PORT: want a whole number",
		"DATABASE_URL=redis://db DB_TYPE=mariadb MYSQL_PORT=tcp://10.0.0.1:3306":    "MYSQL_PORT: want a whole number",
		"DB_TYPE=mongo MONGO_PORT=tcp://10.0.0.1:27017":                             `MONGO_PORT: want a number from 1 to 65535, got "tcp://10.0.0.1:27017", which Kubernetes sets`,
		"DB_TYPE=mongo MONGO_URI=mongodb://db MONGO_PORT=tcp://10.0.0.1:27017":      "",
		"DB_TYPE=mongo MYSQL_PORT=tcp://10.0.0.1:3306":                              "",
		"DB_TYPE=postgres MYSQL_PORT=tcp://10.0.0.1:3306":                           "",
		"DB_TYPE=postgres MYSQL_HOST=db:3307":                                       "", // somebody else's
	} {
		t.Setenv("PGHOST", "db.example")
		_, err := loadConfig(strings.Fields(env), nil, func(*config) needs { return needs{job: true} })
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), "configuration: "+want)) {
			t.Errorf("%s: %v, want %s", env, err, want)
		}
	}
}

// A service link beside an address does not keep it from being taken.
func TestServiceLinkBesideAddress(t *testing.T) {
	environ := []string{"DATABASE_URL=mongodb://db.example:27018", "MONGO_PORT=tcp://10.0.0.1:27017", "PG_PORT=tcp://10.0.0.1:5432"}
	cfg, err := loadConfig(environ, nil, func(*config) needs { return needs{job: true} })
	if err != nil || cfg.Mongo.uri != "mongodb://db.example:27018" || len(cfg.warnings) > 0 {
		t.Errorf("%q, %q, %v", cfg.Mongo.uri, cfg.warnings, err)
	}
}
