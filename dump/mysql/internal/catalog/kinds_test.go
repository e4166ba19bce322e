package catalog

import (
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

func TestNewerServer(t *testing.T) {
	for _, tt := range []struct {
		srv  server.Info
		want bool
	}{
		{server.Info{Family: server.MySQL, Version: server.Version{9, 7, 4}}, false},
		{server.Info{Family: server.MySQL, Version: server.Version{9, 8, 0}}, true},
		{server.Info{Family: server.MariaDB, Version: server.Version{11, 8, 9}}, false},
		{server.Info{Family: server.MariaDB, Version: server.Version{12, 0, 1}}, true},
	} {
		warned := false
		c := &Reader{Conn: &server.Conn{Info: tt.srv}, Warn: func(string) { warned = true }}
		if c.WarnOfNewer(); warned != tt.want {
			t.Errorf("%v: a warning: %v", tt.srv, warned)
		}
	}
}
