package main

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/breaking-backups/breaking-backups/restic"
)

// reachTime bounds how long a repository may take to be reached or made. restic itself tries for a
// quarter of an hour, even where a bucket or host does not exist: too long for a person who waits,
// and for the next run to begin in time.
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
		r.tell.Note("repository made", "repository", r.store.shown)
	}
	return nil
}

// begun waits for the first byte of a stream, or for its end, and returns the whole of it.
func begun(r io.Reader) (io.Reader, error) {
	first := make([]byte, 1)
	n, err := io.ReadFull(r, first)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return begunStream{io.MultiReader(bytes.NewReader(first[:n]), r), r}, nil
}

// A begunStream is closed as the stream that it is of, see [restic.Client.Backup].
type begunStream struct {
	io.Reader
	of io.Reader
}

// CloseWithError ends the wait for what comes, where that can be ended.
func (s begunStream) CloseWithError(err error) error {
	if of, ok := s.of.(interface{ CloseWithError(error) error }); ok {
		return of.CloseWithError(err)
	}
	return nil
}
