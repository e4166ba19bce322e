// Command systems type-checks packages, tests included, for every system that the program is built
// for but this one, which go vet looks at.
//
// It reads the source of all that they import. go vet would have each dependency compiled first for
// each system: minutes on a fresh machine.
package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/tools/go/packages"
)

func main() {
	sound := true
	for _, system := range []string{"linux", "darwin", "freebsd", "windows"} {
		for _, machine := range []string{"amd64", "arm64"} {
			if system != runtime.GOOS || machine != runtime.GOARCH {
				sound = check(system, machine, os.Args[1:]) && sound
			}
		}
	}
	if !sound {
		os.Exit(1)
	}
}

// check prints what is wrong with the packages on one system, and reports whether that is nothing.
func check(system, machine string, patterns []string) (sound bool) {
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedModule,
		Tests: true,
		Env:   append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+machine),
	}, patterns...)
	if err != nil {
		fmt.Printf("%s/%s: %v\n", system, machine, err)
		return false
	}
	said := map[string]bool{} // a package with its tests is another package
	packages.Visit(all, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			if line := e.Error(); !said[line] {
				said[line] = true
				fmt.Printf("%s/%s: %s\n", system, machine, line)
			}
		}
	})
	return len(said) == 0
}
