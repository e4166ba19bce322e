package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readLines are the lines of a file at the top of the repository that say something.
func readLines(t *testing.T, name string) (said []string) {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	mustDo(t, err)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			said = append(said, line)
		}
	}
	return said
}

// Nothing gets into the image's build but what is named: neither a secret nor a dump that lies in the folder.
func TestImageTakesWhatIsNamed(t *testing.T) {
	lines := readLines(t, ".dockerignore")
	if len(lines) == 0 || lines[0] != "*" {
		t.Fatalf(".dockerignore begins with %q, not by leaving everything out", lines)
	}
	folder := regexp.MustCompile(`^![a-z]+$`)
	source := regexp.MustCompile(`^!([a-z]+/\*\*/\*\.go|(testdata/tools/)?go\.(mod|sum)|LICENSE|testdata/tools/licences)$`)
	files := slices.Index(lines, "**/*.*") // leaves out all that is in the folders before it
	for i, line := range lines {
		if strings.HasPrefix(line, "!") && !source.MatchString(line) && (i > files || !folder.MatchString(line)) {
			t.Errorf(".dockerignore lets in more than source: %s", line)
		}
	}
	for name := range mayImport {
		if room, _, _ := strings.Cut(name, "/"); !slices.Contains(lines, "!"+room) || !slices.Contains(lines, "!"+room+"/**/*.go") {
			t.Errorf(".dockerignore leaves out package %s", name)
		}
	}
}

// Every base of the image is named by version and digest.
func TestImageBasesAreExact(t *testing.T) {
	bases := map[string]string{}
	pinned := regexp.MustCompile(`^\S+:\S+@sha256:[0-9a-f]{64}$`)
	for _, line := range readLines(t, "Dockerfile") {
		if name, value, ok := strings.Cut(strings.TrimPrefix(line, "ARG "), "="); ok && strings.HasPrefix(line, "ARG ") {
			bases["${"+name+"}"] = value
		}
		if !strings.HasPrefix(line, "FROM ") {
			continue
		}
		for _, word := range strings.Fields(line)[1:] {
			if strings.HasPrefix(word, "--") {
				continue
			}
			if base, ok := bases[word]; ok {
				word = base
			}
			if !pinned.MatchString(word) {
				t.Errorf("%s: %q is not a version with its digest", line, word)
			}
			break
		}
	}
	if len(bases) == 0 {
		t.Error("the Dockerfile names no base")
	}
}
