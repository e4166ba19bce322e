package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
)

// The parts of DATABASE_URL are as if variables said them, and go behind those that are set.
func TestDatabaseURL(t *testing.T) {
	tests := []struct {
		env  []string
		want string
	}{
		{[]string{"DATABASE_URL=mysql://app:p%40ss@db:3307/shop"}, "mysql app:p@ss@db:3307//shop "},
		{[]string{"DATABASE_URL=mariadb://db/shop", "MYSQL_PASSWORD=mine"}, "mariadb root:mine@db:3306//shop "},
		{[]string{"DATABASE_URL=mysql://app:p@db:3307/shop", "MYSQL_USER=backup", "MYSQL_DATABASE=other"}, "mysql backup:@db:3307//other "}, // the password is app's
		{[]string{"DATABASE_URL=mysql://app:p@db:3307/shop", "MYSQL_USER=app"}, "mysql app:p@db:3307//shop "},
		{[]string{"DATABASE_URL=mysql://app:p@db:3307/shop", "MYSQL_HOST=replica"}, "mysql app:p@replica:3306//shop "}, // the port is db's
		{[]string{"DATABASE_URL=mysql://app@/shop?socket=/run/my.sock&charset=utf8mb4"}, "mysql app:@localhost:3306/run/my.sock/shop "},
		{[]string{"DATABASE_URL=mysql://db/?ssl-mode=VERIFY_IDENTITY"}, "mysql root:@db:3306// verify-full"},
		{[]string{"DATABASE_URL=mysql://db/?ssl-mode=VERIFY_IDENTITY", "MYSQL_TLS=required"}, "mysql root:@db:3306// required"},
		{[]string{"DATABASE_URL=mysql://db/?sslmode=require"}, "DATABASE_URL: character 13: a parameter about encryption that is not known"},
		{[]string{"DATABASE_URL=mysql://a,b/shop"}, "DATABASE_URL: several hosts; want one"},
		{[]string{"DATABASE_URL=mysql://db", "DB_TYPE=mariadb"}, "mariadb root:@db:3306// "},
		{[]string{"DATABASE_URL=mysql://db", "DB_TYPE=mongo"}, "DATABASE_URL: the address of another kind of database (mysql) than DB_TYPE says"},
		{[]string{"DATABASE_URL=sqlite:///x", "DB_TYPE=mysql"}, "mysql root:@localhost:3306// "}, // another program's
		{[]string{"DATABASE_URL=sqlite:///x"}, "DATABASE_URL: want an address that begins with postgres://"},
		{[]string{"DATABASE_URL=mongodb://u:p@db/app"}, "mongo mongodb://u:p@db/app"},
		{[]string{"DATABASE_URL=mongodb://u:p@db/app", "MONGO_HOST=other"}, "mongo "},
		{[]string{"DATABASE_URL=mongodb://u:p@db/app", "MONGODB_URI=mongodb://other"}, "mongo mongodb://other"},
		{[]string{"DATABASE_URL=mongodb://db/?replicaset=rs0"}, "mongo mongodb://db/?replicaset=rs0"},
		{[]string{"DATABASE_URL=mongodb://db/?replicaSett=rs0"}, "DATABASE_URL: character 15: an option that is not known; did you mean replicaSet?"},
		{[]string{"MONGO_URI=mongodb://db/?tls=true&tlsAllowInvalidHostnames=true", "DB_TYPE=mongo"}, "MONGO_URI: character 24: an option about encryption that is not known; want tls, "},
		{[]string{"MONGO_URI=mongodb://db/?w=0", "DB_TYPE=mongo"}, "MONGO_URI: character 15: the option w: 0 has the server answer no insert"},
		{[]string{"MONGODB_URI=mongodb://u:p:q@db/app", "DB_TYPE=mongo"}, "MONGODB_URI: character 14: a : within the password"},
		{[]string{"DATABASE_URL=postgres://h", "PGDATABASE=host=h"}, "DATABASE_URL: PGDATABASE is an address as well"},
	}
	for _, tt := range tests {
		cfg, err := loadConfig(tt.env, nil, func(*config) needs { return needs{job: true} })
		got := ""
		switch {
		case err != nil:
			got = strings.TrimPrefix(err.Error(), "configuration: ")
		case cfg.Job.Type == "mongo":
			got = "mongo " + cfg.Mongo.uri
		default:
			s := mysqlServer(cfg.MySQL, cfg.Database)
			got = cfg.Job.Type + " " + s.User + ":" + s.Password + "@" + s.Host + ":" + strconv.Itoa(s.Port) + "/" + strings.TrimPrefix(s.Socket, "/") + "/" + cfg.MySQL.Database + " " + string(s.TLS.Mode)
		}
		if got != tt.want && (err == nil || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%q: %s, want %s", tt.env, got, tt.want)
		}
	}
}

