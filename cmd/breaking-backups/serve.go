package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/notify/web"
)

// serve answers over HTTP what is known of the jobs, if that is asked for, until stop is called.
// asks has a run of a job begin, by its name. What the repositories hold is read meanwhile.
func (e environment) serve(ctx context.Context, s httpSettings, jobs []job, asks map[string]chan struct{}) (stop func(), err error) {
	if s.Address == "" {
		return func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Address)
	if err != nil {
		return nil, &exit.ConfigError{Mistakes: []error{fmt.Errorf("HTTP_ADDR: %w", err)}}
	}
	seeding := e.newSeeding(jobs)
	handler := web.New(web.Config{
		Board: e.board, Zone: e.zone, Version: programVersion(), Ready: seeding.ready,
		Run:     func(name string) error { return ask(asks, name) },
		Metrics: e.meter.Handler(),
		Token:   s.Token, User: s.user, Password: s.password,
	})
	e.log.Info("answering over HTTP", "address", listener.Addr().String())
	ctx, cancel := context.WithCancel(ctx)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := web.Serve(ctx, listener, handler); err != nil {
			e.log.Error("no more is answered over HTTP", "error", err)
		}
	})
	serving.Go(func() { seeding.run(ctx) })
	return func() {
		cancel()
		serving.Wait()
	}, nil
}

// ask has a run of a job begin, unless one was asked for already.
func ask(asks map[string]chan struct{}, name string) error {
	asked, ok := asks[name]
	if !ok {
		return web.ErrNoJob
	}
	select {
	case asked <- struct{}{}:
		return nil
	default:
		return web.ErrRunning
	}
}

var errSeeding = errors.New("what the repository holds is still being read")
