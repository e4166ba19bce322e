package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/go-sql-driver/mysql"
)

// TLS says how a connection is encrypted. A Unix socket is not.
type TLS struct {
	Mode TLSMode // "" means TLSPreferred, or TLSVerifyFull where CA is set
	CA   string  // a file of certificates to trust, PEM; "" means the system's
	Cert string  // a file with the client's certificate, PEM
	Key  string  // a file with its key, PEM
}

// A TLSMode says what is asked of a connection.
type TLSMode string

// The modes, after those of the mysql client.
const (
	TLSDisabled   TLSMode = "disabled"    // never encrypted
	TLSPreferred  TLSMode = "preferred"   // encrypted where the server can
	TLSRequired   TLSMode = "required"    // encrypted, by whomever
	TLSVerifyCA   TLSMode = "verify-ca"   // by a server with a certificate that is trusted
	TLSVerifyFull TLSMode = "verify-full" // and that is made out to the host
)

// apply sets what of cc concerns TLS.
func (t TLS) apply(cc *mysql.Config, host string) error {
	mode := t.Mode
	if mode == "" {
		mode = TLSPreferred
		if t.CA != "" {
			mode = TLSVerifyFull
		}
	}
	if mode == TLSDisabled {
		return nil
	}
	// Servers make themselves a certificate that nobody signed; who does not name a CA gets
	// encryption, as from the mysql client, and no more.
	cc.TLS = &tls.Config{ServerName: host, InsecureSkipVerify: true}
	if (t.Cert == "") != (t.Key == "") {
		return errors.New("TLS: a client's certificate and its key go together")
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		cc.TLS.Certificates = []tls.Certificate{pair}
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		cc.TLS.RootCAs = x509.NewCertPool()
		if !cc.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("TLS: %s holds no certificate", t.CA)
		}
	}
	switch mode {
	case TLSPreferred:
		cc.AllowFallbackToPlaintext = true
	case TLSRequired:
	case TLSVerifyCA:
		cc.TLS.VerifyConnection = verifyChain(cc.TLS)
	case TLSVerifyFull:
		cc.TLS.InsecureSkipVerify = false
	default:
		return fmt.Errorf("TLS mode %q: disabled, preferred, required, verify-ca or verify-full expected", mode)
	}
	return nil
}

// verifyChain checks that the server's certificate is trusted, whomever it is made out to.
func verifyChain(c *tls.Config) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: c.RootCAs, Intermediates: x509.NewCertPool()}
		for _, cert := range s.PeerCertificates[1:] {
			opts.Intermediates.AddCert(cert)
		}
		_, err := s.PeerCertificates[0].Verify(opts)
		return err
	}
}