// An option of another driver's is passed over, and that is told without repeating it.
func TestForeignOptionsOfMongo(t *testing.T) {
	cfg, err := loadConfig([]string{"MONGO_URI=mongodb://db/?uuidRepresentation=standard&j=true", "DB_TYPE=mongo"}, nil, func(*config) needs { return needs{job: true} })
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MONGO_URI, character 15: an option that is not known, which is passed over", "MONGO_URI, character 43: an option that is not known, which is passed over"} {
		if !slices.Contains(cfg.warnings, want) {
			t.Errorf("warnings %q, want %s", cfg.warnings, want)
		}
	}
}

// Where PG* variables are set the driver reads them, so an address must not say anything there.
func TestPostgresAddress(t *testing.T) {
	t.Setenv("PGHOST", "db.example")
	tests := []struct {
		env   []string
		flags map[string]settings.FlagValue
		want  string
	}{
		{[]string{"DATABASE_URL=postgres://u:p@h:1/d?sslmode=require"}, nil, "dbname='d' host='h' password='p' port='1' sslmode='require' user='u'"},
		{[]string{"DATABASE_URL=postgres://u:p@h:1/d?sslmode=require", "PGHOST=other", "PGSSLMODE=disable"}, nil, "dbname='d' password='p' user='u'"},
		{[]string{"DATABASE_URL=postgres://u:p@h/d", "PGUSER=backup", "PGDATABASE=x"}, nil, "host='h'"},
		{[]string{"DATABASE_URL=postgres://u:p@h/d", "PGPASSWORD=mine"}, map[string]settings.FlagValue{"PGUSER": {Flag: "pguser", Text: "f'"}}, `dbname='d' host='h' user='f\''`},
		{[]string{"PGDATABASE=host=h user=u password=p"}, nil, "dbname='u' host='h' password='p' user='u'"},
		{[]string{"PGDATABASE=postgres://u@h/d"}, map[string]settings.FlagValue{"PGDATABASE": {Flag: "pgdatabase", Text: "postgres:///e"}}, "dbname='e'"},
	}
	for _, tt := range tests {
		cfg, err := loadConfig(append(tt.env, "DB_TYPE=postgres"), tt.flags, func(*config) needs { return needs{job: true} })
		if err != nil || cfg.Postgres.connection() != tt.want {
			t.Errorf("%q, %v: %v, %s, want %s", tt.env, tt.flags, err, cfg.Postgres.connection(), tt.want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://u:p@ss@h:1/x?y=%41#z": "", "http://h": "", "HTTP://[::1]:80/": "", "http://u:p%2F@h": "", "http://h:1/%40team": "",
		"ftp://h":           "want an address that begins with http:// or https://",
		"http://":           "character 8: want user:password@host:port",
		"http://u:p%zz@h/":  "character 11: a % that begins no escape",
		"http://u:p w@h/":   "character 11: a character that has to be escaped",
		"http://é:p\x01@h/": "character 11: a control character",
		"http://u:p/w@h/":   "character 13: an @ that ends no user and password",
		"http://h:port/":    "character 8: want user:password@host:port",
	} {
		_, err := parseURL(text, "http", "https")
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Proxies and repositories that others could not read, and would quote, are told before.
func TestURLsOfOthers(t *testing.T) {
	for variable, want := range map[string]string{
		"https_proxy=http://u:p@ss@proxy:3128": "", "HTTP_PROXY=proxy:3128": "", "HTTPS_PROXY=socks5://u:p@proxy": "", "RESTIC_REPOSITORY=s3:https://h:9000/b@cket": "",
		"RESTIC_REPOSITORY=rest:http+unix:///run/rest.sock:/repo": "", "RESTIC_REPOSITORY=sftp://u@[::1]:2222//srv": "", "RESTIC_REPOSITORY=rclone:remote:a://b": "",
		"http_proxy=u:p/w@proxy":                    "http_proxy: character 6: an @ that ends no user",
		"HTTPS_PROXY=http://u:12/34@proxy":          "HTTPS_PROXY: character 15: an @ that ends no user",
		"RESTIC_REPOSITORY=rest:http://u:p%zz@h/":   "RESTIC_REPOSITORY: character 16: a % that begins no escape",
		"RESTIC_REPOSITORY=s3:https://k:s/1@h/b":    "RESTIC_REPOSITORY: character 17: an @ that ends no user",
		"WEBHOOK_URL=https://u:12/34@hooks.example": "WEBHOOK_URL: character 16: an @ that ends no user",
	} {
		_, err := loadConfig([]string{variable}, nil, nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), "configuration: "+want)) {
			t.Errorf("%s: %v, want %s", variable, err, want)
		}
	}
}
