package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImports holds the layout: cmd imports everything, the engines import dump, and nothing goes sideways or upward.
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
		room := strings.Split(from, "/")[0]
		seen[from] = true
		if room == "cmd" {
			continue
		}
		for imported := range strings.FieldsSeq(imports) {
			to, ours := strings.CutPrefix(imported, module)
			if ours && !mayImport(from, to) {
				t.Errorf("%s imports %s", from, to)
			}
		}
	}
	for _, room := range []string{"cmd/breaking-backups", "dump", "dump/postgres", "dump/mongo", "dump/mongo/archive", "stream", "restic", "retention", "notify"} {
		if !seen[room] {
			t.Errorf("there is no package %s", room)
		}
	}
}

func mayImport(from, to string) bool {
	engine := strings.Split(from, "/")
	if engine[0] != "dump" || len(engine) < 2 {
		return false
	}
	own := "dump/" + engine[1]
	return slices.Contains([]string{"dump", own}, to) || strings.HasPrefix(to, own+"/")
}
