package restic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
	"github.com/breaking-backups/breaking-backups/restic/internal/repository"
)

// BackupOptions say how a snapshot is named. Host and Filename must not change from run to run:
// restic groups snapshots by them.
type BackupOptions struct {
	Host        string   // required
	Filename    string   // the file's name inside the snapshot; required
	Tags        []string // without commas
	Compression string   // restic's --compression; empty: restic's default, or RESTIC_COMPRESSION

	// NoWait has a backup that finds the repository locked fail with [ErrLocked] at once: whoever
	// writes the stream holds a database's snapshot meanwhile. Let go of it, call
	// [Client.AwaitLock], and begin anew.
	NoWait bool
}

// Backup makes a snapshot of one file that holds all of r.
//
// io.EOF from r is the commit, and nothing else is: not another read error, a cancelled ctx, a
// crash or a kill of this process. In all those cases no snapshot is left, and except after a kill
// no lock either. restic takes the end of its input for the end of the data, so the input must not
// be able to end by accident; input.go says how that is done.
//
// When restic ends early and r has a CloseWithError or Close method (as io.Pipe's reader), it is
// called, so that a Read that is still waiting returns; Backup returns after that Read has. When
// ctx ends r must end too, or be such a reader.
//
// The error of r is wrapped. restic's own is an [*Error].
func (c *Client) Backup(ctx context.Context, options BackupOptions, r io.Reader) (Summary, error) {
	if options.Host == "" || options.Filename == "" {
		return Summary{}, errors.New("backup: host and file name are required")
	}
	in, err := newInput()
	if err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	defer in.close()

	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	defer context.AfterFunc(ctx, in.abort)()
	var feeding sync.WaitGroup
	feeding.Go(func() {
		if err := in.feed(r); err != nil {
			abort(err)
		}
	})

	var said messages
	run := c.keeper().Run
	if options.NoWait {
		run = c.keeper().Try
	}
	err = run(ctx, process.Command{
		Op:     "backup",
		Args:   options.args(),
		Stdin:  in.restics,
		Extra:  []*os.File{in.held},
		Stdout: &said,
		Idle:   in.starved.Load,
		Long:   true,
	})
	in.close()
	if !in.committed() {
		closeReader(r, err)
	}
	feeding.Wait()
	return c.judge(ctx, in, said.summary, err)
}

func (o BackupOptions) args() []string {
	// No scan: it is for estimates, of which there are none for a stream.
	args := []string{"backup", "--json", "--no-scan", "--stdin", "--stdin-filename=" + o.Filename, "--host=" + o.Host}
	for _, tag := range o.Tags {
		args = append(args, "--tag="+tag)
	}
	if o.Compression != "" {
		args = append(args, "--compression="+o.Compression)
	}
	return args
}

// judge holds what restic says against what we know. A snapshot that may not be whole is taken out
// of the repository again, whatever restic's exit status was.
func (c *Client) judge(ctx context.Context, in *input, summary *Summary, err error) (Summary, error) {
	if summary == nil || summary.SnapshotID == "" {
		if err == nil {
			err = errors.New("backup: restic ended without a snapshot")
		}
		return Summary{}, err
	}
	written := in.written()
	whole := in.committed() && summary.TotalBytesProcessed == written && !errors.Is(err, process.ErrIncomplete)
	switch {
	case whole && (err == nil || errors.Is(err, process.ErrInterrupted)):
		// An interrupt after the commit can come too late to matter: restic then exits 130 with the
		// snapshot made.
		return *summary, nil
	case whole:
		return Summary{}, fmt.Errorf("%w (snapshot %s is whole and stays)", err, summary.SnapshotID)
	case err == nil && in.committed():
		err = fmt.Errorf("backup: restic read %d bytes of %d", summary.TotalBytesProcessed, written)
	case err == nil:
		err = errors.New("backup: restic ended before its input did")
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.LockWait+repository.MissedRefresh+time.Minute)
	defer cancel()
	forgetErr := c.keeper().Run(ctx, process.Command{Op: "forget", Args: []string{"forget", summary.SnapshotID}})
	if forgetErr != nil {
		return Summary{}, fmt.Errorf("%w (snapshot %s is not whole and could not be removed: %w)", err, summary.SnapshotID, forgetErr)
	}
	return Summary{}, fmt.Errorf("%w (snapshot %s was not whole and is removed)", err, summary.SnapshotID)
}

// closeReader ends a Read of r that is still waiting.
func closeReader(r io.Reader, cause error) {
	switch r := r.(type) {
	case interface{ CloseWithError(error) error }:
		_ = r.CloseWithError(cause)
	case io.Closer:
		_ = r.Close()
	}
}
