package mysql

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A liar stands between a server and this program, knows the protocol, and changes what queries
// return.
type liar struct {
	address Server
	mu      sync.Mutex
	seen    []lieAt // what queries were answered with, in the order of the first time
	field   lieAt
	lie     func(string) string // nil: it only looks
}

// A lieAt is a field of a kind of query's rows.
type lieAt struct {
	query string
	field int
}

func newLiar(t *testing.T, to Server) *liar {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	p := &liar{address: to}
	p.address.Port = l.Addr().(*net.TCPAddr).Port
	p.address.TLS.Mode = TLSDisabled
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(to.Port)))
			if err != nil {
				t.Error(err)
				return
			}
			queries := make(chan string, 1)
			all.Go(func() { p.ask(client, server, queries) })
			all.Go(func() { p.answer(client, server, queries) })
		}
	})
	return p
}

// ask passes on what the client sends. One query is under way at a time.
func (p *liar) ask(client, server net.Conn, queries chan<- string) {
	defer server.Close()
	for {
		packet, err := readPacket(client)
		if err != nil {
			return
		}
		if packet[3] == 0 && len(packet) > 4 && packet[4] == 3 {
			queries <- string(packet[5:])
		}
		if _, err := server.Write(packet); err != nil {
			return
		}
	}
}

// answer passes on what the server sends, and lies.
func (p *liar) answer(client, server net.Conn, queries <-chan string) {
	defer client.Close()
	// Packets are small and many: what has come together goes together.
	in, out := bufio.NewReaderSize(server, 64<<10), bufio.NewWriterSize(client, 64<<10)
	defer out.Flush()
	pass := func(change func([]byte) []byte) (byte, int, error) {
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return 0, 0, err
			}
		}
		packet, err := readPacket(in)
		if err != nil {
			return 0, 0, err
		}
		first, length := byte(0), len(packet)-4
		if length > 0 {
			first = packet[4]
		}
		if change != nil {
			packet = change(packet)
		}
		_, err = out.Write(packet)
		return first, length, err
	}
	_, _, err := pass(func(greeting []byte) []byte {
		at := 5 + bytes.IndexByte(greeting[5:], 0) + 1 + 4 + 8 + 1 + 2 + 1 + 2
		greeting[at+1] &^= 1 // results end with a packet of their own
		return greeting
	})
	for ready := false; err == nil && !ready; {
		var first byte
		if first, _, err = pass(nil); first == 0 {
			ready = true
		}
	}
	for err == nil {
		var first byte
		var length int
		if first, length, err = pass(nil); err != nil || first == 0 || first == 0xff {
			if err == nil {
				select {
				case <-queries:
				default: // another command
				}
			}
			continue
		}
		_ = length
		query := digits.ReplaceAllString(<-queries, "N")
		end := func(first byte, length int) bool { return first == 0xfe && length < 9 }
		for i := 0; i < 2 && err == nil; { // of the columns, of the rows
			change := func(b []byte) []byte { return p.row(query, b) }
			if i == 0 {
				change = nil
			}
			if first, length, err = pass(change); end(first, length) {
				i++
			} else if first == 0xff {
				break
			}
		}
	}
}

func readPacket(r io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	packet := make([]byte, 4+int(head[0])+int(head[1])<<8+int(head[2])<<16)
	copy(packet, head)
	_, err := io.ReadFull(r, packet[4:])
	return packet, err
}

// The connections of a dump that has ended may still be passing something on.

// honest ends all lies, and begins to note which fields there are.
func (p *liar) honest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lie, p.seen = nil, nil
}

// lieAbout begins to lie about one field.
func (p *liar) lieAbout(field lieAt, lie func(string) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.field, p.lie = field, lie
}

// fields are those that were noted.
func (p *liar) fields() []lieAt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

var digits = regexp.MustCompile(`[0-9]+`)

