package server

import (
	"cmp"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

// A Config says how to reach a server and who one is there.
type Config struct {
	Host     string // "" means localhost
	Port     int    // 0 means 3306
	Socket   string // the path of a Unix socket, in place of host and port
	User     string // "" means root
	Password string
	TLS      TLS
	// PublicKey is a file with the server's public key, PEM, under which a password may leave on a
	// connection that is not encrypted. "" means that it does not, but on this machine.
	PublicKey string

	// ConnectTimeout bounds the handshake, from dialling to the server's word that one is let in. 0
	// means no bound.
	ConnectTimeout time.Duration
}

// HostName names the server for people.
func (s Config) HostName() string {
	if s.Socket != "" || s.Host == "" {
		return "localhost"
	}
	return s.Host
}

// Address is the server's, for people.
func (s Config) Address() string {
	if s.Socket != "" {
		return s.HostName()
	}
	return net.JoinHostPort(s.HostName(), strconv.Itoa(cmp.Or(s.Port, 3306)))
}

// Driver is the driver's form of the settings.
func (s Config) Driver() (*mysql.Config, error) {
	cc := mysql.NewConfig()
	cc.User, cc.Passwd = s.User, s.Password
	if cc.User == "" {
		cc.User = "root"
	}
	if s.Port < 0 || s.Port > 65535 {
		return nil, fmt.Errorf("port %d: 1 to 65535 expected", s.Port)
	}
	port := s.Port
	if port == 0 {
		port = 3306
	}
	cc.Net, cc.Addr = "tcp", net.JoinHostPort(s.HostName(), strconv.Itoa(port))
	cc.Timeout = s.ConnectTimeout
	// The driver would ask the server for its own, and get no answer where sql_select_limit is 0.
	cc.MaxAllowedPacket = 1 << 30
	cc.Params = map[string]string{"sql_select_limit": "18446744073709551615"}
	cc.ConnectionAttributes = "program_name:breaking-backups"
	if s.PublicKey != "" {
		if err := pin(cc, s.PublicKey); err != nil {
			return nil, fmt.Errorf("public key: %w", err)
		}
	}
	if s.Socket != "" {
		cc.Net, cc.Addr = "unix", s.Socket
		return cc, nil
	}
	return cc, s.TLS.apply(cc, s.HostName())
}
