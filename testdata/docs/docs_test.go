package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "make the picture of its text")

// root is the repository's, seen from here.
const root = "../.."

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The picture is that of its text.
func TestPicture(t *testing.T) {
	if *update {
		if err := run(root); err != nil {
			t.Fatal(err)
		}
	}
	road, err := parseRoad(read(t, pictureText))
	if err != nil {
		t.Fatal(err)
	}
	if read(t, pictureFile) != string(road.svg()) {
		t.Errorf("%s is not of %s: go run ./testdata/docs", pictureFile, pictureText)
	}
}

func TestParseRoadRefuses(t *testing.T) {
	whole := "from a\nto b\nout 1\nout 2\nout 3\nback 1\nback 2\nback 3\n"
	if _, err := parseRoad(whole); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"",
		"whole\n",
		strings.Replace(whole, "out 3\n", "", 1),
		whole + "back 4\n",
		whole + "sideways 1\n",
		strings.Replace(whole, "from a", "from a | what no box is wide enough to hold", 1),
	} {
		if _, err := parseRoad(text); err == nil {
			t.Errorf("taken for a road: %q", text)
		}
	}
}

// pages are what people read, by their paths in the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			path = strings.TrimPrefix(filepath.ToSlash(path), root+"/")
			all[path] = read(t, path)
		}
	}
	if len(all) < 2 {
		t.Fatalf("found %d pages", len(all))
	}
	return all
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Links between pages, and to files of the repository, lead somewhere.
func TestLinks(t *testing.T) {
	all := pages(t)
	for path, text := range all {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target := found[1] + found[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s links %s: %v", path, target, err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(all[to]), anchor) {
				t.Errorf("%s links %s: there is no such heading", path, target)
			}
		}
	}
}

// anchors are the names under which the headings of a page can be linked.
func anchors(page string) []string {
	var names []string
	for _, found := range heading.FindAllStringSubmatch(page, -1) {
		name := notSlug.ReplaceAllString(strings.ToLower(found[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

var (
	ourFlag     = regexp.MustCompile(`[ |]--[a-z][a-z-]+`)
	ourVariable = regexp.MustCompile(`\b(?:PG_|MYSQL_|MONGO_|RESTIC_(?:HOST|TAGS|ENV|BINARY|REPOSITORY|PASSWORD)|KEEP_|BACKUP_|WEBHOOK_|LOG_|STALL_|CONNECT_|FORGET_|LOCK_|CRON_|SCHEDULE_|RUN_ON|PRUNE_|WORK_|DUMP_|RESTORE_|DB_|JOB_|ALLOW_)[A-Z_]*\b`)
	// Named in the pages, and not in the help: restic's own, and those that a test is told by.
	others = []string{"RESTIC_PASSWORD_COMMAND", "MONGO_TEST_URI"}
)

// The commands of the pages have flags that exist, and variables that they name are there.
func TestCommands(t *testing.T) {
	help := read(t, "cmd/breaking-backups/testdata/script/help.txtar")
	known := func(name string) bool {
		return regexp.MustCompile(regexp.QuoteMeta(name) + `(?:[^A-Za-z_-]|$)`).MatchString(help)
	}
	for path, text := range pages(t) {
		if path == "CHANGELOG.md" { // which tells of what was
			continue
		}
		for _, variable := range ourVariable.FindAllString(text, -1) {
			if name := strings.TrimSuffix(variable, "_FILE"); !strings.HasSuffix(name, "_") && !known(name) && !slices.Contains(others, name) {
				t.Errorf("%s names %s, the help does not", path, variable)
			}
		}
		for line := range strings.Lines(text) {
			for _, command := range strings.Split(line, "breaking-backups ")[1:] {
				command, _, _ = strings.Cut(command, "`") // what follows is text
				command, _, _ = strings.Cut(command, " #")
				command, _, _ = strings.Cut(command, " | ") // other programs' flags
				for _, flag := range ourFlag.FindAllString(" "+command, -1) {
					if !known(flag[1:]) {
						t.Errorf("%s has a command with %s, the help has none", path, flag)
					}
				}
			}
		}
	}
}

var place = regexp.MustCompile("`((?:cmd|dump|stream|restic|retention|notify|event|testdata)/[\\w./-]*)`(?:: `(\\w+)`)?")

// Files and folders that the pages name are there, and so is what they name in a file.
func TestPlaces(t *testing.T) {
	for path, text := range pages(t) {
		if path == "CHANGELOG.md" {
			continue
		}
		for _, found := range place.FindAllStringSubmatch(text, -1) {
			for _, name := range engines(found[1]) {
				if strings.Contains(name, "NAME") { // of an engine that is to come
					continue
				}
				if !exists(name) {
					t.Errorf("%s names %s, which is not there", path, name)
					continue
				}
				defined := regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type |var |\t)` + found[2] + `\b`)
				if found[2] != "" && !defined.MatchString(read(t, name)) {
					t.Errorf("%s names %s in %s, which has none", path, found[2], name)
				}
			}
		}
	}
}

// Each room has its place in the picture of CONTRIBUTING.md.
func TestRooms(t *testing.T) {
	_, picture, _ := strings.Cut(read(t, "CONTRIBUTING.md"), "\n## The rooms\n")
	picture, _, _ = strings.Cut(picture, "\n## ")
	rooms := map[string]bool{}
	for _, pattern := range []string{"*", "cmd/*", "dump/*", "dump/*/internal/*", "restic/internal/*", "notify/*"} {
		files, err := filepath.Glob(filepath.Join(root, pattern, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			rooms[filepath.Base(filepath.Dir(file))] = true
		}
	}
	if len(rooms) == 0 {
		t.Fatal("found no rooms")
	}
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`).MatchString(picture) {
			t.Errorf("the picture of the rooms in CONTRIBUTING.md has no %s", name)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(filepath.Join(root, path))
	return err == nil
}

// engines is a place, or where it says ENGINE that of each.
func engines(place string) []string {
	if !strings.Contains(place, "ENGINE") {
		return []string{place}
	}
	var all []string
	for _, name := range []string{"postgres", "mysql", "mongo"} {
		all = append(all, strings.ReplaceAll(place, "ENGINE", name))
	}
	return all
}
