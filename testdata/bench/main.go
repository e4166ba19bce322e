// Command bench holds the program against an engine's own tools and restic side by side, and prints
// a table of medians.
//
// It runs beside a private server (servers postgres bench postgres), with the program, restic and
// the engine's tools on PATH. Ours and theirs run in turn, so that a machine whose speed drifts
// does the same to both; what counts is the ratio. Times are whole processes', from outside.
// BENCH_PAIRS is how often each comparison is made, 5 unless it is set; BENCH_ONLY names the parts
// to make of dump, memory, backup, second and restore, separated by commas; PostgreSQL has heap,
// small, many, databases and objects besides, MariaDB wide.
//
// MongoDB's (servers ferret bench mongo) runs beside the embedded FerretDB, or on the server that
// MONGO_BENCH_URI names; its parts are dump, memory, frames, second and restore.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pairs is how often each comparison is made.
var pairs = 5

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench is what is measured of an engine: shell commands and the figures to reach.
type bench struct {
	name   string   // for people
	dbType string   // DB_TYPE
	env    []string // more of the program's environment: name, value, ...
	fill   []string // make the database named bench
	server string   // prints the id of the server's process; "": it is not looked at
	dump   string   // writes a dump as the engine's own tools do

	dumpWall, dumpCPU string // at most this part of theirs
	backupWall        string // "": not compared
	second            []change

	fresh string // makes an empty database named target
	load  peer   // loads the dump in $FILE into it

	// What dumps and loads with two threads: dumps into the folder $FOLDER, which is not there, and
	// loads that into target.
	parallelDump, parallelLoad peer
	// parallelLoad with the planner's statistics, which ours makes unless it is told not to;
	// without a command this is not compared.
	parallelAnalyzed peer

	shapes []shape
}

// A peer is a command of theirs that ours is held against.
type peer struct {
	name, command string
	wall          string // ours takes at most this part of its time
}

// A shape is a database of another kind, that is filled for its own part.
type shape struct {
	part string // its name in BENCH_ONLY
	what string
	fill []string
	// Commands of both sides; before comes before each.
	before, ours, theirs string
	wall                 string // at most this part of theirs
	peak                 string // at most so much memory of ours; "": not looked at
}

// measure fills the database and holds both sides against each other.
func (s shape) measure(string) error {
	for _, step := range s.fill {
		if _, err := sh(step); err != nil {
			return err
		}
	}
	ours, theirs, err := compare(s.ours, s.theirs, s.before)
	if err != nil {
		return err
	}
	row(s.what+", wall", s.wall, ours, theirs, wall)
	if s.peak != "" {
		fmt.Printf("| %s, peak memory | %s | %.0f MiB | %.0f MiB | |\n", s.what, s.peak, peak(ours), peak(theirs))
	}
	return nil
}

// A change is made before another backup, and what that adds is measured.
type change struct{ what, target, script string }

func run(args []string) error {
	if slices.Equal(args, []string{"compress"}) {
		return compress()
	}
	if len(args) != 1 || args[0] != "mongo" && benches[args[0]].name == "" {
		return fmt.Errorf("usage: bench postgres | mariadb | mongo")
	}
	if text := os.Getenv("BENCH_PAIRS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("BENCH_PAIRS: a number from 1 expected, got %q", text)
		}
		pairs = n
	}
	if args[0] == "mongo" {
		return runMongo()
	}
	b := benches[args[0]]
	all := []part{{"dump", b.dumping}, {"memory", b.memory}, {"backup", b.backing}, {"second", b.backups}, {"restore", b.restoring}}
	for _, s := range b.shapes {
		all = append(all, part{s.part, s.measure})
	}
	parts, err := only(all)
	if err != nil {
		return err
	}
	dir := os.Getenv("TMPDIR")
	for _, set := range [][2]string{
		{"DB_TYPE", b.dbType}, {"RESTIC_PASSWORD", "bench"}, {"RESTIC_CACHE_DIR", filepath.Join(dir, "cache")}, {"FILE", filepath.Join(dir, "bench.sql")}, {"FOLDER", filepath.Join(dir, "bench.d")},
	} {
		os.Setenv(set[0], set[1])
	}
	fmt.Printf("%d processors, %s; medians of %d pairs\n\n", runtime.NumCPU(), time.Now().Format("2006-01-02"), pairs)
	if slices.ContainsFunc(parts, func(p part) bool {
		return !slices.ContainsFunc(b.shapes, func(s shape) bool { return s.part == p.name })
	}) {
		for _, step := range b.fill {
			if _, err := sh(step); err != nil {
				return err
			}
		}
	}
	for i := 0; i < len(b.env); i += 2 {
		os.Setenv(b.env[i], b.env[i+1])
	}
	if err := findServer(b.server); err != nil {
		return err
	}
	fmt.Printf("| %s | target | ours | theirs | ratio |\n", b.name)
	fmt.Println("|---|---|---|---|---|")
	for _, part := range parts {
		if err := part.make(dir); err != nil {
			return err
		}
	}
	return nil
}

