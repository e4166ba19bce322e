package mongo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/dumptest"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/definition"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// TestConformance holds this engine to what every engine promises, and against mongodump and
// mongorestore.
func TestConformance(t *testing.T) {
	testServer(t)
	dumptest.Run(t, dumptest.Suite[*testDB]{
		New: newTestDB,
		Source: func(t *testing.T, db *testDB, jobs int, told func(dump.Table)) dump.Source {
			src, err := NewSource(Config{Server: db.server(t), Database: db.name, AllowEmpty: true, Jobs: jobs, Table: told, Warn: func(s string) { t.Log("warning:", s) }})
			if err != nil {
				t.Fatal(err)
			}
			return renamed{src, db.name}
		},
		Loader: func(t *testing.T, db *testDB, o dumptest.Options) dumptest.Loader {
			l, err := NewLoader(LoadConfig{
				Server: db.server(t), Database: db.name, Jobs: o.Jobs, Clean: o.Clean, Include: o.Part.Tables, Exclude: o.Part.ExcludeTables, Refused: o.Refused, Into: o.Into, Warn: o.Warn,
			})
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
		Verify: Verify,
		Items:  Items,
		Form:   "mongo",
		Contents: func(t *testing.T, stream []byte) *dump.Contents {
			// As it is at the end of a compressed dump.
			contents := contentsRead(t, stream)
			again, err := dump.ParseContents(contents.Encode())
			if diff := cmp.Diff(contents, again); err != nil || diff != "" {
				t.Errorf("the contents do not come back (-written +read): %v\n%s", err, diff)
			}
			return again
		},
		ByTool: mongorestore,
		Same: func(t *testing.T, original, restored *testDB) {
			if diff := cmp.Diff(mongodump(t, original), mongodump(t, restored)); diff != "" {
				t.Errorf("mongodump tells the restored database from the original (-original +restored):\n%s", diff)
			}
		},
		Sessions: func(_ *testing.T, db *testDB) int { return int(db.door.open.Load()) },
		Kill:     func(_ context.Context, db *testDB) error { db.door.cut(); return nil },
		Pattern:  strings.NewReplacer(`\`, `\\`, "*", `\*`).Replace,
		SameTable: func(t *testing.T, original, restored *testDB, table string) {
			name := strings.TrimPrefix(table, "suite.")
			if diff := cmp.Diff(mongodump(t, original)[name], mongodump(t, restored)[name]); diff != "" {
				t.Errorf("mongodump tells the restored collection from the original (-original +restored):\n%s", diff)
			}
		},
		NoHalves: "a collection's definition comes with its documents",
		Cases:    cases(t),
		// FerretDB takes what another of its databases has taken. What a scripted server refuses is
		// in goeson_test.go.
		Refusing: nil,
		Ledger:   ledger(),
	})
}

// A renamed source's database has in the archive the same name as every other: all of them are on
// one server.
type renamed struct {
	dump.Source
	name string
}

func (r renamed) Dump(ctx context.Context, w io.Writer) error {
	pr, pw := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := renameArchive(pr, w, r.name, "suite")
		pr.CloseWithError(err)
		done <- err
	}()
	err := r.Source.Dump(ctx, pw)
	pw.CloseWithError(err)
	if failed := <-done; err == nil {
		err = failed
	}
	return err
}

// renameArchive copies an archive with another name for a database.
func renameArchive(r io.Reader, w io.Writer, from, to string) error {
	in, err := archive.NewReader(r)
	if err != nil {
		return err
	}
	p := *in.Prelude()
	p.Collections = slices.Clone(p.Collections)
	for i := range p.Collections {
		if p.Collections[i].DB == from {
			p.Collections[i].DB = to
		}
	}
	out, err := archive.NewWriter(w, p)
	if err != nil {
		return err
	}
	for _, c := range p.Collections {
		if err := out.Begin(&c); err != nil {
			return err
		}
		for {
			block, err := in.Next()
			if err != nil {
				return err
			}
			if block.End != nil {
				break
			}
			for doc, err := in.Document(); err != io.EOF; doc, err = in.Document() {
				if err != nil {
					return err
				}
				if _, err := out.Write(doc); err != nil {
					return err
				}
			}
		}
		if err := out.End(); err != nil {
			return err
		}
	}
	if _, err = in.Next(); err != io.EOF {
		return fmt.Errorf("after the last collection: %w", err)
	}
	_, err = out.Close()
	return err
}

// mongorestore loads an archive as somebody does who has MongoDB's tools.
func mongorestore(t *testing.T, db *testDB, stream []byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), servers.MongoTool(t, "mongorestore"),
		"--uri", db.uri, "--archive", "--nsFrom", "suite.*", "--nsTo", db.name+".*", "--stopOnError", "--maintainInsertionOrder")
	cmd.Stdin = bytes.NewReader(stream)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mongorestore: %v\n%s", err, out)
	}
}

// mongodump returns what mongodump says of a database: each collection's metadata and its
// documents, sorted.
func mongodump(t *testing.T, db *testDB) map[string][]string {
	t.Helper()
	return contents(t, mongodumpArchive(t, db))
}

func mongodumpArchive(t *testing.T, db *testDB) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), servers.MongoTool(t, "mongodump"), "--uri", db.uri, "--db", db.name, "--archive")
	cmd.Stderr = &stderr
	stream, err := cmd.Output()
	if err != nil {
		t.Fatalf("mongodump: %v\n%s", err, &stderr)
	}
	return stream
}

// contents is what is in an archive: under each collection's name its metadata, without the UUID,
// and then its documents, sorted.
func contents(t *testing.T, stream []byte) map[string][]string {
	t.Helper()
	a, err := archive.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for {
		block, err := a.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if block.End != nil {
			all[block.Name] = append(all[block.Name], "") // even of one that is empty
			continue
		}
		for doc, err := a.Document(); err != io.EOF; doc, err = a.Document() {
			if err != nil {
				t.Fatal(err)
			}
			all[block.Name] = append(all[block.Name], fmt.Sprintf("%q", doc))
		}
	}
	for _, docs := range all {
		slices.Sort(docs)
	}
	for _, c := range a.Prelude().Collections {
		m, err := definition.Parse(c.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(m.Indexes, func(a, b bson.Raw) int { return strings.Compare(definition.IndexName(a), definition.IndexName(b)) })
		all[c.Name] = append([]string{fmt.Sprint(c.Type, m.Options, m.Indexes)}, all[c.Name]...)
	}
	return all
}

func ledger() dumptest.Ledger[*testDB] {
	const rows = 2000
	return dumptest.Ledger[*testDB]{
		Rows: rows,
		Fill: func(t *testing.T, db *testDB) {
			var accounts, m []any
			for i := range 100 {
				accounts = append(accounts, bson.D{{Key: "_id", Value: i}, {Key: "balance", Value: int64(1000)}})
			}
			for i := range rows {
				var body strings.Builder
				for j := range 12 {
					fmt.Fprintf(&body, "%016x.", uint64(i*12+j+1)*0x9e3779b97f4a7c15)
				}
				m = append(m, bson.D{{Key: "_id", Value: i}, {Key: "version", Value: 100000}, {Key: "body", Value: body.String()}})
			}
			db.insert(t, "a_accounts", accounts...)
			db.insert(t, "m_rows", m...)
			db.insert(t, "z_accounts", accounts...)
		},
		Rewrite: func(t *testing.T, db *testDB, n int) {
			middle := bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: rows / 2}, {Key: "$lt", Value: rows/2 + n}}}}
			if _, err := db.coll("m_rows").UpdateMany(t.Context(), middle, bson.D{{Key: "$inc", Value: bson.D{{Key: "version", Value: 1}}}}); err != nil {
				t.Fatal(err)
			}
		},
		Delete: func(t *testing.T, db *testDB, n int) {
			middle := bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: rows / 2}, {Key: "$lt", Value: rows/2 + n}}}}
			if _, err := db.coll("m_rows").DeleteMany(t.Context(), middle, options.DeleteMany()); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// TestMongodumpsArchive loads what mongodump wrote, and what it says then is what it said of the
// original.
func TestMongodumpsArchive(t *testing.T) {
	for _, c := range cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			db, restored := newTestDB(t), newTestDB(t)
			c.Fill(t, db)
			stream := mongodumpArchive(t, db)
			if err := Verify(bytes.NewReader(stream)); err != nil {
				t.Fatal(err)
			}
			l, err := NewLoader(LoadConfig{Server: restored.server(t), Database: restored.name})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Load(t.Context(), bytes.NewReader(stream)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(contents(t, stream), mongodump(t, restored)); diff != "" {
				t.Errorf("mongodump tells the restored database from the original (-original +restored):\n%s", diff)
			}
			for n := range 20 {
				cut := stream[:len(stream)*n/20]
				if err := Verify(bytes.NewReader(cut)); !errors.Is(err, dump.ErrTruncated) && !errors.Is(err, dump.ErrNotADump) {
					t.Errorf("%d of %d bytes: %v", len(cut), len(stream), err)
				}
			}
		})
	}
}
