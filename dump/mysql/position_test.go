package mysql

import (
	"bytes"
	"regexp"
	"testing"
)

func TestPosition(t *testing.T) {
	my := testServer(t)
	db := my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE t (a INT PRIMARY KEY)")
	for _, jobs := range []int{1, 3} {
		stream := my.dump(t, Config{Databases: []string{db}, Position: true, Jobs: jobs})
		if !regexp.MustCompile(`\n-- position of the binary log: "binlog\.0+[0-9]+" [0-9]+ "`).Match(stream) {
			t.Errorf("by %d connections: no position in\n%s", jobs, stream)
		}
		if err := my.load(t, LoadConfig{Database: my.CreateDB(t)}, stream); err != nil {
			t.Error(err)
		}
	}
	if bytes.Contains(my.dump(t, Config{Databases: []string{db}}), []byte("position")) {
		t.Error("a position that nobody asked for")
	}
}
