// Command docs makes what in docs/ is made: the picture of the README, of its text. Run it in the
// repository's root. Its tests hold what people read against the repository: that the picture is
// that of its text, that links lead somewhere, and that flags, variables and places exist.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	pictureText = "docs/path-of-a-byte.txt"
	pictureFile = "docs/path-of-a-byte.svg"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintf(os.Stderr, "docs: %v\n", err)
		os.Exit(1)
	}
}

// run draws the picture in the repository at root.
func run(root string) error {
	text, err := os.ReadFile(filepath.Join(root, pictureText))
	if err != nil {
		return err
	}
	road, err := parseRoad(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", pictureText, err)
	}
	return os.WriteFile(filepath.Join(root, pictureFile), road.svg(), 0o644)
}
