package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const settingsPage = "../../docs/settings.md"

// madeTable is a part of a page that is made, not written: between two marks stands a group's
// table.
var madeTable = regexp.MustCompile(`(?s)(<!-- table: (\w+) -->\n).*?(<!-- end of table -->\n)`)

// docs/settings.md has a table for each group of settings, made from the tags and the fields'
// comments. -update makes them anew.
func TestDocsHoldTheSettings(t *testing.T) {
	text, err := os.ReadFile(settingsPage)
	if err != nil {
		t.Fatal(err)
	}
	meanings := readMeanings(t)
	var made []string
	want := madeTable.ReplaceAllStringFunc(string(text), func(old string) string {
		parts := madeTable.FindStringSubmatch(old)
		made = append(made, parts[2])
		return parts[1] + "\n" + settingsTable(t, parts[2], meanings) + "\n" + parts[3]
	})
	for _, group := range groups() {
		if !slices.Contains(made, group.name) {
			t.Errorf("%s has no table of the group %s", settingsPage, group.name)
		}
	}
	for _, name := range backendSecrets() {
		if !strings.Contains(want, "`"+name+"_FILE`") {
			t.Errorf("%s does not name %s_FILE", settingsPage, name)
		}
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		if *update {
			if err := os.WriteFile(settingsPage, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("%s is not what the settings say; go test ./cmd/breaking-backups -run %s -update makes it so (-want +got):\n%s", settingsPage, t.Name(), diff)
	}
}

// settingsTable is a group's table in Markdown.
func settingsTable(t *testing.T, group string, meanings map[string]string) string {
	var b strings.Builder
	b.WriteString("| variable | default | unit | choices | meaning |\n|---|---|---|---|---|\n")
	found := false
	for _, s := range ownSettings().Settings {
		if s.Group != group {
			continue
		}
		found = true
		names := []string{code(s.Env)}
		if s.Secret {
			names = append(names, code(s.Env+"_FILE"))
		}
		if s.Flag != "" && s.Flag != strings.ToLower(strings.ReplaceAll(s.Env, "_", "-")) {
			names = append(names, code("--"+s.Flag))
		}
		initial := withCode(s.Required + s.Shown)
		if s.Initial != "" {
			initial = code(s.Initial)
		}
		var choices []string
		for _, choice := range s.Choices {
			choices = append(choices, code(choice))
		}
		meaning := meanings[s.Env]
		if meaning == "" {
			t.Errorf("the field of %s has no comment that says what it means", s.Env)
		}
		cells := []string{strings.Join(names, ", "), initial, s.Unit, strings.Join(choices, ", "), meaning}
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	if !found {
		t.Errorf("%s: there is no group %s", settingsPage, group)
	}
	return b.String()
}

func code(text string) string { return "`" + text + "`" }

// withCode is text with the names of variables as code.
func withCode(text string) string {
	return regexp.MustCompile(`\b[A-Z]+(_[A-Z]+)+\b|\bPG[A-Z]+\b|~/\S+`).ReplaceAllStringFunc(text, code)
}

// readMeanings is what the comments on the fields of settings say, by variable.
func readMeanings(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	meanings := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok || field.Tag == nil {
				return true
			}
			tag, err := strconv.Unquote(field.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			if env := reflect.StructTag(tag).Get("env"); env != "" {
				meanings[env] = strings.Join(strings.Fields(field.Doc.Text()), " ")
			}
			return true
		})
	}
	return meanings
}

// A variable is known by its name, a field of a subject by its own, and what a choice is by default
// is one of the choices.
func TestSettings(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range ownSettings().Settings {
		if seen[s.Env] || s.Flag != "" && seen["--"+s.Flag] {
			t.Errorf("there are two settings called %s or --%s", s.Env, s.Flag)
		}
		seen[s.Env], seen["--"+s.Flag] = true, true
		if s.Initial != "" && len(s.Choices) > 0 && !slices.Contains(s.Choices, s.Initial) {
			t.Errorf("%s: the default %s is not among the choices %q", s.Env, s.Initial, s.Choices)
		}
		if !slices.ContainsFunc(groups(), func(g group) bool { return g.name == s.Group }) {
			t.Errorf("%s: there is no group %s", s.Env, s.Group)
		}
	}
}
