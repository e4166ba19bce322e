package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// A secret on the command line, where none belongs, is not repeated.
func TestCommandLineIsRedacted(t *testing.T) {
	for _, args := range [][]string{
		{"postgres://app:s3cret@db/app"}, {"dump", "PGPASSWORD=s3cret"}, {"dump", "postgres://app:s3cret@db/app"}, {"dump", "--pgpassword=s3cret"}, {"--restic-password", "s3cret"},
	} {
		var stderr bytes.Buffer
		code := (&app{stdout: &stderr, stderr: &stderr}).execute(t.Context(), args)
		if code != exit.Usage || strings.Contains(stderr.String(), "s3cret") || stderr.Len() == 0 {
			t.Errorf("%q: exit code %d\n%s", args, code, stderr.String())
		}
	}
}
