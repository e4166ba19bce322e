package main

import (
	"context"
	"strings"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// push leaves the metrics of jobs whose runs have ended with a Pushgateway, if there is one.
func (e environment) push(ctx context.Context, s pushSettings, jobs []job) {
	if s.url == nil || len(jobs) == 0 {
		return
	}
	var names []string
	for _, j := range jobs {
		names = append(names, j.name)
	}
	pushing, cancel := exit.Lingering(ctx, signalTime)
	defer cancel()
	if err := e.meter.Push(pushing, s.url, strings.Join(names, ",")); err != nil {
		e.log.Warn("the metrics are not left with the Pushgateway", "error", err)
	}
}
