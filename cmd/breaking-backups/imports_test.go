package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is the picture of the house: of each package, by its path in the module, the others of
// ours that it imports, and no other. cmd alone knows all. An engine knows dump and the rooms below
// itself; notify/event is what cmd tells notify by; nothing goes sideways or upward. What is below
// testdata is for tests.
var mayImport = map[string][]string{
	"cmd/breaking-backups":                   {"cmd/breaking-backups/internal/audience", "cmd/breaking-backups/internal/exit", "cmd/breaking-backups/internal/memory", "cmd/breaking-backups/internal/output", "cmd/breaking-backups/internal/progress", "cmd/breaking-backups/internal/schedule", "cmd/breaking-backups/internal/secret", "cmd/breaking-backups/internal/settings", "cmd/breaking-backups/internal/terminal", "dump", "dump/mongo", "dump/mysql", "dump/postgres", "notify", "notify/event", "notify/metrics", "notify/status", "notify/web", "restic", "retention", "stream"},
	"cmd/breaking-backups/internal/audience": {"cmd/breaking-backups/internal/exit", "cmd/breaking-backups/internal/secret", "notify/event", "restic"},
	"cmd/breaking-backups/internal/exit":     nil,
	"cmd/breaking-backups/internal/memory":   {"cmd/breaking-backups/internal/terminal"},
	"cmd/breaking-backups/internal/output":   {"cmd/breaking-backups/internal/exit", "cmd/breaking-backups/internal/terminal"},
	"cmd/breaking-backups/internal/progress": {"cmd/breaking-backups/internal/terminal", "notify/event"},
	"cmd/breaking-backups/internal/schedule": {"cmd/breaking-backups/internal/exit"},
	"cmd/breaking-backups/internal/secret":   nil,
	"cmd/breaking-backups/internal/settings": nil,
	"cmd/breaking-backups/internal/terminal": nil,

	"dump":                           nil,
	"dump/dumptest":                  {"dump"},
	"dump/mongo":                     {"dump", "dump/mongo/internal/archive", "dump/mongo/internal/catalog", "dump/mongo/internal/load", "dump/mongo/internal/moment", "dump/mongo/internal/namespace", "dump/mongo/internal/oplog", "dump/mongo/internal/rows", "dump/mongo/internal/scratch", "dump/mongo/internal/server", "dump/mongo/internal/shown"},
	"dump/mongo/internal/archive":    {"dump", "dump/mongo/internal/shown", "dump/mongo/internal/version"},
	"dump/mongo/internal/catalog":    {"dump", "dump/mongo/internal/archive", "dump/mongo/internal/definition", "dump/mongo/internal/document", "dump/mongo/internal/namespace", "dump/mongo/internal/server", "dump/mongo/internal/shown", "dump/mongo/internal/version"},
	"dump/mongo/internal/definition": {"dump/mongo/internal/document", "dump/mongo/internal/shown"},
	"dump/mongo/internal/document":   nil,
	"dump/mongo/internal/load":       {"dump", "dump/mongo/internal/definition", "dump/mongo/internal/document", "dump/mongo/internal/namespace", "dump/mongo/internal/oplog", "dump/mongo/internal/server", "dump/mongo/internal/shown", "dump/mongo/internal/version"},
	"dump/mongo/internal/moment":     {"dump/mongo/internal/archive", "dump/mongo/internal/catalog", "dump/mongo/internal/oplog", "dump/mongo/internal/rows", "dump/mongo/internal/server", "dump/mongo/internal/shown"},
	"dump/mongo/internal/namespace":  {"dump/mongo/internal/shown"},
	"dump/mongo/internal/oplog":      {"dump/mongo/internal/document", "dump/mongo/internal/namespace", "dump/mongo/internal/server", "dump/mongo/internal/shown", "dump/mongo/internal/version"},
	"dump/mongo/internal/rows":       {"dump/mongo/internal/archive", "dump/mongo/internal/catalog", "dump/mongo/internal/document", "dump/mongo/internal/server", "dump/mongo/internal/shown"},
	"dump/mongo/internal/scratch":    {"dump", "dump/mongo/internal/server"},
	"dump/mongo/internal/server":     {"dump", "dump/mongo/internal/document", "dump/mongo/internal/shown", "dump/mongo/internal/version"},
	"dump/mongo/internal/shown":      nil,
	"dump/mongo/internal/version":    nil,
	"dump/mysql":                     {"dump", "dump/mysql/internal/catalog", "dump/mysql/internal/choice", "dump/mysql/internal/cluster", "dump/mysql/internal/guard", "dump/mysql/internal/items", "dump/mysql/internal/load", "dump/mysql/internal/note", "dump/mysql/internal/quote", "dump/mysql/internal/rows", "dump/mysql/internal/scratch", "dump/mysql/internal/server"},
	"dump/mysql/internal/catalog":    {"dump", "dump/mysql/internal/ddl", "dump/mysql/internal/guard", "dump/mysql/internal/note", "dump/mysql/internal/quote", "dump/mysql/internal/script", "dump/mysql/internal/server", "dump/mysql/internal/value"},
	"dump/mysql/internal/choice":     {"dump", "dump/mysql/internal/ddl", "dump/mysql/internal/note", "dump/mysql/internal/quote", "dump/mysql/internal/script", "dump/mysql/internal/server"},
	"dump/mysql/internal/cluster":    {"dump", "dump/mysql/internal/catalog", "dump/mysql/internal/ddl", "dump/mysql/internal/guard", "dump/mysql/internal/quote", "dump/mysql/internal/script", "dump/mysql/internal/server"},
	"dump/mysql/internal/ddl":        {"dump/mysql/internal/quote"},
	"dump/mysql/internal/guard":      {"dump", "dump/mysql/internal/note", "dump/mysql/internal/quote", "dump/mysql/internal/script"},
	"dump/mysql/internal/items":      {"dump", "dump/mysql/internal/note", "dump/mysql/internal/quote", "dump/mysql/internal/script", "dump/mysql/internal/server"},
	"dump/mysql/internal/load":       {"dump", "dump/mysql/internal/choice", "dump/mysql/internal/ddl", "dump/mysql/internal/note", "dump/mysql/internal/quote", "dump/mysql/internal/script", "dump/mysql/internal/server"},
	"dump/mysql/internal/note":       nil,
	"dump/mysql/internal/quote":      nil,
	"dump/mysql/internal/rows":       {"dump", "dump/mysql/internal/catalog", "dump/mysql/internal/ddl", "dump/mysql/internal/guard", "dump/mysql/internal/quote", "dump/mysql/internal/script", "dump/mysql/internal/server", "dump/mysql/internal/value"},
	"dump/mysql/internal/scratch":    {"dump", "dump/mysql/internal/quote", "dump/mysql/internal/server"},
	"dump/mysql/internal/script":     {"dump/mysql/internal/quote"},
	"dump/mysql/internal/server":     {"dump", "dump/mysql/internal/quote"},
	"dump/mysql/internal/value":      {"dump/mysql/internal/guard", "dump/mysql/internal/quote", "dump/mysql/internal/server"},
	"dump/postgres":                  {"dump", "dump/postgres/internal/choice", "dump/postgres/internal/fresh", "dump/postgres/internal/load", "dump/postgres/internal/part", "dump/postgres/internal/rows", "dump/postgres/internal/scratch", "dump/postgres/internal/script", "dump/postgres/internal/server", "dump/postgres/internal/unload"},
	"notify/event":                   nil,
	"notify":                         {"notify/event"},
	"notify/status":                  {"notify/event"},
	"notify/metrics":                 {"notify/event", "notify/status"},
	"notify/web":                     {"notify/event", "notify/status"},
	"retention":                      nil,
	"stream":                         nil,

	"restic":                     {"restic/internal/process", "restic/internal/repository"},
	"restic/internal/repository": {"restic/internal/process"},
	"restic/internal/process":    nil,
	"restic/restictest":          nil,

	"dump/postgres/internal/catalog": {"dump", "dump/postgres/internal/choice", "dump/postgres/internal/script", "dump/postgres/internal/server"},
	"dump/postgres/internal/choice":  nil,
	"dump/postgres/internal/cluster": {"dump/postgres/internal/catalog", "dump/postgres/internal/script", "dump/postgres/internal/server"},
	"dump/postgres/internal/fresh":   {"dump", "dump/postgres/internal/catalog", "dump/postgres/internal/cluster", "dump/postgres/internal/script", "dump/postgres/internal/server"},
	"dump/postgres/internal/load":    {"dump", "dump/postgres/internal/script", "dump/postgres/internal/server"},
	"dump/postgres/internal/part":    {"dump", "dump/postgres/internal/choice", "dump/postgres/internal/script", "dump/postgres/internal/server"},
	"dump/postgres/internal/rows":    {"dump", "dump/postgres/internal/catalog", "dump/postgres/internal/script", "dump/postgres/internal/server", "dump/postgres/internal/trust"},
	"dump/postgres/internal/scratch": {"dump", "dump/postgres/internal/server"},
	"dump/postgres/internal/script":  {"dump"},
	"dump/postgres/internal/server":  {"dump"},
	"dump/postgres/internal/trust":   {"dump/postgres/internal/server"},
	"dump/postgres/internal/unload":  {"dump", "dump/postgres/internal/catalog", "dump/postgres/internal/choice", "dump/postgres/internal/cluster", "dump/postgres/internal/rows", "dump/postgres/internal/script", "dump/postgres/internal/server"},
}

// TestImports holds the packages to the picture, and the picture to them: one that is not in it is
// a mistake, as is an arrow that nobody draws.
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
		var does []string
		for imported := range strings.FieldsSeq(imports) {
			to, ours := strings.CutPrefix(imported, module)
			if ours && !slices.Contains(may, to) {
				t.Errorf("%s imports %s", from, to)
			}
			does = append(does, to)
		}
		for _, to := range may {
			if !slices.Contains(does, to) {
				t.Errorf("mayImport has an arrow from %s to %s, and there is none", from, to)
			}
		}
	}
	for ruled := range mayImport {
		if !seen[ruled] {
			t.Errorf("there is no package %s", ruled)
		}
	}
}
