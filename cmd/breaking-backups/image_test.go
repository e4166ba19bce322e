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

// Nothing gets into the image's build but what is named: neither a secret nor a dump that lies in
// the folder.
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

// Every base of the image is named by version and digest, and the label names the last one.
func TestImageBasesAreExact(t *testing.T) {
	from := regexp.MustCompile(`^FROM (?:--platform=\S+ )?(\S+:\S+)@(sha256:[0-9a-f]{64})(?: AS \w+)?$`)
	var base []string
	lines := readLines(t, "Dockerfile")
	for _, line := range lines {
		if !strings.HasPrefix(line, "FROM ") {
			continue
		}
		if base = from.FindStringSubmatch(line); base == nil {
			t.Fatalf("%s: it names no version with its digest", line)
		}
	}
	if base == nil {
		t.Fatal("the Dockerfile names no base")
	}
	for label, value := range map[string]string{"name": base[1], "digest": base[2]} {
		if want := "org.opencontainers.image.base." + label + "=" + `"` + value + `" \`; !slices.Contains(lines, want) {
			t.Errorf("the Dockerfile has no line %s", want)
		}
	}
}
