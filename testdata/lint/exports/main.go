// Command exports lists what packages of this module export and no other package uses, not even a
// test: such a name is to begin with a small letter. It looks at what stands at the top of a
// package. A type is used where others get hold of a value of it, by a signature or a field, and a
// constant with its type. A method may be there for an interface. Of a package that is not internal
// its own tests are callers as well, and its errors are there for whoever asks.
package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	found, err := unused(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "exports:", err)
		os.Exit(1)
	}
	for _, line := range found {
		fmt.Println(line)
	}
}

// A name is known by where it is declared: a package with its tests is another package, with other
// objects.
type name struct {
	pkg  string // its path
	at   string // file:line:column
	text string
}

func unused(patterns []string) ([]string, error) {
	all, err := packages.Load(&packages.Config{
		Mode:  packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedModule,
		Tests: true,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	declared, used := map[name]bool{}, map[name]bool{}
	constants := map[name]name{} // of a type
	reach := reached{used: used, seen: map[types.Type]bool{}}
	for _, p := range all {
		path := home(p)
		if p.Types == nil || p.TypesInfo == nil || p.Module == nil {
			continue
		}
		if p.Name != "main" && !strings.HasSuffix(p.Name, "_test") {
			for _, text := range p.Types.Scope().Names() {
				o := p.Types.Scope().Lookup(text)
				if n := nameOf(p.Fset, path, o); token.IsExported(text) && !strings.Contains(n.at, "_test.go:") {
					declared[n] = !sentinel(path, o)
					if of, ok := types.Unalias(o.Type()).(*types.Named); ok && of.Obj().Pkg() != nil {
						if _, ok := o.(*types.Const); ok {
							constants[n] = nameOf(p.Fset, pathOf(of.Obj().Pkg().Path()), of.Obj())
						}
					}
				}
			}
		}
		for id, o := range p.TypesInfo.Uses {
			if o.Pkg() != nil && o.Parent() == o.Pkg().Scope() && (pathOf(o.Pkg().Path()) != path || caller(p.Fset, path, id)) {
				used[nameOf(p.Fset, pathOf(o.Pkg().Path()), o)] = true
				reach.fset = p.Fset
				reach.from(o.Type())
			}
		}
	}
	var found []string
	for _, n := range slices.SortedFunc(maps.Keys(declared), func(a, b name) int { return cmp.Compare(a.at, b.at) }) {
		if of, ok := constants[n]; declared[n] && !used[n] && !(ok && used[of]) {
			found = append(found, fmt.Sprintf("%s: %s is used by no other package", n.at, n.text))
		}
	}
	return found, nil
}

// caller tells whether what is written there is a test that stands for a caller.
func caller(fset *token.FileSet, path string, id *ast.Ident) bool {
	return !internal(path) && strings.HasSuffix(fset.Position(id.Pos()).Filename, "_test.go")
}

// sentinel tells whether o is an error that a package returns.
func sentinel(path string, o types.Object) bool {
	_, ok := o.(*types.Var)
	return ok && !internal(path) && strings.HasPrefix(o.Name(), "Err")
}

func internal(path string) bool { return strings.Contains(path, "/internal/") }

func nameOf(fset *token.FileSet, pkg string, o types.Object) name {
	return name{pkg, fset.Position(o.Pos()).String(), o.Name()}
}

// home is the path of the package that a package's tests are of, for these too.
func home(p *packages.Package) string { return pathOf(p.PkgPath) }

func pathOf(path string) string { return strings.TrimSuffix(path, "_test") }

// reached notes as used what types one gets hold of by another.
type reached struct {
	fset *token.FileSet
	used map[name]bool
	seen map[types.Type]bool
}

func (r *reached) from(t types.Type) {
	if r.seen[t] {
		return
	}
	r.seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		if o := t.Obj(); o.Pkg() != nil {
			if !strings.Contains(o.Pkg().Path(), "breaking-backups") {
				return
			}
			r.used[nameOf(r.fset, pathOf(o.Pkg().Path()), o)] = true
		}
		for i := range t.NumMethods() {
			if m := t.Method(i); m.Exported() {
				r.from(m.Type())
			}
		}
		for i := range t.TypeArgs().Len() {
			r.from(t.TypeArgs().At(i))
		}
		r.from(t.Underlying())
	case *types.Alias:
		r.from(types.Unalias(t))
	case *types.Struct:
		for i := range t.NumFields() {
			if f := t.Field(i); f.Exported() || f.Embedded() {
				r.from(f.Type())
			}
		}
	case *types.Signature:
		r.from(t.Params())
		r.from(t.Results())
	case *types.Tuple:
		for i := range t.Len() {
			r.from(t.At(i).Type())
		}
	case *types.Interface:
		for i := range t.NumMethods() {
			r.from(t.Method(i).Type())
		}
	case *types.Map:
		r.from(t.Key())
		r.from(t.Elem())
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels
		r.from(t.Elem())
	}
}
