package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// Every command has examples, and help that is no wider than a terminal of 80 letters where nobody
// knows the width.
func TestHelp(t *testing.T) {
	commands := []string{""}
	for _, c := range (&app{}).commands() {
		commands = append(commands, c.use)
	}
	for _, name := range commands {
		var out bytes.Buffer
		if code := run(t.Context(), []string{"help", name}[:1+min(len(name), 1)], nil, strings.NewReader(""), &out, &out); code != exit.Done {
			t.Errorf("help %s: exit code %d", name, code)
		}
		if !strings.Contains(out.String(), "\nExamples:\n  ") {
			t.Errorf("help %s has no examples", name)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("help %s: a line of %d letters: %s", name, n, line)
			}
		}
	}
}
