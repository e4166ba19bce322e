package server

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func TestHost(t *testing.T) {
	for _, test := range []struct {
		server Config
		want   string
	}{
		{Config{}, "localhost"},
		{Config{Host: "db.example.org"}, "db.example.org"},
		{Config{Host: "db.example.org", Port: "27018"}, "db.example.org"},
		{Config{Host: "/tmp/mongodb-27017.sock"}, "localhost"},
		{Config{Host: "::1"}, "::1"},
		{Config{URI: "mongodb://db.example.org"}, "db.example.org"},
		{Config{URI: "mongodb://db.example.org:27018/app?replicaSet=rs0"}, "db.example.org"},
		{Config{URI: "mongodb://u:p%40@a.example.org:1,b.example.org:2/?tls=true"}, "a.example.org"},
		{Config{URI: "mongodb://[::1]:27018/"}, "::1"},
		{Config{URI: "mongodb://%2Ftmp%2Fmongodb-27017.sock/app"}, "localhost"},
		{Config{URI: "mongodb+srv://u:p@cluster.example.org/?retryWrites=true"}, "cluster.example.org"},
	} {
		if got := test.server.HostName(); got != test.want {
			t.Errorf("%+v: host %q, want %q", test.server, got, test.want)
		}
		if err := test.server.Check(); err != nil {
			t.Errorf("%+v: %v", test.server, err)
		}
	}
}

func TestMember(t *testing.T) {
	opts := options.Client().ApplyURI("mongodb://u:p@a:1,b:2/?replicaSet=rs0&tls=true&readPreference=secondary&compressors=zstd")
	alone := member(opts, "b:2")
	if err := alone.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(alone.Hosts) != 1 || alone.Hosts[0] != "b:2" || !*alone.Direct || alone.Auth.Password != "p" || alone.TLSConfig == nil || *alone.ReplicaSet != "rs0" || len(alone.Compressors) != 1 {
		t.Errorf("%+v", alone)
	}
	if len(opts.Hosts) != 2 || opts.Direct != nil {
		t.Errorf("what it was made of has changed: %+v", opts)
	}
}

// A user of our own settings keeps what the URI says of how users are known.
func TestCredentials(t *testing.T) {
	for _, test := range []struct {
		server Config
		want   options.Credential
	}{
		{Config{User: "u", Password: "p"}, options.Credential{AuthSource: "admin"}},
		{Config{URI: "mongodb://x:y@h/?authMechanism=PLAIN&authSource=$external", User: "u", Password: "p"}, options.Credential{AuthMechanism: "PLAIN", AuthSource: "$external"}},
		{Config{URI: "mongodb://x:y@h/?authSource=people", User: "u", Password: "p"}, options.Credential{AuthSource: "people"}},
		{Config{URI: "mongodb://x:y@h/?authSource=people", User: "u", Password: "p", AuthDatabase: "app"}, options.Credential{AuthSource: "app"}},
	} {
		opts, err := test.server.options()
		if err != nil {
			t.Fatal(err)
		}
		got := *opts.Auth
		if got.Username != "u" || got.Password != "p" || got.AuthSource != test.want.AuthSource || got.AuthMechanism != test.want.AuthMechanism {
			t.Errorf("%+v: %+v", test.server, got)
		}
	}
}

// A connection that waits between two answers of a cursor stays, as some servers' cursors go with
// it.
func TestConnectionsStay(t *testing.T) {
	opts, err := Config{URI: "mongodb://127.0.0.1/?maxIdleTimeMS=1"}.options()
	if err != nil || opts.MaxConnIdleTime != nil {
		t.Errorf("%v, %v", opts.MaxConnIdleTime, err)
	}
}
