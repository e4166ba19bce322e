package process

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
)

func TestMain(m *testing.M) { restictest.Main(m) }

// What restic says is told as it comes, but for its parting words and passwords.
func TestSaid(t *testing.T) {
	var said []string
	program := &Program{
		Env:  []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()},
		Said: func(line string) { said = append(said, line) },
		Binary: restictest.Script(t, `echo 'Save(x) returned error, retrying after 1s: http://me:secret@host: 500' >&2
			echo '{"message_type":"error","error":{"message":"cache: no space"}}' >&2
			echo '{"message_type":"exit_error","code":1,"message":"Fatal: it is over"}' >&2; echo 'Fatal: over' >&2; exit 1`),
	}
	err := program.Run(t.Context(), Command{Op: "snapshots", Args: []string{"snapshots"}})
	want := []string{"Save(x) returned error, retrying after 1s: http://me:***@host: 500", "cache: no space"}
	if !slices.Equal(said, want) {
		t.Errorf("told %q, want %q", said, want)
	}
	if err == nil || !strings.HasSuffix(err.Error(), "it is over; over") {
		t.Errorf("error %v", err)
	}
}
