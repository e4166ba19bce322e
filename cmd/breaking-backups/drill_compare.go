package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/notify/event"
)

// compare holds the copy against what the dump says, table by table.
func (d *drill) compare(said, copied dump.Manifest, database, name string) {
	if d.contents != nil { // of which each load has a part, perhaps by other names
		said = d.contents.Tables
	}
	if !d.engine.named {
		d.evidence.compared(database, d.engine.tablesOf(said, database), copied)
		return
	}
	of := database
	if all := d.engine.within(&dump.Contents{Tables: said}); of == "" && len(all) > 0 {
		of = all[0]
	}
	d.evidence.compared(database, d.engine.tablesOf(said, of), d.engine.tablesOf(copied, name))
}

// checkWants is what behind a question says what its answer has to be.
const checkWants = " => "

// ask asks the copy what the user wants asked.
func (d *drill) ask(ctx context.Context, scratch dump.Scratch, name string) error {
	questions := splitChecks(d.job.drill.Checks)
	if len(questions) > 0 {
		d.tell.Phase(event.Ask)
	}
	for _, question := range questions {
		text, want, _ := cutLast(question, checkWants)
		began, end := time.Now(), drillEnd(ctx)
		got, err := scratch.Check(ctx, name, text)
		answer := answered{Question: text, Want: want, Got: got[:min(len(got), mostGot)]}
		switch {
		case errors.As(err, new(*dump.QuestionError)) && !end.IsZero() && time.Since(began) >= end.Sub(began)*8/10: // it had nine tenths
			return exit.UntriedError{Err: fmt.Errorf("drill: check %q: no time is left for it (VERIFY_TIMEOUT_SECONDS): %w", text, err)}
		case errors.As(err, new(*dump.QuestionError)):
			answer.Error = d.redact.String(err.Error())
		case err != nil:
			return fmt.Errorf("drill: check %q: %w", text, err)
		case want == "":
			answer.Right = isTrue(got)
		default:
			answer.Right = got == want
		}
		d.evidence.Checks = append(d.evidence.Checks, answer)
	}
	return nil
}

// mostGot is how much of an answer is evidence, in bytes: it may be anything that the database
// holds.
const mostGot = 200

// drillEnd is when the drill's time is over; zero: it has no bound.
func drillEnd(ctx context.Context) time.Time {
	end, _ := ctx.Deadline()
	return end
}

// splitChecks are the questions, a line each. Lines that are empty, or begin with #, are none.
func splitChecks(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return strings.TrimSpace(text[:i]), strings.TrimSpace(text[i+len(sep):]), true
}

// isTrue tells whether an answer is what an engine calls true.
func isTrue(answer string) bool { return answer == "true" || answer == "t" || answer == "1" }
