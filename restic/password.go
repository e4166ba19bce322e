package restic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// CheckPasswordCommand has restic run RESTIC_PASSWORD_COMMAND, if Env has one, and tells why there is no password. The
// repository is not contacted: restic is shown a folder that looks like one and that no password opens. Where the command
// fails only later, restic fails in the middle of a backup.
func (c *Client) CheckPasswordCommand(ctx context.Context) error {
	if c.getenv("RESTIC_PASSWORD_COMMAND") == "" {
		return nil
	}
	const op = "password command"
	folder, err := os.MkdirTemp("", "breaking-backups-*.try")
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	defer os.RemoveAll(folder)
	// restic asks for a password once there is a config, which must not be empty.
	if err := os.WriteFile(filepath.Join(folder, "config"), []byte("none"), 0o600); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	silent := *c // all that it says is in the error
	silent.Said = nil
	// Its own address stays in the environment, where the command may look at it. A file of it restic does not take beside --repo.
	err = silent.run(ctx, command{op: op, args: []string{"cat", "config", "--no-lock", "--no-cache", "--repo=local:" + folder}, env: []string{"RESTIC_REPOSITORY_FILE="}})
	var e *Error
	switch {
	case errors.Is(err, ErrWrongPassword), errors.As(err, &e) && strings.Contains(e.Stderr, "wrong password"): // 0.17.0 ends with 1
		return nil
	case err == nil:
		return fmt.Errorf("%s: restic opens a repository that is none", op)
	}
	return err
}
