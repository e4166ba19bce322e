package mysql

import (
	"bytes"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// A dump that is not as its manifest says is found before anything is changed, where it is read to
// its end first.
func TestVerifyCompares(t *testing.T) {
	l, err := NewLoader(LoadConfig{Server: Server{Host: "127.0.0.1", Port: 1, User: "nobody"}, Database: "none"})
	if err != nil {
		t.Fatal(err)
	}
	my := &testMySQL{family: server.MariaDB}
	sql := "CREATE TABLE `t` (`a` INT PRIMARY KEY);\nINSERT INTO `t` (`a`) VALUES\n(1),\n(2);\nINSERT INTO `t` (`a`) VALUES\n(3);\n"
	for _, tt := range []struct {
		manifest dump.Manifest
		want     string
	}{
		{dump.Manifest{tableOf("`t`", "(3)", "(2)", "(1)")}, ""},
		{dump.Manifest{tableOf("`t`", "(1)")}, "table `t` has 3 rows, the dump's manifest says 1"},
		{dump.Manifest{tableOf("`t`", "(1)", "(2)", "(4)")}, "table `t` has other rows than the dump's manifest says"},
		{dump.Manifest{tableOf("`u`", "(1)", "(2)", "(3)")}, "table `t` is not in the dump's manifest"},
		{nil, "table `t` is not in the dump's manifest"},
	} {
		err := l.Verify(bytes.NewReader(my.written(t, tt.manifest, sql)))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v, want %q", tt.manifest, err, tt.want)
		}
	}
}
