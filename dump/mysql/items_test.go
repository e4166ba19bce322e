package mysql

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/items"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/load"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
)

// A load takes whatever items there are: a dump's without the rows of a table are loaded as those
// of a dump that says so, and compared.
func TestLoadOfPart(t *testing.T) {
	my := testServer(t)
	create := func(name string) string {
		return "CREATE TABLE `" + name + "` (\n  `a` int NOT NULL,\n  PRIMARY KEY (`a`)\n) ENGINE=InnoDB;\n"
	}
	fill := func(name string) string {
		return "START TRANSACTION;\nINSERT INTO `" + name + "` (`a`) VALUES\n(1),\n(2);\nINSERT INTO `" + name + "` (`a`) VALUES\n(3);\nCOMMIT;\n"
	}
	m := dump.Manifest{tableOf("`t`", "(1)", "(2)", "(3)"), tableOf("`u`", "(1)", "(2)", "(3)")}
	stream := my.written(t, m, create("t")+fill("t")+create("u")+fill("u"))
	for _, jobs := range []int{1, 2} {
		for _, says := range []bool{true, false} {
			part := func(yield func(dump.Item, error) bool) {
				for item, err := range items.ReadAny(bytes.NewReader(stream)) {
					if item.Kind == dump.Rows && item.Table == "`u`" {
						continue
					}
					if item.Contents != nil && says {
						item.Contents = &dump.Contents{Tables: item.Contents.Tables[:1]}
					}
					if !yield(item, err) {
						return
					}
				}
			}
			db := my.CreateDB(t)
			var compared dump.Comparison
			l := my.loader(t, LoadConfig{Database: db, Jobs: jobs, Compared: func(c dump.Comparison) { compared = c }})
			ctx, fail := context.WithCancelCause(t.Context())
			err := load.Run(ctx, l.cfg, part, fail)
			fail(nil)
			if rows := my.Query(t, db, "SELECT (SELECT SUM(a) FROM t), (SELECT COUNT(*) FROM u)"); rows != "6\t0" {
				t.Errorf("%d jobs: rows %q", jobs, rows)
			}
			switch {
			case says && (err != nil || compared.Tables != 1 || compared.Rows != 3 || len(compared.Of) != 1):
				t.Errorf("%d jobs: %v, compared %+v", jobs, err, compared)
			case !says && (err == nil || !strings.Contains(err.Error(), "table `u` has 0 rows, the dump's manifest says 3")):
				t.Errorf("%d jobs, with the whole manifest: %v", jobs, err)
			}
		}
	}
}

// A session may fail while the load waits for rows that do not come: the items are interrupted, and
// the error is the session's.
func TestLoadInterruptsItems(t *testing.T) {
	my := testServer(t)
	ended := make(chan struct{})
	rows := func(yield func([]byte, error) bool) {
		if yield([]byte("INSERT INTO `t` (`a`) VALUES\n(1),\n(1)"), nil) {
			<-ended
			yield(nil, io.ErrClosedPipe)
		}
	}
	byHand := func(yield func(dump.Item, error) bool) {
		for _, item := range []dump.Item{
			{Head: &dump.Head{Form: note.One, Server: string(my.family) + " 10.0"}},
			{Kind: dump.Definitions, Line: 1, Text: "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  PRIMARY KEY (`a`)\n) ENGINE=InnoDB"},
			{Kind: dump.Definitions, Line: 5, Text: "START TRANSACTION"},
			{Kind: dump.Rows, Table: "`t`", Line: 6, Blocks: rows},
		} {
			if !yield(item, nil) {
				return
			}
		}
		t.Error("the load goes on")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	interrupted := false // told by one session at a time: there is one that fails
	err := load.Run(ctx, my.loader(t, LoadConfig{Database: my.CreateDB(t)}).cfg, byHand, func(err error) {
		cancel(err)
		if !interrupted {
			interrupted = true
			close(ended)
		}
	})
	if partial := new(dump.PartialError); !errors.As(err, &partial) || !strings.Contains(err.Error(), "restore: line 6: INSERT INTO `t` (`a`) VALUES …: ") || errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
}
