package restic

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// What restic does not take of its variables, and a command that gives no password, is told without
// a look at the repository, which is not there.
func TestCheckSettings(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]string{
		"":                                 "",
		"RESTIC_PASSWORD_COMMAND=echo any": "",
		`RESTIC_PASSWORD_COMMAND=sh -c 'echo "$RESTIC_REPOSITORY"'`:      "",
		`RESTIC_PASSWORD_COMMAND=sh -c 'echo "$RESTIC_REPOSITORY_FILE"'`: "empty password is not allowed",
		"RESTIC_PASSWORD_COMMAND=true":                                   "empty password is not allowed",
		"RESTIC_PASSWORD_COMMAND=false":                                  "RESTIC_PASSWORD_COMMAND: restic: Resolving password failed: exit status 1",
		"RESTIC_PASSWORD_COMMAND=no-such-program":                        "executable file not found",
		"RESTIC_PASSWORD_COMMAND=sh -c 'echo no vault >&2; exit 3'":      "RESTIC_PASSWORD_COMMAND: restic: no vault; Resolving password failed: exit status 3",
		"RESTIC_PASSWORD_COMMAND='unclosed":                              "Resolving password failed: ",
		"RESTIC_PACK_SIZE=many":                                          `RESTIC_PACK_SIZE: restic: invalid value for RESTIC_PACK_SIZE "many"`,
		"RESTIC_COMPRESSION=zip":                                         `RESTIC_COMPRESSION: restic: invalid value for RESTIC_COMPRESSION "zip"`,
		"RESTIC_COMPRESSION=max":                                         "",
		"RESTIC_CACERT=/nowhere":                                         "RESTIC_CACERT: restic: unable to read root certificate: open /nowhere: no such file",
		"RESTIC_TLS_CLIENT_CERT=/nowhere":                                "RESTIC_TLS_CLIENT_CERT: restic: ReadFile: open /nowhere: no such file",
	} {
		env := []string{"PATH=" + os.Getenv("PATH"), "RESTIC_REPOSITORY=rest:http://127.0.0.1:1/", set}
		if !strings.HasPrefix(set, "RESTIC_PASSWORD_COMMAND") {
			env = append(env, "RESTIC_PASSWORD=x")
		}
		c := &Client{Binary: servers.Restic(t), Env: env, Said: func(line string) { t.Errorf("%s: said: %s", set, line) }}
		err := c.CheckSettings(t.Context())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", set, err, want)
		}
	}
}

// A command that does not end is told as that: no store has been asked, so none is told of.
func TestSlowPasswordCommand(t *testing.T) {
	t.Parallel()
	c := &Client{
		Binary: servers.Restic(t), Env: []string{"PATH=" + os.Getenv("PATH"), "RESTIC_REPOSITORY=/nowhere", "RESTIC_PASSWORD_COMMAND=sleep 60"},
		Stall: 10 * time.Millisecond, Grace: 10 * time.Millisecond,
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	const want = "RESTIC_PASSWORD_COMMAND: not ended within 1s; want a command that asks nobody"
	if err := c.CheckSettings(ctx); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// None of the settings is to blame where there is no room to try them, and what restores needs
// none.
func TestCheckSettingsWithoutTemp(t *testing.T) {
	t.Setenv("TMPDIR", "/nowhere")
	c := &Client{Binary: servers.Restic(t), Env: []string{"RESTIC_PASSWORD=x", "RESTIC_COMPRESSION=max"}}
	if err := c.CheckSettings(t.Context()); err != nil {
		t.Error(err)
	}
}
