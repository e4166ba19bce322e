package restic

import (
	"os"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// A command that gives no password is told of without a look at the repository, which is not there, and one that gives any
// is well.
func TestCheckPasswordCommand(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"":                                  "",
		"echo any":                          "",
		`sh -c 'echo "$RESTIC_REPOSITORY"'`: "",
		"false":                             "password command: restic: Resolving password failed: exit status 1",
		"no-such-program":                   "executable file not found",
		"sh -c 'echo no vault >&2; exit 3'": "password command: restic: no vault; Resolving password failed: exit status 3",
		"true":                              "empty password is not allowed",
		"'unclosed":                         "Resolving password failed: ",
		"sh -c 'echo \"$RESTIC_REPOSITORY_FILE\"'": "empty password is not allowed",
	} {
		c := &Client{Binary: servers.Restic(t), Env: []string{"PATH=" + os.Getenv("PATH"), "RESTIC_REPOSITORY=rest:http://127.0.0.1:1/", "RESTIC_PASSWORD_COMMAND=" + command}}
		c.Said = func(line string) { t.Errorf("%s: said: %s", command, line) }
		err := c.CheckPasswordCommand(t.Context())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", command, err, want)
		}
	}
}
