package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A liar stands between a dump and its server, and changes columns of one answer, in every row.
type liar struct {
	answer  int   // to be changed, from 0; -1: none
	columns []int // of it
	lie     func(value string, array bool) string

	mu      sync.Mutex
	answers int            // seen so far
	names   map[int][]int  // by answer: columns of text that hold no more than words
	sql     map[[2]int]int // answers and columns that hold SQL: 1 parts of statements, 2 whole ones
}

// between returns a connection string through the liar.
func (l *liar) between(t *testing.T, pg *servers.PG, db string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() { ln.Close(); running.Wait() })
	running.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", net.JoinHostPort(pg.Host, strconv.Itoa(pg.Port)))
			if err != nil {
				client.Close()
				return
			}
			running.Go(func() { io.Copy(server, client); server.Close() })
			running.Go(func() { l.pass(client, server); client.Close() })
		}
	})
	return strings.Replace(pg.DSN(db), fmt.Sprintf("@%s:%d/", pg.Host, pg.Port), "@"+ln.Addr().String()+"/", 1)
}

// pass hands on what the server says.
func (l *liar) pass(client io.Writer, server io.Reader) {
	var fields []pgproto3.FieldDescription
	answer := -1
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(server, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return
		}
		message := append(head, body...)
		switch head[0] {
		case 'T':
			var d pgproto3.RowDescription
			if d.Decode(body) != nil {
				return
			}
			fields = slices.Clone(d.Fields)
			l.mu.Lock()
			answer = l.answers
			l.answers++
			l.mu.Unlock()
		case 'D':
			var row pgproto3.DataRow
			if row.Decode(body) != nil {
				return
			}
			if l.change(answer, fields, row.Values) {
				message, _ = row.Encode(nil)
			}
		}
		if _, err := client.Write(message); err != nil {
			return
		}
	}
}

// The types of columns that hold text: "char", name, text, unknown, and arrays of text and of
// "char".
var textTypes = map[uint32]bool{18: true, 19: true, 25: true, 705: true, 1009: true, 1003: true}

func (l *liar) change(answer int, fields []pgproto3.FieldDescription, values [][]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := false
	for i, v := range values {
		array := fields[i].DataTypeOID == 1009 || fields[i].DataTypeOID == 1003
		if v == nil || !textTypes[fields[i].DataTypeOID] || array && fields[i].Format != 0 {
			continue
		}
		at := [2]int{answer, i}
		switch {
		case bytes.HasPrefix(v, []byte("CREATE ")) || bytes.HasPrefix(v, []byte("SECURITY ")) || bytes.HasPrefix(v, []byte("{\"ALTER ")):
			l.sql[at] = 2
		case bytes.ContainsAny(v, " (:'") && !array:
			l.sql[at] = max(l.sql[at], 1)
		case !slices.Contains(l.names[answer], i):
			l.names[answer] = append(l.names[answer], i)
		}
		if answer == l.answer && slices.Contains(l.columns, i) {
			values[i], changed = []byte(l.lie(string(v), array)), true
		}
	}
	return changed
}

// lies are what a server that means harm would have in the place of a text.
var lies = map[string]func(string) string{
	"more":      func(s string) string { return s + ";\nCREATE TABLE public.loose ();\n\\! touch never\n-- " },
	"quoted":    func(s string) string { return s + "'\"$$;\nCREATE TABLE public.loose ();\n\\! touch never\n--" },
	"something": func(string) string { return "COPY (SELECT 1) TO PROGRAM 'touch never'" },
	"its lines": func(s string) string {
		return s + "\n-- table \"x\" rows 5 hash 0000000000000000\n\\.\n\\! touch never\n"
	},
}

// Whatever a server says where it is asked for a name, a type, an expression, a definition or a
// setting: the dump is refused, or has it as text, or leaves out what it is about. In none is it a
// statement or a command of its own.
func TestLyingServer(t *testing.T) {
	skipShort(t)
	pg := servers.Postgres(t) // the script makes roles
	db := newDB(t, pg)
	psqlLoad(t, pg, db, readFile(t, "testdata/database/objects.sql"))
	pg.Psql(t, db, `CREATE FOREIGN DATA WRAPPER liar_fdw OPTIONS (a 'b'); CREATE SERVER liar_server FOREIGN DATA WRAPPER liar_fdw OPTIONS (a 'b');
		CREATE USER MAPPING FOR PUBLIC SERVER liar_server OPTIONS (a 'b'); CREATE PUBLICATION liar_pub FOR ALL TABLES;
		CREATE TEXT SEARCH CONFIGURATION liar_conf (PARSER = default); SELECT lo_from_bytea(0, 'x')`)
	dump := func(t *testing.T, l *liar, cfg Config) (string, error) {
		l.names, l.sql = map[int][]int{}, map[[2]int]int{}
		cfg.Conn = l.between(t, pg, db)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var b bytes.Buffer
		err := newSource(t, cfg).Dump(ctx, &b)
		return b.String(), err
	}
	try := func(name, lie string, cfg Config, answer int, columns []int) {
		t.Run(fmt.Sprintf("%s/%d.%d/%s", name, answer, columns, lie), func(t *testing.T) {
			t.Parallel()
			stream, err := dump(t, &liar{answer: answer, columns: columns, lie: func(v string, array bool) string {
				if array {
					return `{"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(lies[lie]("")) + `"}`
				}
				return lies[lie](v)
			}}, cfg)
			if err == nil {
				noneLoose(t, stream)
			}
		})
	}
	databaseBegins := 0 // in a dump of a server
	for _, name := range []string{"server", "database"} {
		cfg := map[string]Config{"database": {}, "server": {Databases: []string{db}, AllDatabases: true}}[name]
		honest := &liar{answer: -1}
		if _, err := dump(t, honest, cfg); err != nil {
			t.Fatal(err)
		}
		if name == "server" {
			databaseBegins = 25
		} else {
			databaseBegins = honest.answers
		}
		for at, what := range honest.sql {
			if at[0] >= databaseBegins {
				continue
			}
			try(name, "more", cfg, at[0], []int{at[1]})
			if what == 2 {
				try(name, "something", cfg, at[0], []int{at[1]})
			}
		}
		// Of names each is looked up or compared somewhere: most lies end there.
		for answer, columns := range honest.names {
			if answer < databaseBegins {
				try(name, []string{"more", "quoted", "its lines"}[answer%3], cfg, answer, columns)
			}
		}
	}
}

// noneLoose reads a dump as psql does and fails where the lie is more than text in it.
func noneLoose(t *testing.T, stream string) {
	t.Helper()
	r := script.NewReader(strings.NewReader(stream))
	for {
		it, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("psql would meet: %v", err)
		}
		for _, bad := range []string{"CREATE TABLE public.loose", "COPY (SELECT", `-- table "x"`} {
			if strings.HasPrefix(it.Text, bad) {
				t.Fatalf("line %d is a lie: %s", it.Line, it.Text)
			}
		}
	}
}
