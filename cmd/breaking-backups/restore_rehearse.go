package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

// obstacleError is why a restore would not begin.
type obstacleError struct{ obstacles []error }

func (e *obstacleError) Error() string {
	text := "restore: it would not begin: " + e.obstacles[0].Error()
	if more := len(e.obstacles) - 1; more > 0 {
		text += "; and " + number(more, "other thing") + " in the way"
	}
	return text
}

// Unwrap is all that is in the way.
func (e *obstacleError) Unwrap() []error { return e.obstacles }

// rehearse says on stdout what a restore would do, and changes nothing. It fails where a restore
// would not begin.
func (r *restoration) rehearse(ctx context.Context, loader destination) error {
	r.tell.Note("looking at what a restore would do", "dump", r.name)
	var found dump.Rehearsal
	bytes, err := r.pipe().Pipe(ctx, r.passes(event.Verify, r.wanted), func(ctx context.Context, from io.Reader) (err error) {
		found, err = loader.Rehearse(ctx, from)
		return err
	})
	if err != nil {
		return fmt.Errorf("restore: dry run: %w", err)
	}
	r.tracker.End()
	r.printRehearsal(bytes, found)
	if len(found.Obstacles) > 0 {
		return &obstacleError{found.Obstacles}
	}
	fmt.Fprintln(r.app.stdout, "\na restore would begin; nothing was changed")
	return nil
}

// printRehearsal writes what was found out: where the dump comes from and goes, what would be
// dropped, what is in the way and what is missing, and the tables.
func (r *restoration) printRehearsal(bytes int64, found dump.Rehearsal) {
	table := terminal.NewTable(r.app.stdout)
	list := func(head string, lines ...string) {
		for _, line := range lines {
			if line != "" {
				table.Row(head, line)
				head = ""
			}
		}
	}
	list("dump", r.name+", "+terminal.Size(uint64(bytes)))
	list("from", found.From)
	if found.Target.Server != "" {
		list("into", destinationOf(found.Target))
	}
	list("server", found.To)
	list("drops", found.Target.Drops...)
	var obstacles []string
	for _, err := range found.Obstacles {
		obstacles = append(obstacles, err.Error())
	}
	list("in the way", obstacles...)
	list("missing", found.Missing...)
	table.Flush()
	r.printTables(found)
}

// printTables writes what would be loaded, table by table.
func (r *restoration) printTables(found dump.Rehearsal) {
	w := r.app.stdout
	if len(found.Tables) == 0 {
		return
	}
	fmt.Fprintln(w)
	table := terminal.NewTable(w)
	table.Row(strings.ToUpper(r.job.engine.table), strings.ToUpper(r.job.engine.row)+"S", "SIZE")
	for i, t := range found.Tables {
		size := ""
		if i < len(found.Bytes) && found.Bytes[i] > 0 {
			size = terminal.Size(uint64(found.Bytes[i]))
		}
		table.Row(t.Name, strconv.FormatInt(t.Rows, 10), size)
	}
	table.Flush()
	fmt.Fprintf(w, "%s, %s\n", number(len(found.Tables), r.job.engine.table), number(found.Tables.Rows(), r.job.engine.row))
}
