package server

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noVariables unsets libpq's variables, and has home be an empty folder.
func noVariables(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	for _, variable := range Variables {
		t.Setenv(variable, "")
		os.Unsetenv(variable)
	}
	t.Setenv("HOME", home)
	t.Setenv("PGHOST", "db.example")
	return home
}

// Each of libpq's variables is taken, or told by its name before anything is contacted.
func TestVariables(t *testing.T) {
	home := noVariables(t)
	services := filepath.Join(home, "services")
	if err := os.WriteFile(services, []byte("[good]\nhost=other\nkeepalives=1\nssl_min_protocol_version=TLSv1.3\n[bad]\nsslmode=required\n[lax]\nsslcrl=/crl\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ set, want string }{
		{"PGPORT=abc", `PGPORT: want a number from 1 to 65535, got "abc"`},
		{"PGPORT=0", "PGPORT: want a number"},
		{"PGPORT=5432,5433 PGHOST=a,b", ""},
		{"PGSSLMODE=required", `PGSSLMODE: want disable, allow, prefer, require, verify-ca or verify-full, got "required"`},
		{"PGSSLMODE=required PGPORT=abc", "PGPORT: want a number from 1 to 65535, got \"abc\"; PGSSLMODE: want disable"},
		{"PGCONNECT_TIMEOUT=10s", `PGCONNECT_TIMEOUT: want a whole number of seconds, 0 or more, got "10s"`},
		{"PGCONNECT_TIMEOUT=10", ""},
		{"PGSSLROOTCERT=/nowhere/ca.pem", "PGSSLROOTCERT: want the path of a file: no such file"},
		{"PGSSLROOTCERT=/nowhere/ca.pem PGSSLMODE=disable", ""},
		{"PGSSLCERT=/nowhere/c PGSSLKEY=/nowhere/k", "PGSSLKEY: want the path of a file"},
		{"PGSSLNEGOTIATION=fast", "PGSSLNEGOTIATION: want postgres or direct"},
		{"PGSSLSNI=yes", "PGSSLSNI: want 0 or 1"},
		{"PGSSLCERTMODE=", ""},
		{"PGSSLCERTMODE=never", "PGSSLCERTMODE: want disable, allow or require"},
		{"PGTARGETSESSIONATTRS=master", "PGTARGETSESSIONATTRS: want any, read-write"},
		{"PGCHANNELBINDING=yes", "PGCHANNELBINDING: want disable, prefer or require"},
		{"PGREQUIREAUTH=scram", `PGREQUIREAUTH: want methods out of password, md5`},
		{"PGREQUIREAUTH=!password,!md5", ""},
		{"PGMINPROTOCOLVERSION=4", "PGMINPROTOCOLVERSION: want 3.0, 3.2 or latest"},
		{"PGHOST=db:5433", `PGHOST: host and port in one, "db:5433"; want db, and PGPORT=5433`},
		{"PGHOST=a,::1,/run/pg:1", ""},
		{"PGSERVICE=good PGSERVICEFILE=" + services, ""},
		{"PGSERVICE=bad PGSERVICEFILE=" + services, `PGSERVICE: sslmode: want disable`},
		{"PGSERVICE=lax PGSERVICEFILE=" + services, `PGSERVICE: sslcrl: lists of revoked certificates are not supported`},
		{"PGSERVICE=none PGSERVICEFILE=" + services, `PGSERVICE: there is no service "none" in ` + services},
		{"PGSERVICE=none", `PGSERVICE: the file of services, ` + home + "/.pg_service.conf (PGSERVICEFILE): no such file"},

		{"PGGSSENCMODE=require", "PGGSSENCMODE: encryption by GSSAPI is not supported by this program"},
		{"PGGSSENCMODE=prefer", ""},
		{"PGGSSENCMODE=on", "PGGSSENCMODE: want disable, prefer or require"},
		{"PGREQUIRESSL=1", "PGREQUIRESSL: of old, and not supported by this program; want it unset; what it says is PGSSLMODE=require"},
		{"PGREQUIRESSL=0", ""},
		{"PGREQUIRESSL=1 PGSSLMODE=verify-full", ""},
		{"PGSSLCRL=/crl", "PGSSLCRL: lists of revoked certificates are not supported"},
		{"PGSSLCRLDIR=/crl", "PGSSLCRLDIR: lists of revoked certificates are not supported"},
		{"PGSSLCRL=/crl PGSSLMODE=disable", ""},
		{"PGSSLCRLDIR=/crl PGHOST=/run/pg", ""},
		{"PGSSLCRL=/crl PGHOST=/run/pg,db", "PGSSLCRL: lists of revoked certificates are not supported"},
		{"PGREQUIREPEER=postgres", ""},
		{"PGREQUIREPEER=postgres PGHOST=/run/pg", "PGREQUIREPEER: to look at who runs the server is not supported"},
		{"PGREQUIREPEER=postgres PGHOST=", "PGREQUIREPEER: to look at who runs the server is not supported"},
		{"PGREQUIREPEER=postgres PGHOST=db,/run/pg", "PGREQUIREPEER: to look at who runs the server is not supported"},
		{"PGHOSTADDR=10.0.0.1", "PGHOSTADDR: not supported by this program"},
		{"PGSSLMINPROTOCOLVERSION=1.3", "PGSSLMINPROTOCOLVERSION: want TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"},
		{"PGSSLMINPROTOCOLVERSION=tlsv1.2 PGSSLMAXPROTOCOLVERSION=TLSV1.3", ""},
		{"PGSSLMINPROTOCOLVERSION=tlsv1.3 PGSSLMAXPROTOCOLVERSION=TLSv1.2", "PGSSLMINPROTOCOLVERSION: newer than PGSSLMAXPROTOCOLVERSION"},
		{"PGSSLMODE=Require", "PGSSLMODE: want disable"}, // whose case counts
		{"PGSSLMINPROTOCOLVERSION=TLSv1.3 PGSSLMAXPROTOCOLVERSION=TLSv1.2", "PGSSLMINPROTOCOLVERSION: newer than PGSSLMAXPROTOCOLVERSION"},
		{"PGLOADBALANCEHOSTS=random PGGEQO=off PGTZ=UTC PGCLIENTENCODING=LATIN1", ""},
	} {
		t.Run(tt.set, func(t *testing.T) {
			for set := range strings.FieldsSeq(tt.set) {
				name, value, _ := strings.Cut(set, "=")
				t.Setenv(name, value)
			}
			_, err := ParseConfig("", "", "", 0, nil)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
				t.Errorf("%v, want %s", err, tt.want)
			}
			if one, all := new(SettingError), SettingErrors(nil); err != nil && !errors.As(err, &one) && !errors.As(err, &all) {
				t.Errorf("%T", err)
			}
		})
	}
}

