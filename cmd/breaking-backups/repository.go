package main

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/restic"
)

// reachTime bounds how long a repository may take to be reached or made. restic itself tries for a quarter of an hour,
// even where a bucket or host does not exist: too long for a person who waits, and for the next run to begin in time.
const reachTime = 3 * time.Minute

// ensure makes the repository if there is none, and reports whether it did.
func ensure(ctx context.Context, client *restic.Client) (created bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	return client.Ensure(ctx)
}

// A repository is that of one run.
type repository struct {
	*backup
	missing bool // it was looked for, and is not made yet
}

// look opens the repository, if there is one. It makes none.
func (r *repository) look(ctx context.Context) error {
	looking, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	state, err := r.restic.Look(looking)
	switch {
	case err != nil:
		return err
	case state == restic.Unsettled:
		return r.create(ctx)
	}
	r.missing = state == restic.Missing
	return nil
}

// create makes the repository, unless somebody else has by now.
func (r *repository) create(ctx context.Context) error {
	created, err := ensure(ctx, r.restic)
	if err != nil {
		return err
	}
	r.missing = false
	if created {
		r.log.Info("repository made", "repository", r.cfg.shownRepository())
	}
	return nil
}

// announced is a dump that closes begun with its first bytes, or once it has succeeded without any.
func announced(dump func(context.Context, io.Writer) error) (announcing func(context.Context, io.Writer) error, begun <-chan struct{}) {
	comes := make(chan struct{})
	announce := sync.OnceFunc(func() { close(comes) })
	return func(ctx context.Context, w io.Writer) error {
		err := dump(ctx, announcer{w, announce})
		if err == nil {
			announce()
		}
		return err
	}, comes
}

type announcer struct {
	io.Writer
	announce func()
}

func (a announcer) Write(p []byte) (int, error) {
	a.announce()
	return a.Writer.Write(p)
}
