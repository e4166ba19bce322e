//go:build linux

package browser

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
	"github.com/breaking-backups/breaking-backups/notify/web"
)

// evil is a name that would do something, if anything let it.
const evil = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\u202etxt\nnext"

// serve answers with the page of a board on loopback, for as long as the test goes on.
func serve(t *testing.T, b *status.Board) string {
	t.Helper()
	server := httptest.NewServer(web.New(web.Config{Board: b, Zone: time.UTC, Version: "1.0.0"}))
	t.Cleanup(server.Close)
	return server.URL
}

func job(name, database string) status.Job {
	daily := status.Plan{Text: "every 24h", Next: func(t time.Time) time.Time { return t.Add(24 * time.Hour) }, Grace: time.Hour}
	weekly := status.Plan{Text: "every 168h", Next: func(t time.Time) time.Time { return t.Add(168 * time.Hour) }, Grace: time.Hour}
	return status.Job{
		Name: name, Host: name + "-db", DBType: "postgres", Repository: "s3:https://store.example/backups", Database: database,
		Plans: map[event.Kind]status.Plan{event.Backup: daily, event.Drill: weekly},
	}
}

// shop is a board of three jobs: one is well, one needs attention, and one goes on.
func shop() *status.Board {
	b := status.NewBoard()
	now := time.Now()
	for _, j := range []status.Job{job("shop", "shop on db1"), job("accounts", "accounts on db2"), job("archive", "archive on db3")} {
		b.Add(j)
		b.Due(j.Name, event.Backup, now.Add(21*time.Hour))
	}
	b.Seed("shop", history(now.Add(-3*time.Hour), 60), []status.Drill{
		{At: now.Add(-26 * time.Hour), Drilled: event.Drilled{Verdict: event.Proven, Snapshot: "58aaaaaa", Of: now.Add(-27 * time.Hour), Restore: 95 * time.Second, Tables: 4, Rows: 1_234_567, Checks: 2}},
		{At: now.Add(-200 * time.Hour), Drilled: event.Drilled{Verdict: event.Wrong, Snapshot: "50aaaaaa", Of: now.Add(-201 * time.Hour), Restore: 93 * time.Second, Tables: 4, Rows: 1_204_000, Wrong: []string{"table public.orders: 81,200 rows were restored, 81,203 are in the dump"}}},
	}, nil)
	b.Seed("accounts", history(now.Add(-80*time.Hour), 30), nil, nil)
	b.Seed("archive", history(now.Add(-1470*time.Minute), 12), nil, nil)
	end(b, "shop", now.Add(-30*time.Hour), event.Ended{Error: "dump shop: connection reset by peer", Hint: "see the server's log", ExitCode: 1})
	tell(b, "shop", now.Add(-4*time.Hour), event.Begun{}, event.Warning{Text: "table public.log has no primary key: its rows leave in physical order"}, event.Ended{Began: now.Add(-4 * time.Hour), Safe: true, Snapshot: event.Snapshot{ID: "59aaaaaa", Bytes: 490_000_000}})
	end(b, "accounts", now.Add(-8*time.Hour), event.Ended{Error: "connect to db2: password authentication failed for user \"backup\"", Hint: "set PGPASSWORD to the password that the role backup has now", ExitCode: 1})
	tell(b, "archive", now.Add(-4*time.Minute), event.Begun{}, event.Phase{Name: event.Dump, Total: 90_000_000_000, Estimated: true})
	// Its last word is of later than now: of what has long said nothing no rate is told.
	tell(b, "archive", now.Add(5*time.Minute), event.Table{Name: "public.measurements", Rows: 9_000_000}, event.Bytes{Passed: 31_000_000_000})
	return b
}

func end(b *status.Board, job string, at time.Time, how event.Ended) {
	how.Began = at
	tell(b, job, at, event.Begun{}, how)
}

func tell(b *status.Board, job string, at time.Time, all ...event.What) {
	for _, what := range all {
		_ = b.Hear(context.Background(), event.Event{Run: event.Run{Kind: event.Backup, Job: job}, At: at, What: what})
	}
}

// history is n backups, one a day until the last, with a gap.
func history(last time.Time, n int) []status.Backup {
	var all []status.Backup
	for i := range n {
		days := n - 1 - i
		if i < n/3 {
			days += 3
		}
		orders := int64(60_000 + 350*i)
		tables := []event.Table{{Name: "public.customers", Rows: int64(12_000 + 20*i)}, {Name: "public.orders", Rows: orders}, {Name: "public.order_lines", Rows: 4*orders + int64(i*i)}}
		if i == n-1 {
			tables = append(tables, event.Table{Name: "public.coupons", Rows: 40})
		} else {
			tables = append(tables, event.Table{Name: "public.vouchers", Rows: 300})
		}
		all = append(all, status.Backup{
			ID: fmt.Sprintf("%02daaaaaa", i), At: last.Add(time.Duration(-days) * 24 * time.Hour), Bytes: uint64(300_000_000 + 3_000_000*i),
			Added: uint64(4_000_000 + i*i%7*900_000), Stored: uint64(1_500_000 + i*i%7*300_000), Duration: time.Duration(40+i%9) * time.Second, Tables: tables,
		})
	}
	return all
}

// hostile is a board whose names and words are whatever somebody liked.
func hostile() *status.Board {
	b := status.NewBoard()
	long := strings.Repeat("long", 15_000)
	now := time.Now()
	for _, name := range []string{evil, long, "مرحبا"} {
		b.Add(job(name, name))
	}
	b.Seed(evil, []status.Backup{
		{ID: evil, At: now.Add(-48 * time.Hour), Tables: []event.Table{{Name: long, Rows: 1}}},
		{ID: "aaaaaaaa", At: now.Add(-30 * time.Hour), Tables: []event.Table{{Name: evil, Rows: 1 << 60}, {Name: "مرحبا", Rows: 2}}},
	}, []status.Drill{{At: now, Drilled: event.Drilled{Verdict: event.Wrong, Snapshot: evil, Wrong: []string{evil, long}}}}, nil)
	end(b, evil, now, event.Ended{Error: evil + long, Hint: evil, ExitCode: 1})
	tell(b, evil, now, event.Begun{}, event.Phase{Name: event.Dump}, event.Table{Name: evil})
	return b
}
