// Command bench holds the program against pg_dump, psql and restic side by side, and prints a table of medians.
//
// It runs beside a private PostgreSQL (servers postgres bench), with the program, restic and PostgreSQL's tools on
// PATH. Ours and theirs run in turn, so that a machine whose speed drifts does the same to both; what counts is the
// ratio. Times are whole processes', from outside.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// pairs is how often each comparison is made.
const pairs = 5

const fill = `
CREATE TABLE docs AS SELECT i AS id, 'user ' || i AS name, md5(i::text) || ' ' || md5((i * 7)::text) || ' ' || repeat(md5((i * 13)::text), 2) AS body,
	jsonb_build_object('id', i, 'tags', array[i % 7, i % 11], 'note', md5((i * 3)::text)) AS doc, '2024-01-01'::timestamptz + i * interval '1 second' AS at
	FROM generate_series(1, 1500000) i;
ALTER TABLE docs ADD PRIMARY KEY (id);
CREATE INDEX ON docs (name);
CREATE INDEX ON docs (at);`

const change = `UPDATE docs SET name = name || '!' WHERE id BETWEEN 700000 AND 701500`

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	dir := os.Getenv("TMPDIR")
	os.Setenv("DB_TYPE", "postgres")
	os.Setenv("RESTIC_PASSWORD", "bench")
	os.Setenv("RESTIC_CACHE_DIR", filepath.Join(dir, "cache"))
	fmt.Printf("%d processors, %s; medians of %d pairs\n\n", runtime.NumCPU(), time.Now().Format("2006-01-02"), pairs)
	for _, step := range []string{"createdb bench", "pgbench -q -i -s 50 bench", "psql -Xq -d bench -c " + quote(fill), "psql -Xq -d bench -c 'VACUUM ANALYZE'"} {
		if _, err := sh(step); err != nil {
			return err
		}
	}
	os.Setenv("PGDATABASE", "bench")
	fmt.Println("| PostgreSQL | target | ours | theirs | ratio |")
	fmt.Println("|---|---|---|---|---|")
	for _, part := range []func(string) error{dumping, memory, backing, second, restoring} {
		if err := part(dir); err != nil {
			return err
		}
	}
	return nil
}

// usage is what a finished command took.
type usage struct {
	wall, cpu float64 // seconds
	peak      float64 // MiB, of the largest process
}

// sh runs a shell command.
func sh(script string) (usage, error) {
	cmd := exec.Command("bash", "-o", "pipefail", "-c", script)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	err := cmd.Run()
	u := usage{wall: time.Since(began).Seconds()}
	if err != nil {
		return u, fmt.Errorf("%.80s: %w\n%s", script, err, out.String())
	}
	r := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	u.cpu = time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
	u.peak = float64(r.Maxrss) / 1024
	return u, nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// compare runs ours and theirs in turn; before comes before each and does not count.
func compare(ours, theirs, before string) (a, b []usage, err error) {
	for range pairs {
		for _, side := range []struct {
			script string
			list   *[]usage
		}{{ours, &a}, {theirs, &b}} {
			if before != "" {
				if _, err := sh(before); err != nil {
					return nil, nil, err
				}
			}
			u, err := sh(side.script)
			if err != nil {
				return nil, nil, err
			}
			*side.list = append(*side.list, u)
		}
	}
	return a, b, nil
}

func median[T cmp.Ordered](list []T) T {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

// row prints a figure of both sides, with the median of the pairs' ratios.
func row(what, target string, a, b []usage, figure func(usage) float64) {
	var ours, theirs, ratios []float64
	for i := range a {
		ours, theirs = append(ours, figure(a[i])), append(theirs, figure(b[i]))
		ratios = append(ratios, figure(a[i])/figure(b[i]))
	}
	fmt.Printf("| %s | %s | %.2f s | %.2f s | %.2f |\n", what, target, median(ours), median(theirs), median(ratios))
}

func wall(u usage) float64 { return u.wall }
func cpu(u usage) float64  { return u.cpu }

func dumping(string) error {
	a, b, err := compare("breaking-backups dump >/dev/null", "pg_dump >/dev/null", "")
	if err != nil {
		return err
	}
	row("dump to /dev/null, wall", "0.8", a, b, wall)
	row("dump to /dev/null, our processor time", "1.3", a, b, cpu)
	return nil
}

func memory(string) error {
	u, err := sh("DUMP_JOBS=4 exec breaking-backups dump >/dev/null")
	if err == nil {
		fmt.Printf("| peak memory with 4 jobs | 96 MiB | %.0f MiB | | |\n", u.peak)
	}
	return err
}

// repositories makes the two repositories anew.
func repositories(dir string) string {
	return fmt.Sprintf(`cd %s && rm -rf ours theirs && RESTIC_REPOSITORY=$PWD/ours breaking-backups init && RESTIC_REPOSITORY=$PWD/theirs restic init`, quote(dir))
}

func backup(dir string) (ours, theirs string) {
	return fmt.Sprintf("RESTIC_REPOSITORY=%s/ours breaking-backups run-once", dir),
		fmt.Sprintf("pg_dump | RESTIC_REPOSITORY=%s/theirs restic backup --stdin --stdin-filename bench.sql", dir)
}

func backing(dir string) error {
	ours, theirs := backup(dir)
	a, b, err := compare(ours, theirs, repositories(dir))
	if err != nil {
		return err
	}
	row("dump through restic into a new repository, wall", "0.85", a, b, wall)
	return nil
}

// second backs up both ways, changes adjacent rows, backs up again, and once more untouched.
func second(dir string) error {
	ours, theirs := backup(dir)
	both := ours + "; " + theirs
	for _, step := range []struct{ what, target, script string }{
		{"", "", repositories(dir) + "; " + both},
		{"second backup after 1,501 adjacent rows of 1.5 million changed, added", "8 MB", "psql -Xq -c " + quote(change) + "; " + both},
		{"backup of an untouched database, added", "1 MB", both},
	} {
		if _, err := sh(step.script); err != nil {
			return err
		}
		if step.what == "" {
			continue
		}
		a, err := added(dir + "/ours")
		if err != nil {
			return err
		}
		b, err := added(dir + "/theirs")
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %s | %.1f MB | %.1f MB | %.3f |\n", step.what, step.target, a, b, a/b)
	}
	return nil
}

// added returns what the newest snapshot of a repository added, in MB.
func added(repository string) (float64, error) {
	out, err := exec.Command("restic", "-r", repository, "snapshots", "--json", "--latest", "1").Output()
	if err != nil {
		return 0, err
	}
	var list []struct {
		Summary struct {
			DataAdded float64 `json:"data_added"`
		}
	}
	if err := json.Unmarshal(out, &list); err != nil || len(list) == 0 {
		return 0, fmt.Errorf("snapshots of %s: %d, %w", repository, len(list), err)
	}
	return list[len(list)-1].Summary.DataAdded / 1e6, nil
}

func restoring(dir string) error {
	file := dir + "/bench.sql"
	if _, err := sh("breaking-backups dump --output " + file); err != nil {
		return err
	}
	a, b, err := compare(
		"breaking-backups restore --database target --file "+file,
		"psql -Xq -v ON_ERROR_STOP=1 -d target -f "+file,
		"dropdb --if-exists target; createdb target; psql -Xqc CHECKPOINT",
	)
	if err != nil {
		return err
	}
	row("restore, indexes included, wall", "0.75", a, b, wall)
	return nil
}