// libpq looks for a list of revoked certificates by itself, where it checks any.
func TestRevocationList(t *testing.T) {
	home := noVariables(t)
	if err := os.Mkdir(filepath.Join(home, ".postgresql"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".postgresql", "root.crl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[string]string{"require": "", "verify-full": "PGSSLCRL: the default file " + home} {
		_, err := ParseConfig("sslmode="+mode, "", "", 0, nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", mode, err, want)
		}
	}
}

// What a service says and libpq does not look at does not reach the server, which would not know
// it.
func TestServicePassedOver(t *testing.T) {
	home := noVariables(t)
	if err := os.WriteFile(filepath.Join(home, ".pg_service.conf"), []byte("[app]\nsslcrl=/crl\nrequirepeer=me\nsslmode=disable\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cc, err := ParseConfig("service=app", "", "", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range cc.RuntimeParams {
		if name != "application_name" {
			t.Errorf("the server is told %s=%s", name, value)
		}
	}
}

// libpq's own files are elsewhere on Windows.
func TestDefaultPath(t *testing.T) {
	for name, want := range map[string][2]string{
		".pgpass":          {"/home/.pgpass", "/home/postgresql/pgpass.conf"},
		".pg_service.conf": {"/home/.pg_service.conf", "/home/postgresql/.pg_service.conf"},
		"root.crl":         {"/home/.postgresql/root.crl", "/home/postgresql/root.crl"},
	} {
		if linux, windows := defaultPath("linux", "/home", name), defaultPath("windows", "/home", name); linux != want[0] || windows != want[1] {
			t.Errorf("%s: %s, %s", name, linux, windows)
		}
	}
}

// A part of the connection string goes before a variable that says nothing usable.
func TestConnBeforeVariables(t *testing.T) {
	noVariables(t)
	t.Setenv("PGSSLMODE", "required")
	if _, err := ParseConfig("sslmode=disable", "", "", 0, nil); err != nil {
		t.Error(err)
	}
	for conn, want := range map[string]string{
		"postgres://h/d?sslmode=s3cret": "character 16: sslmode: want disable", "host=h gssencmode=require": "character 8: gssencmode: encryption by GSSAPI", "host=s3cret:1": "character 1: host: want a host's name",
	} {
		if _, err := ParseConn(conn, nil); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %s", conn, err, want)
		}
	}
}

func TestTLSVersions(t *testing.T) {
	noVariables(t)
	t.Setenv("PGSSLMINPROTOCOLVERSION", "tlsv1.3")
	cc, err := ParseConfig("", "", "", 0, nil)
	if err != nil || cc.TLSConfig.MinVersion != tls.VersionTLS13 || cc.RuntimeParams["ssl_min_protocol_version"] != "" {
		t.Errorf("%v, %+v", err, cc)
	}
	cc, err = ParseConfig("ssl_min_protocol_version=TLSv1.2 ssl_max_protocol_version=TLSv1.2 sslmode=require", "", "", 0, nil)
	if err != nil || cc.TLSConfig.MinVersion != tls.VersionTLS12 || cc.TLSConfig.MaxVersion != tls.VersionTLS12 {
		t.Errorf("%v, %+v", err, cc)
	}
}

// Without a host it is the socket that is there when a connection is made; until then nobody needs
// one.
func TestNoHost(t *testing.T) {
	noVariables(t)
	t.Setenv("PGHOST", "")
	folder, kept := t.TempDir(), socketFolders
	socketFolders = []string{"/nowhere", folder}
	defer func() { socketFolders = kept }()
	cc, err := ParseConfig("port=5433 user=me", "", "", 0, nil)
	if err != nil || HostName(cc.Host) != "localhost" {
		t.Fatalf("%v, %+v", err, cc)
	}
	var setting *SettingError
	_, _, err = Connect(t.Context(), cc, "", ForReading(0))
	if want := "connect: PGHOST: not set, and there is no socket of a server here (/nowhere/.s.PGSQL.5433)"; err == nil || !strings.HasPrefix(err.Error(), want) || !errors.As(err, &setting) {
		t.Errorf("%v, want %s", err, want)
	}
	socket, err := net.Listen("unix", filepath.Join(folder, ".s.PGSQL.5433"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	conn, err := cc.DialFunc(t.Context(), "unix", "/nowhere/.s.PGSQL.5433")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if path := conn.RemoteAddr().String(); path != socket.Addr().String() {
		t.Errorf("connected to %s", path)
	}
}
