package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport says of each package, by its path in the module, which others of ours it may import: cmd everything, the
// engines dump and what is below themselves, and nothing goes sideways or upward. What is below testdata is for tests.
var mayImport = map[string][]string{
	"cmd/breaking-backups": {"dump", "dump/mongo", "dump/mysql", "dump/postgres", "event", "notify", "restic", "retention", "stream"},
	"dump":                 nil,
	"dump/dumptest":        {"dump"},
	"dump/mongo":           {"dump", "dump/mongo/archive"},
	"dump/mongo/archive":   {"dump"},
	"dump/mysql":           {"dump", "dump/mysql/script"},
	"dump/mysql/script":    nil,
	"dump/postgres":        {"dump", "dump/postgres/script"},
	"dump/postgres/script": nil,
	"event":                nil,
	"notify":               {"event"},
	"retention":            nil,
	"stream":               nil,

	"restic":                     {"restic/internal/process", "restic/internal/repository"},
	"restic/internal/repository": {"restic/internal/process"},
	"restic/internal/process":    nil,
	"restic/restictest":          nil,
}

// TestImports holds the layout. A package that has no rule is a mistake, as is a rule without a package.
func TestImports(t *testing.T) {
	const module = "github.com/breaking-backups/breaking-backups/"
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}:{{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		path, imports, _ := strings.Cut(strings.TrimSpace(line), ":")
		from := strings.TrimPrefix(path, module)
		seen[from] = true
		may, ruled := mayImport[from]
		if !ruled {
			t.Errorf("there is no rule for package %s: say in mayImport what it may import", from)
			continue
		}
		for imported := range strings.FieldsSeq(imports) {
			if to, ours := strings.CutPrefix(imported, module); ours && !slices.Contains(may, to) {
				t.Errorf("%s imports %s", from, to)
			}
		}
	}
	for ruled := range mayImport {
		if !seen[ruled] {
			t.Errorf("there is no package %s", ruled)
		}
	}
}
