package mysql

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Vectors are younger than the oldest servers: where there are none there is nothing to hold.
func TestVectors(t *testing.T) {
	my := testServer(t)
	c, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	index, from := ", VECTOR KEY nearest (e)", "VEC_FromText"
	switch {
	case c.AtLeast(server.MariaDB, server.Version{11, 7, 0}):
	case c.AtLeast(server.MySQL, server.Version{9, 0, 0}):
		index, from = "", "STRING_TO_VECTOR"
	default:
		t.Logf("%s %s has no vectors", c.Family, c.Version)
		return
	}
	db, byClient, natively := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	my.Query(t, db, "CREATE TABLE v (id INT PRIMARY KEY, x INT, e VECTOR(3) NOT NULL, KEY (x)"+index+"); INSERT INTO v VALUES (1, 5, "+from+"('[0.1,-2.5,3e10]')), (2, 7, "+from+"('[0,1,1e-5]'))")
	stream := my.dump(t, Config{Databases: []string{db}})
	my.client(t, byClient, stream)
	if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatal(err)
	}
	for _, restored := range []string{byClient, natively} {
		if again := my.dump(t, Config{Databases: []string{restored}}); !bytes.Equal(stream, again) {
			t.Errorf("restored (-original +restored):\n%s", cmp.Diff(lines(string(stream)), lines(string(again))))
		}
		if diff := cmp.Diff(lines(my.mysqldump(t, db)), lines(my.mysqldump(t, restored))); diff != "" {
			t.Errorf("to mysqldump (-original +restored):\n%s", diff)
		}
	}
}
