package mysql

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A certificate of a test's own authority, in files.
type certificate struct {
	cert, key string
	x509      *x509.Certificate
	private   *ecdsa.PrivateKey
}

// certify makes a certificate that issuer signs, or signs itself as an authority's.
func certify(t *testing.T, dir, name string, issuer *certificate) certificate {
	t.Helper()
	c := certificate{cert: filepath.Join(dir, name+".pem"), key: filepath.Join(dir, name+"-key.pem")}
	var err error
	if c.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: issuer == nil,
	}
	parent, signer := template, c.private
	if issuer != nil {
		parent, signer = issuer.x509, issuer.private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &c.private.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if c.x509, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(c.private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{c.cert: {Type: "CERTIFICATE", Bytes: der}, c.key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestTLS(t *testing.T) {
	testServer(t) // skips where there is none to be
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} { // the server has another account
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ca := certify(t, dir, "ca", nil)
	own, person, stranger := certify(t, dir, "server", &ca), certify(t, dir, "person", &ca), certify(t, dir, "stranger", nil)
	my := newTestMySQL(servers.MariaDB(t, "--ssl-ca="+ca.cert, "--ssl-cert="+own.cert, "--ssl-key="+own.key))
	db := my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1)")
	asker := my.user(t, "ALL ON *.*")
	my.Query(t, "", "ALTER USER "+quote.Literal(asker.User)+"@'127.0.0.1' REQUIRE X509")

	for name, c := range map[string]struct {
		host string
		user Server
		tls  TLS
		want string // of the error; "": an encrypted connection, "plain": one that is not
	}{
		"disabled":                          {tls: TLS{Mode: TLSDisabled}, want: "plain"},
		"preferred":                         {},
		"required":                          {tls: TLS{Mode: TLSRequired}},
		"the authority":                     {tls: TLS{CA: ca.cert}},
		"the authority, another name":       {host: "localhost", tls: TLS{CA: ca.cert}, want: "localhost"},
		"the authority, whatever the name":  {host: "localhost", tls: TLS{Mode: TLSVerifyCA, CA: ca.cert}},
		"another authority":                 {tls: TLS{CA: stranger.cert}, want: "unknown authority"},
		"another, whatever the name":        {tls: TLS{Mode: TLSVerifyCA, CA: stranger.cert}, want: "unknown authority"},
		"those of the system":               {tls: TLS{Mode: TLSVerifyFull}, want: "unknown authority"},
		"a person with a certificate":       {user: asker, tls: TLS{CA: ca.cert, Cert: person.cert, Key: person.key}},
		"a person without":                  {user: asker, tls: TLS{CA: ca.cert}, want: "Access denied"},
		"a certificate without its key":     {tls: TLS{Cert: person.cert}, want: "go together"},
		"an authority that is no such file": {tls: TLS{CA: filepath.Join(dir, "none")}, want: "no such file"},
		"an authority that is none":         {tls: TLS{CA: ca.key}, want: "holds no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			s := my.address
			if c.user.User != "" {
				s = c.user
			}
			s.TLS = c.tls
			if c.host != "" {
				s.Host = c.host
			}
			cc, err := s.Driver()
			var conn *server.Conn
			if err == nil {
				conn, err = server.Connect(t.Context(), cc)
			}
			if c.want != "" && c.want != "plain" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v does not say %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			rows, err := conn.List(t.Context(), "SHOW SESSION STATUS LIKE 'Ssl_version'")
			if err != nil || len(rows) != 1 || (rows[0]["value"] == "") != (c.want == "plain") {
				t.Errorf("%v, %v", rows, err)
			}
		})
	}

	// A dump and a restore with all that there is to verify, on several connections.
	sure := my.address
	sure.TLS = TLS{CA: ca.cert, Cert: person.cert, Key: person.key}
	stream, restored := my.dump(t, Config{Server: sure, Databases: []string{db}}), my.CreateDB(t)
	if err := my.load(t, LoadConfig{Server: sure, Database: restored}, stream); err != nil {
		t.Fatal(err)
	}
	if again := my.dump(t, Config{Databases: []string{restored}}); !bytes.Equal(stream, again) {
		t.Errorf("restored:\n%s", again)
	}
}
