package server

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A pretender is between us and a server, says that it has no TLS, and wants the password.
type pretender struct {
	key    *rsa.PrivateKey
	plugin string // that it says the user has
	early  bool   // it asks for the password with its greeting
}

// serve pretends once, and returns the password if it got it.
func (p pretender) serve(c net.Conn) string {
	defer c.Close()
	salt := []byte("abcdefghijklmnopqrst")
	greeting := "\x0a9.7.0\x00\x01\x00\x00\x00" + string(salt[:8]) + "\x00\x00\x82\xff\x02\x00\x08\x00\x15" + strings.Repeat("\x00", 10) + string(salt[8:]) + "\x00" + p.plugin + "\x00"
	send := func(seq byte, payload string) {
		c.Write(append([]byte{byte(len(payload)), byte(len(payload) >> 8), 0, seq}, payload...))
	}
	text, err := x509.MarshalPKIXPublicKey(&p.key.PublicKey)
	if err != nil {
		return ""
	}
	key := "\x01" + string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text}))
	send(0, greeting)
	ask := key
	if p.plugin == "caching_sha2_password" {
		ask = "\x01\x04"
	}
	if p.early {
		send(2, ask)
	}
	if _, err := nextPacket(c); err != nil {
		return ""
	}
	if !p.early {
		send(2, ask)
	}
	for {
		packet, err := nextPacket(c)
		if err != nil {
			return ""
		}
		if len(packet) == 5 && packet[4] == 2 { // which key?
			send(packet[3]+1, key)
			continue
		}
		if password, err := rsa.DecryptOAEP(sha1.New(), nil, p.key, packet[4:], nil); err == nil {
			for i := range password {
				password[i] ^= salt[i%len(salt)]
			}
			return strings.TrimSuffix(string(password), "\x00")
		}
		return ""
	}
}

// awayConn is a connection that says that it is to another machine.
type awayConn struct{ net.Conn }

func (awayConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 3306} }

func dialAway(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	return awayConn{c}, err
}

// Whoever is between us and another machine does not get the password by saying that there is no
// TLS.
func TestNoPasswordInTheClear(t *testing.T) {
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKIXPublicKey(&own.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "public_key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text}), 0o600); err != nil {
		t.Fatal(err)
	}
	const caching, sha256 = "caching_sha2_password", "sha256_password"
	for name, tt := range map[string]struct {
		pretender
		mode   TLSMode
		pinned string
		near   bool
		got    string // the password that it gets
		err    error
	}{
		"no key":                            {pretender: pretender{theirs, caching, false}, err: ErrNoKey},
		"no key, the older method":          {pretender: pretender{theirs, sha256, false}, err: ErrNoKey},
		"asked before we answer":            {pretender: pretender{theirs, caching, true}, err: ErrNoKey},
		"the older method, before":          {pretender: pretender{theirs, sha256, true}, err: ErrNoKey},
		"without TLS, as it was said":       {pretender: pretender{theirs, caching, false}, mode: TLSDisabled, err: ErrNoKey},
		"another's key":                     {pretender: pretender{theirs, caching, false}, pinned: file},
		"another's key, in the older":       {pretender: pretender{theirs, sha256, false}, pinned: file, err: ErrNoKey},
		"the server's key":                  {pretender: pretender{own, caching, false}, pinned: file, got: "s3cret"},
		"on this machine":                   {pretender: pretender{theirs, caching, false}, near: true, got: "s3cret"},
		"the older method, on this machine": {pretender: pretender{theirs, sha256, false}, near: true, got: "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var got []string
			var all sync.WaitGroup
			all.Go(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					password := tt.serve(c)
					mu.Lock()
					got = append(got, password)
					mu.Unlock()
				}
			})
			cc, err := Config{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Password: "s3cret", TLS: TLS{Mode: tt.mode}, PublicKey: tt.pinned}.Driver()
			if err != nil {
				t.Fatal(err)
			}
			if !tt.near {
				cc.DialFunc = dialAway
			}
			conn, err := Connect(t.Context(), cc)
			if err == nil {
				conn.Close()
			}
			l.Close()
			all.Wait()
			if tt.early && err != nil {
				tt.err = err // the driver may see it first
			}
			if err == nil || tt.err != nil && !errors.Is(err, tt.err) || tt.err == nil && errors.Is(err, ErrNoKey) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if len(got) == 0 || got[0] != tt.got {
				t.Errorf("it got %q, want %q", got, tt.got)
			}
		})
	}
}

// nextPacket reads a packet of the protocol, with its head.
func nextPacket(r io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	packet := make([]byte, 4+int(head[0])+int(head[1])<<8+int(head[2])<<16)
	copy(packet, head)
	_, err := io.ReadFull(r, packet[4:])
	return packet, err
}
