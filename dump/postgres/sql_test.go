package postgres

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What this package says to a server cannot be made to mean something else by what a database's
// owner has put on the search path. There is one way to a connection, server.Connect, and the first
// that it says is that nothing is on the path: from then on a name without a schema is pg_catalog's
// alone. Where a session may have run statements of a dump, which can set a path, or where nothing
// was set yet, every function, type and catalogue is qualified as well.
func TestSQLCannotBeCaptured(t *testing.T) {
	t.Parallel()
	const whatever = "whatever the search path is"
	qualified := []string{
		"internal/server/connect.go", "internal/server/settings.go", "internal/catalog/userschemas.go", "internal/trust/guard.go", "internal/trust/trust.go", "internal/rows/sequencestate.go",
		"internal/fresh/contents.go", "internal/fresh/clean.go", "internal/load/loading.go", "internal/load/session.go", "internal/load/job.go", "internal/load/placement.go", "internal/load/obstacles.go", "internal/load/drop.go", "internal/load/schedule.go", "internal/load/analyze.go",
	}
	var files []string
	err := filepath.WalkDir(".", func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range qualified {
		if !slices.Contains(files, name) {
			t.Errorf("there is no file %s", name)
		}
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && (x.Name == "pgx" || x.Name == "pgconn") && strings.HasPrefix(n.Sel.Name, "Connect") && name != "internal/server/connect.go" && n.Sel.Name != "ConnConfig" {
					t.Errorf("%s: %s.%s: connections are opened by server.Connect alone", name, x.Name, n.Sel.Name)
				}
			case *ast.BasicLit:
				if n.Kind != token.STRING || !slices.Contains(qualified, name) {
					return true
				}
				text, err := strconv.Unquote(n.Value)
				if err != nil {
					t.Fatal(err)
				}
				for _, bare := range unqualified(text) {
					t.Errorf("%s: %q in %.60q is not qualified; it has to mean the same %s", name, bare, text, whatever)
				}
			}
			return true
		})
	}
}

var (
	sqlText  = regexp.MustCompile(`\b(SELECT|EXISTS|DO|FROM)\b`)
	called   = regexp.MustCompile(`(^|[^.\w$])([a-z_][a-z0-9_]*)\(`)
	cast     = regexp.MustCompile(`::([a-z_][a-z0-9_]*)\b`)
	fromName = regexp.MustCompile(`\b(?:FROM|JOIN) (pg_[a-z_]+)\b`)
)

// Not functions, though they look like calls, or not to be found on a path: the grammar's own.
var grammar = []string{"coalesce", "nullif", "greatest", "least", "row_number", "found", "member", "s", "d", "k", "c"}

// unqualified lists what in a text of SQL is found by the search path.
func unqualified(text string) []string {
	if !sqlText.MatchString(text) {
		return nil
	}
	var list []string
	for _, m := range called.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(grammar, m[2]) {
			list = append(list, m[2])
		}
	}
	for _, m := range cast.FindAllStringSubmatch(text, -1) {
		if m[1] != "pg_catalog" {
			list = append(list, m[1])
		}
	}
	for _, m := range fromName.FindAllStringSubmatch(text, -1) {
		if m[1] != "pg_catalog" {
			list = append(list, m[1])
		}
	}
	return list
}

func TestUnqualified(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"SELECT pg_catalog.quote_ident(relname)":            nil,
		"SELECT quote_ident(relname)":                       {"quote_ident"},
		"SELECT 1::int FROM pg_class":                       {"int", "pg_class"},
		"SELECT 1::pg_catalog.int4 FROM pg_catalog.pg_proc": nil,
		"not sql: f(x)":                                     nil,
	} {
		if got := unqualified(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
