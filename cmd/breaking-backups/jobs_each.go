package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// each does something with one job after the other, also if it fails with one. Where there are
// several, an error says whose it is.
func (cfg *config) each(ctx context.Context, do func(*config) error) error {
	if len(cfg.jobs) == 1 {
		return do(cfg.jobs[0])
	}
	var all []error
	for _, one := range cfg.jobs {
		if ctx.Err() != nil {
			break
		}
		if err := do(one); err != nil {
			all = append(all, &jobError{one.Job.Name, err})
		}
	}
	if err := context.Cause(ctx); err != nil && len(all) == 0 {
		return err
	}
	return worst(all)
}

// only is the one job of a command that works on one.
func (cfg *config) only(command string) (*config, error) {
	if len(cfg.jobs) == 1 && cfg.jobs[0].Job.PerDatabase {
		parent := cmp.Or(cfg.jobs[0].Job.Name, cfg.jobs[0].Job.Type)
		return nil, exit.UsageError{Err: fmt.Errorf("%s: each database is a job of its own (JOB_PER_DATABASE); want one of them: --job %s-NAME", command, parent)}
	}
	if len(cfg.jobs) == 1 {
		return cfg.jobs[0], nil
	}
	var names []string
	for _, one := range cfg.jobs {
		names = append(names, one.Job.Name)
	}
	return nil, exit.UsageError{Err: fmt.Errorf("%s: there are several jobs (%s); want one of them: --job %s", command, strings.Join(names, ", "), names[0])}
}

// A jobError is why something failed of one of several jobs.
type jobError struct {
	job string
	err error
}

func (e *jobError) Error() string { return "job " + e.job + ": " + e.err.Error() }
func (e *jobError) Unwrap() error { return e.err }

// worst is the errors of several jobs as one, whose kind is that of the worst of them: it decides
// the exit code.
func worst(all []error) error {
	if len(all) <= 1 {
		return errors.Join(all...)
	}
	kind := all[0]
	for _, err := range all[1:] {
		if exit.Worse(err, kind) {
			kind = err
		}
	}
	return &severalError{all, kind}
}

// A severalError is the errors of several jobs. It is taken for the worst.
type severalError struct {
	all  []error
	kind error
}

func (e *severalError) Error() string { return errors.Join(e.all...).Error() }
func (e *severalError) Unwrap() error { return e.kind }
