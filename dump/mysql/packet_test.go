package mysql

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// What a row takes is said by the dump where its own server would not take it, in it, and before
// anything is changed where it was read before; else by the error that names the row's table.
func TestRowLongerThanAPacket(t *testing.T) {
	my := testServer(t)
	from, to := my.CreateDB(t), my.CreateDB(t)
	my.Query(t, from, "CREATE TABLE before_it (a INT PRIMARY KEY); INSERT INTO before_it VALUES (1); CREATE TABLE wide (k INT PRIMARY KEY, a LONGTEXT); INSERT INTO wide VALUES (1, REPEAT('x', 17000000))")
	packet := my.Query(t, "", "SELECT @@GLOBAL.max_allowed_packet")
	set := func(value string) { my.Query(t, "", "SET GLOBAL max_allowed_packet = "+value) }
	set(fmt.Sprint(16 << 20))
	defer set(packet)
	var warnings []string
	stream := my.dump(t, Config{Databases: []string{from}, Warn: func(text string) { warnings = append(warnings, text) }})
	const needed = 17000448
	if len(warnings) != 1 || !strings.Contains(warnings[0], fmt.Sprintf("a row of %s.wide takes a max_allowed_packet of %d bytes", from, needed)) {
		t.Errorf("warnings %q", warnings)
	}
	if !bytes.Contains(stream, fmt.Appendf(nil, "\n-- a row takes a max_allowed_packet of %d bytes, of the server and of its client\n-- breaking-backups manifest\n", needed)) {
		t.Error("the dump does not say what its row takes")
	}
	refused := func(err error, begin string) {
		t.Helper()
		var short *server.PacketError
		if !errors.As(err, &short) || *short != (server.PacketError{Needed: needed, Allowed: 16 << 20}) || !regexp.MustCompile("^"+begin).MatchString(err.Error()) {
			t.Errorf("error %v, want %s …", err, begin)
		}
	}
	l := my.loader(t, LoadConfig{Database: to})
	refused(l.Load(t.Context(), bytes.NewReader(stream)), "restore: line [0-9]+: INSERT INTO `wide` [(]`k`, `a`[)] VALUES …: it takes")
	my.Query(t, to, "DROP TABLE before_it, wide")
	if err := l.Verify(bytes.NewReader(stream)); err != nil {
		t.Fatal(err)
	}
	refused(l.Load(t.Context(), bytes.NewReader(stream)), "restore: a row of the dump: it takes")
	if there := my.Query(t, to, "SHOW TABLES"); there != "" {
		t.Errorf("there is %s", there)
	}
	set(fmt.Sprint(needed))
	if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
		t.Errorf("with the packet that it takes: %v", err)
	}
}
