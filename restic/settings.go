package restic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

const passwordCommand = "RESTIC_PASSWORD_COMMAND"

// triedSettings are restic's variables that can be wrong in ways that only restic knows.
var triedSettings = []string{passwordCommand, "RESTIC_PACK_SIZE", "RESTIC_COMPRESSION", "RESTIC_CACERT", "RESTIC_TLS_CLIENT_CERT"}

// CheckSettings has restic read those of its variables in Env that can be wrong, run the password
// command too, and tells what it says of them. The repository is not contacted: restic is shown a
// folder that looks like one and that no password opens. Without that it would tell in the middle
// of a backup; where no such folder can be made, for which none of them is to blame, it does.
func (c *Client) CheckSettings(ctx context.Context) error {
	set := slices.DeleteFunc(slices.Clone(triedSettings), func(name string) bool { return c.program().Getenv(name) == "" })
	if len(set) == 0 {
		return nil
	}
	op := strings.Join(set, ", ")
	folder, err := os.MkdirTemp("", "breaking-backups-*.try")
	if err != nil {
		return nil
	}
	defer os.RemoveAll(folder)
	// restic asks for a password once there is a config, which must not be empty.
	if err := os.WriteFile(filepath.Join(folder, "config"), []byte("none"), 0o600); err != nil {
		return nil
	}
	began := time.Now()
	silent := *c.program() // all that it says is in the error, and what it waits for is no store
	silent.Said, silent.Still, silent.Stall = nil, nil, 0
	// Its own address stays in the environment, where the command may look at it. A file of it
	// restic does not take beside --repo.
	err = silent.Run(ctx, process.Command{Op: op, Args: []string{"cat", "config", "--no-lock", "--no-cache", "--repo=local:" + folder}, Env: []string{"RESTIC_REPOSITORY_FILE="}})
	var e *Error
	switch {
	case err != nil && ctx.Err() != nil && slices.Contains(set, passwordCommand):
		return fmt.Errorf("%s: not ended within %s; want a command that asks nobody, and gives up by itself where its server does not answer",
			passwordCommand, time.Since(began).Round(time.Second))
	case errors.Is(err, ErrWrongPassword), errors.As(err, &e) && strings.Contains(e.Stderr, "wrong password"): // 0.17.0 ends with 1
		return nil
	case err == nil:
		return fmt.Errorf("%s: restic opens a repository that is none", op)
	}
	return err
}
