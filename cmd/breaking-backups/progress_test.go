//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A restore has a bar on a terminal, below the lines of the log, and none in the end.
func TestRestoreHasABar(t *testing.T) {
	pg, db, env := dumpedDB(t)
	pg.Psql(t, db, "INSERT INTO t SELECT repeat(md5(i::text), 30) FROM generate_series(1, 10000) i")
	var said lines
	if code := run(t.Context(), []string{"dump", "--output", "one.sql"}, env, nil, &said, &said); code != 0 {
		t.Fatal(said.String())
	}
	dumped, err := os.ReadFile("one.sql")
	mustDo(t, err)
	copied := pg.CreateDB(t)
	term, ended, stdin := newTTY(t, 80), make(chan int, 1), newSlowFile(dumped)
	go func() {
		ended <- run(t.Context(), []string{"restore", "--file", "-", "--database", copied}, env, stdin, &said, term.File)
	}()
	bar := regexp.MustCompile(`\r\x1b\[Krestoring \d+\.\d\d MB \d+\.\ds `)
	if !poll(time.Minute, func() bool { stdin.more(64 << 10); return bar.MatchString(term.screen.String()) }) {
		t.Fatalf("there is no bar:\n%q", term.screen)
	}
	stdin.more(len(dumped))
	if code := <-ended; code != 0 || !strings.Contains(said.String(), "restored stdin into database "+copied) {
		t.Errorf("exit code %d\n%s%s", code, said.String(), term.screen)
	}
	if !poll(time.Minute, func() bool { return strings.HasSuffix(term.screen.String(), "\r\x1b[K") }) {
		t.Errorf("the bar is not taken away:\n%q", term.screen)
	}
	for line := range strings.Lines(term.screen.String()) {
		if bar.MatchString(line) && strings.HasSuffix(line, "\n") && !strings.Contains(line[strings.LastIndex(line, "\r\x1b[K"):], " INF ") {
			t.Errorf("a line of the log and the bar garble each other: %q", line)
		}
	}
}

// While an index is built no rows pass. The bar then says how many are, and for how long it has
// stood. Here an index is built for as long as somebody holds a lock that its function asks for.
func TestBarSaysWhatIsBuilt(t *testing.T) {
	pg, db, env := dumpedDB(t)
	pg.Psql(t, db, `
		CREATE FUNCTION held(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
			IF n = 1 THEN PERFORM pg_catalog.pg_advisory_lock_shared(17); END IF;
			RETURN n;
		END $$;
		CREATE TABLE large AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, 5000) n;
		CREATE INDEX ON large (held(n))`)
	var said lines
	if code := run(t.Context(), []string{"dump", "--output", "one.sql"}, env, nil, &said, &said); code != 0 {
		t.Fatal(said.String())
	}
	copied := pg.CreateDB(t)
	holder, err := pgx.Connect(t.Context(), pg.DSN(copied))
	mustDo(t, err)
	defer holder.Close(context.Background())
	_, err = holder.Exec(t.Context(), "SELECT pg_catalog.pg_advisory_lock(17)")
	mustDo(t, err)
	term, ended := newTTY(t, 120), make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"restore", "--file", "one.sql", "--database", copied, "--restore-jobs", "2"}, env, nil, &said, term.File)
	}()
	stands := regexp.MustCompile(`\r\x1b\[Krestoring \d+\.\d\d MB of \d.*indexes and keys, 0 of 1, [1-9]\d*s`)
	if !poll(time.Minute, func() bool { return stands.MatchString(term.screen.String()) }) {
		t.Errorf("the bar does not say what is built:\n%q", term.screen)
	}
	_, err = holder.Exec(t.Context(), "SELECT pg_catalog.pg_advisory_unlock(17)")
	mustDo(t, err)
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d\n%s", code, term.screen)
	}
}

// slowFile is read only as far as it is let.
type slowFile struct {
	*io.PipeReader
	w    *io.PipeWriter
	rest *bytes.Reader
}

func newSlowFile(text []byte) *slowFile {
	r, w := io.Pipe()
	return &slowFile{r, w, bytes.NewReader(text)}
}

// more lets n more bytes be read, and the end behind the last one.
func (f *slowFile) more(n int) {
	if _, err := io.CopyN(f.w, f.rest, int64(n)); err != nil {
		_ = f.w.CloseWithError(err) // io.EOF
	}
}
