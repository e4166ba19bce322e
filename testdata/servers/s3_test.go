package servers

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// restic makes a repository in the bucket, fills it and reads it back.
func TestS3(t *testing.T) {
	s3, binary := S3(t), Restic(t)
	restic := func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command(binary, append([]string{"--no-cache", "-q"}, args...)...)
		cmd.Env = append(s3.Env(), "RESTIC_REPOSITORY="+s3.Repository("here"), "RESTIC_PASSWORD=secret", "TMPDIR="+os.TempDir())
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("restic %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	restic("", "init")
	restic("hello", "backup", "--stdin", "--stdin-filename", "x.sql")
	if got := restic("", "dump", "latest", "x.sql"); got != "hello" {
		t.Errorf("dump: %q", got)
	}
	restic("", "check")
}