// row lies in a row of a query's result.
func (p *liar) row(query string, packet []byte) []byte {
	if len(packet) < 4+9 && packet[4] == 0xfe || packet[4] == 0xff {
		return packet
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := slices.Clone(packet[:4])
	for i, rest := 0, packet[4:]; len(rest) > 0; i++ {
		at := lieAt{query, i}
		if p.lie == nil && !slices.Contains(p.seen, at) {
			p.seen = append(p.seen, at)
		}
		if rest[0] == 0xfb {
			out, rest = append(out, 0xfb), rest[1:]
			continue
		}
		n, head := int(rest[0]), 1
		switch rest[0] {
		case 0xfc:
			n, head = int(binary.LittleEndian.Uint16(rest[1:])), 3
		case 0xfd:
			n, head = int(rest[1])|int(rest[2])<<8|int(rest[3])<<16, 4
		}
		value := string(rest[head : head+n])
		rest = rest[head+n:]
		if p.lie != nil && at == p.field {
			value = p.lie(value)
		}
		out = append(out, 0xfd, byte(len(value)), byte(len(value)>>8), byte(len(value)>>16))
		out = append(out, value...)
	}
	length := len(out) - 4
	out[0], out[1], out[2] = byte(length), byte(length>>8), byte(length>>16)
	return out
}

// lies are texts that end whatever they may stand in, and go on with a command of a client's or a
// statement.
func lies(mark string) []string {
	tail := ";\n\\! touch " + mark + "\nsystem touch " + mark + "\n\n;CREATE TABLE forged (a INT);\n-- table \"forged\" rows 9 hash 0\n-- "
	return []string{"x'" + tail, "`" + tail, "7) */ x\\'\"" + tail, "\x95\\'" + tail, "x\n" + tail}
}

// Whatever a server, or somebody between, puts in the place of an answer: no client runs a command
// of his, and no statement of his is in the dump. (What is in a program, and in a grant, is the
// server's to say.)
func TestLiar(t *testing.T) {
	my, target := newTestMySQL(servers.MariaDB(t)), newTestMySQL(servers.MariaDB(t))
	my.client(t, "", []byte("CREATE DATABASE lied; USE lied; "+liedAbout+"CREATE USER somebody@localhost IDENTIFIED BY 'x'; GRANT SELECT ON lied.* TO somebody@localhost; CREATE SERVER far FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h', PORT 3306);"))
	if my.family == server.MariaDB {
		my.Query(t, "lied", "CREATE SEQUENCE s; CREATE TABLE u (a UUID, b INET6, c INET4); INSERT INTO u VALUES (UUID(), '::1', '127.0.0.1'); CREATE ROLE r; GRANT r TO somebody@localhost")
	}
	p := newLiar(t, my.address)
	dump := func(databases []string) ([]byte, error) {
		var b bytes.Buffer
		err := my.source(t, Config{Server: p.address, Databases: databases, Jobs: 1, Position: true, Warn: func(string) {}}).Dump(t.Context(), &b)
		return b.Bytes(), err
	}
	mark := filepath.Join(t.TempDir(), "mark")
	var told []lieAt
	for _, databases := range [][]string{{"lied"}, nil} {
		p.honest()
		honest, err := dump(databases)
		if err != nil || !bytes.Equal(honest, my.dump(t, Config{Databases: databases, Position: true})) {
			t.Fatalf("through the liar as long as he does not lie: %v", err)
		}
		fields, dumps := p.fields(), 0
		for n, field := range fields {
			if slices.Contains(told, field) {
				continue
			}
			times := 1 // all would take minutes
			if strings.HasPrefix(field.query, "SHOW CREATE") || strings.HasPrefix(field.query, "SELECT `") {
				times = 3
			}
			for i := range times {
				text := lies(mark)[(n+2*i)%len(lies(mark))]
				p.lieAbout(field, func(value string) string { return []string{text, value + text, value[:len(value)/2] + text}[(n+i)%3] })
				stream, err := dump(databases)
				if err != nil {
					continue
				}
				if dumps++; bytes.Equal(stream, honest) {
					continue
				}
				if err := forged(stream); err != nil {
					t.Errorf("%q, field %d is %q: %v", field.query, field.field, text, err)
					continue
				}
				cmd := target.Command(target.Client, "--force", "--comments", "--binary-mode=0")
				cmd.Stdin = bytes.NewReader(append([]byte("DROP DATABASE IF EXISTS lied; CREATE DATABASE lied; USE lied;\n"), stream...))
				out, _ := cmd.CombinedOutput() // much of it fails
				if _, err := os.Stat(mark); err == nil {
					t.Fatalf("%q, field %d is %q: the client ran it: %s", field.query, field.field, text, out)
				}
				if target.Query(t, "", "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'forged'") != "0" {
					t.Fatalf("%q, field %d is %q: there is a table: %s", field.query, field.field, text, out)
				}
			}
		}
		told = append(told, fields...)
		t.Logf("%d fields, %d dumps that did not fail", len(fields), dumps)
		if len(fields) < 60 {
			t.Errorf("%d fields were lied about", len(fields))
		}
	}
}

const liedAbout = `CREATE TABLE t (a INT PRIMARY KEY, b DECIMAL(9,2), c DOUBLE, d DATETIME(6), e TIME, f BIT(9), g VARCHAR(20) DEFAULT 'x', h VARCHAR(20) CHARACTER SET latin1, i BLOB, j YEAR, k FLOAT,
	l ENUM('x', 'y'), m INT AS (a + 1), KEY by_b (b), CHECK (a < 100)) COMMENT 'it''s';
INSERT INTO t (a, b, c, d, e, f, g, h, i, j, k, l) VALUES (1, 1.5, 1e100, '2020-01-01', '-12:00:00', b'11', 'x''y', 'ü', x'00ff', 2020, 1.5, 'x');
CREATE VIEW v AS SELECT a, g FROM t;
CREATE PROCEDURE p() COMMENT 'x' SELECT 1;
CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1;
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 2;
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1;
`

// forged returns an error for a dump in which a client finds a command of its own, or a statement
// of the liar's.
func forged(stream []byte) error {
	for _, as := range []script.Mode{0, script.MySQL} {
		for r := script.NewReader(bytes.NewReader(stream), as); ; {
			item, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			if item.Kind == script.Comment {
				continue
			}
			if value := mode.FindSubmatch(item.Text); item.SetsMode && value != nil {
				r.SetMode(script.SQLMode(string(value[1])) | as)
			}
			if !startsWithAny(string(item.Text), "SET ", "/*!80013 SET ", "CREATE ", "ALTER ", "INSERT INTO ", "START TRANSACTION", "COMMIT", "USE ", "DO SETVAL(", "GRANT ", "DROP ROLE ", "DROP SERVER ") ||
				startsWithAny(string(item.Text), "CREATE TABLE forged") {
				return errors.New("the statement " + script.Head(string(item.Text)))
			}
		}
	}
	return nil
}

func startsWithAny(text string, list ...string) bool {
	return slices.ContainsFunc(list, func(begin string) bool { return strings.HasPrefix(text, begin) })
}
