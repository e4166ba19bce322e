package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// A dump is not for a terminal, and restore does not wait for one to be typed.
func TestTerminals(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	env := []string{"DB_TYPE=postgres"}
	for _, args := range [][]string{{"dump"}, {"restore", "--file", "-"}} {
		var stderr bytes.Buffer
		code := run(t.Context(), args, env, terminal, terminal, &stderr)
		if code != 2 || !strings.Contains(stderr.String(), "is a terminal") {
			t.Errorf("%q: exit code %d\n%s", args, code, stderr.String())
		}
	}
}
