package mysql

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDelimitersInPrograms dumps text that is full of what ends a statement.
func TestDelimitersInPrograms(t *testing.T) {
	my := testServer(t)
	db, byClient, natively := my.CreateDB(t), my.CreateDB(t), my.CreateDB(t)
	conn, err := my.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, sql := range []string{
		"USE " + db,
		"CREATE PROCEDURE short() SELECT ';', '//'",
		"CREATE PROCEDURE many() BEGIN SELECT ';;;;;;;;;;;;;;;;;;;;', '//', '$$'; SELECT 2; END",
		"CREATE PROCEDURE `na;;me`() BEGIN SELECT 1; END",
	} {
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	stream := my.dump(t, Config{Databases: []string{db}})
	my.client(t, byClient, stream)
	if err := my.load(t, LoadConfig{Database: natively}, stream); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{byClient, natively} {
		if diff := cmp.Diff(lines(my.mysqldump(t, db)), lines(my.mysqldump(t, other))); diff != "" {
			t.Errorf("-dumped +loaded:\n%s", diff)
		}
	}
}
