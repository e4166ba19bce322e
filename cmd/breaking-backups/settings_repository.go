package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// repositorySettings say where the snapshots are kept. restic reads further variables itself
// (childEnv).
type repositorySettings struct {
	// Where the repository is, as restic takes it; made on the first run. A folder is given by its
	// whole path, or with `./` before it if it is one within the working folder.
	Location string `env:"RESTIC_REPOSITORY" flag:"repository" secret:"true" help:"where the repository is, as restic takes it" required:"required"`
	// The repository's password. `RESTIC_PASSWORD_COMMAND` in its place is tried before the
	// database is read: one that fails, or has not ended within 3 minutes when the program begins,
	// ends the program with exit code 2, `start` too (restart the container); later it fails that
	// run alone. It is called several times in each run, and has to give the password each time.
	Password string `env:"RESTIC_PASSWORD" secret:"true" help:"the repository's password" required:"required, or RESTIC_PASSWORD_COMMAND"`
	// Further variables that restic gets, and with it whatever it starts: names, separated by
	// commas, `VAULT_ADDR,VAULT_TOKEN` or `OP_*`.
	Env string `env:"RESTIC_ENV" help:"further variables that restic gets, and with it rclone, ssh and the password command: names, e.g. VAULT_ADDR,VAULT_TOKEN or OP_*" shown:"none"`
	// The restic program, 0.17 or newer.
	Binary string `env:"RESTIC_BINARY" help:"restic program, 0.17 or newer" shown:"beside this program, else on PATH"`
	// How long to wait for another's lock. That of a killed run is removed 30 minutes after it was
	// last refreshed, so a wait of 35 minutes outlasts it.
	LockWait seconds `env:"LOCK_WAIT_SECONDS" default:"2100" help:"wait for another's lock; that of a killed container is stale after 30 minutes"`
}

// requireRepository makes sure that the repository can be opened, as far as that can be told
// without contacting it.
func (l *configLoader) requireRepository(cfg *config) {
	if cfg.Repository.Location == "" {
		l.Mistake("RESTIC_REPOSITORY", errors.New("not set, nor RESTIC_REPOSITORY_FILE; want where the repository is, e.g. s3:https://host/bucket"))
	} else if err := checkRepository(cfg.Repository.Location, runtime.GOOS); err != nil {
		l.Mistake("RESTIC_REPOSITORY", err)
	}
	switch command := l.Environ["RESTIC_PASSWORD_COMMAND"]; {
	case cfg.Repository.Password == "" && command == "":
		l.Mistake("RESTIC_PASSWORD", errors.New("not set, nor RESTIC_PASSWORD_FILE; want the repository's password"))
	case cfg.Repository.Password != "" && command != "":
		l.Mistake("RESTIC_PASSWORD_COMMAND", errors.New("set as well as RESTIC_PASSWORD or its _FILE; want one of them"))
	}
	var err error
	if cfg.restic, err = findRestic(cfg.Repository.Binary); err != nil {
		l.Mistake("RESTIC_BINARY", err)
	}
}

// findRestic returns the path of the named program; without a name, of the restic beside our own
// program or on PATH.
func findRestic(name string) (string, error) {
	if name == "" {
		if self, err := os.Executable(); err == nil {
			if beside, err := exec.LookPath(filepath.Join(filepath.Dir(self), "restic")); err == nil {
				return beside, nil
			}
		}
		path, err := exec.LookPath("restic")
		if err != nil {
			return "", fmt.Errorf("there is no restic beside this program or on PATH: %w", err)
		}
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("want the path of restic 0.17 or newer: %w", err)
	}
	return path, nil
}

// backendSecrets are variables of restic's storage backends that hold secrets. restic reads them
// itself; from us they get their _FILE form.
func backendSecrets() []string {
	return []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AZURE_ACCOUNT_KEY", "AZURE_ACCOUNT_SAS", "B2_ACCOUNT_ID", "B2_ACCOUNT_KEY",
		"OS_PASSWORD", "OS_APPLICATION_CREDENTIAL_SECRET", "OS_AUTH_TOKEN", "ST_KEY",
		"RESTIC_REST_USERNAME", "RESTIC_REST_PASSWORD",
	}
}