var benches = map[string]bench{"postgres": postgres, "mariadb": mariadb}

// A part is what can be measured by itself.
type part struct {
	name string
	make func(dir string) error
}

// only returns those of all parts that BENCH_ONLY names, all if it names none.
func only(all []part) ([]part, error) {
	names := os.Getenv("BENCH_ONLY")
	if names == "" {
		return all, nil
	}
	var list []part
	for name := range strings.SplitSeq(names, ",") {
		before := len(list)
		for _, p := range all {
			if p.name == name {
				list = append(list, p)
			}
		}
		if len(list) == before {
			return nil, fmt.Errorf("BENCH_ONLY: there is no part %q", name)
		}
	}
	return list, nil
}

func (b bench) dumping(string) error {
	ours, theirs, err := compare("breaking-backups dump >/dev/null", b.dump+" >/dev/null", "")
	if err != nil {
		return err
	}
	rows("dump to /dev/null", b.dumpWall, b.dumpCPU, ours, theirs)
	ours, theirs, err = compare("breaking-backups dump >/dev/null", b.parallelDump.command, "rm -rf $FOLDER")
	if err != nil {
		return err
	}
	row("dump, against "+b.parallelDump.name+", wall", b.parallelDump.wall, ours, theirs, wall)
	return nil
}

func (b bench) memory(string) error {
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

func (b bench) backup(dir string) (ours, theirs string) {
	return fmt.Sprintf("RESTIC_REPOSITORY=%s/ours breaking-backups run-once", dir),
		fmt.Sprintf("%s | RESTIC_REPOSITORY=%s/theirs restic backup --stdin --stdin-filename bench.sql", b.dump, dir)
}

func (b bench) backing(dir string) error {
	if b.backupWall == "" {
		return nil
	}
	ours, theirs := b.backup(dir)
	x, y, err := compare(ours, theirs, repositories(dir))
	if err != nil {
		return err
	}
	rows("dump through restic into a new repository", b.backupWall, "", x, y)
	return nil
}

// backups backs up both ways, and again after each change.
func (b bench) backups(dir string) error {
	ours, theirs := b.backup(dir)
	both := ours + "; " + theirs
	if _, err := sh(repositories(dir) + "; " + both); err != nil {
		return err
	}
	for _, c := range b.second {
		if _, err := sh(c.script + "; " + both); err != nil {
			return err
		}
		x, err := added(dir + "/ours")
		if err != nil {
			return err
		}
		y, err := added(dir + "/theirs")
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %s | %.1f MB | %.1f MB | %.3f |\n", c.what, c.target, x, y, x/y)
	}
	return nil
}

// restoring loads one dump of each kind into an empty database in turn: ours, that same file by the
// engine's client, and the folder of their parallel tools, with and without the planner's
// statistics where these do not make them.
func (b bench) restoring(string) error {
	if _, err := sh("breaking-backups dump --output $FILE; rm -rf $FOLDER; " + b.parallelDump.command); err != nil {
		return err
	}
	const ours = "exec breaking-backups restore --database target --file "
	for i, c := range []struct {
		what, ours string
		theirs     peer
	}{
		{"restore, indexes included", ours + "$FILE", b.load},
		{"restore, indexes included", ours + "$FILE", b.parallelLoad},
		{"restore, indexes and statistics included", ours + "$FILE", b.parallelAnalyzed},
		// From stdin: a file is read to its end first, which theirs does not do.
		{"restore from stdin, without statistics", "RESTORE_ANALYZE=false " + ours + "- <$FILE", b.parallelLoad},
	} {
		if i >= 2 && b.parallelAnalyzed.command == "" {
			break
		}
		x, y, err := compare(c.ours, c.theirs.command, b.fresh)
		if err != nil {
			return err
		}
		row(c.what+", against "+c.theirs.name+", wall", c.theirs.wall, x, y, wall)
		if i == 0 {
			fmt.Printf("| the same, peak memory | 128 MiB | %.0f MiB | %.0f MiB | |\n", peak(x), peak(y))
		}
	}
	return nil
}
