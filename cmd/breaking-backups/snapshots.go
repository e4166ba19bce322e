package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
)

func (a *app) snapshots() command {
	var all, asJSON bool
	return command{
		use:   "snapshots",
		short: "List the snapshots: id, time, job, size, bytes added",
		long: `Lists this job's snapshots, oldest first; with --all, or where DB_TYPE is not set, those of the whole repository.
The size is that of the dump, added is what the repository grew by before compression.`,
		example: "  breaking-backups snapshots\n  breaking-backups snapshots --all --json | jq -r '.[-1].id'",
		groups:  []string{"jobs", "job", "postgres", "mysql", "mongo", "repository", "log"},
		needs: func(cfg *config) needs {
			all = all || cfg.Job.Type == ""
			return needs{job: !all, repository: true}
		},
		flags: func(flags *pflag.FlagSet) {
			flags.BoolVar(&all, "all", false, "every snapshot in the repository")
			flags.BoolVar(&asJSON, "json", false, "a JSON array instead of a table")
		},
		run: func(ctx context.Context, cfg *config) error {
			env := a.environment(cfg)
			var found []restic.Snapshot
			err := cfg.each(ctx, func(one *config) error {
				of, err := env.listed(ctx, one, all)
				found = append(found, of...)
				return err
			})
			if err != nil && len(found) == 0 {
				return err
			}
			found = eachOnce(found)
			if asJSON {
				return worst(withoutNil(err, a.printSnapshotsJSON(found)))
			}
			a.printSnapshots(env, found)
			return err
		},
	}
}

// listed are the snapshots of a job, or of all in its repository.
func (e environment) listed(ctx context.Context, cfg *config, all bool) ([]restic.Snapshot, error) {
	client, err := e.checkedRestic(ctx, newStore(cfg), e.teller(event.Run{}))
	if err != nil {
		return nil, err
	}
	if all {
		return client.Snapshots(ctx, restic.Filter{})
	}
	j, err := newJob(cfg)
	if err != nil {
		return nil, err
	}
	var found []restic.Snapshot
	err = j.eachStored(ctx, client, func(j job) error {
		of, err := client.Snapshots(ctx, j.filter())
		found = append(found, of...)
		return err
	})
	return found, err
}

// eachOnce puts snapshots of several jobs in the order of their time, each once.
func eachOnce(snapshots []restic.Snapshot) []restic.Snapshot {
	slices.SortStableFunc(snapshots, func(a, b restic.Snapshot) int { return a.Time.Compare(b.Time) })
	seen := map[string]bool{}
	return slices.DeleteFunc(snapshots, func(s restic.Snapshot) bool {
		before := seen[s.ID]
		seen[s.ID] = true
		return before
	})
}

func (a *app) printSnapshots(env environment, snapshots []restic.Snapshot) {
	table := terminal.NewTable(a.stdout)
	table.Row("ID", "TIME", "JOB", "HOST", "SIZE", "ADDED", "TAGS")
	for _, s := range snapshots {
		table.Row(shortID(s.ID), env.showTime(s.Time), jobOf(s), s.Host,
			terminal.Size(s.Summary.TotalBytesProcessed), terminal.Size(s.Summary.DataAdded), strings.Join(givenTags(s), ","))
	}
	table.Flush()
}

// printSnapshotsJSON writes the form that --json promises to programs.
func (a *app) printSnapshotsJSON(snapshots []restic.Snapshot) error {
	type row struct {
		ID         string    `json:"id"`
		Time       time.Time `json:"time"`
		Job        string    `json:"job"`
		Host       string    `json:"host"`
		Path       string    `json:"path"`
		Tags       []string  `json:"tags"`
		Source     string    `json:"source"`
		Empty      bool      `json:"empty"`
		SizeBytes  uint64    `json:"sizeBytes"`
		AddedBytes uint64    `json:"addedBytes"`
	}
	rows := []row{}
	for _, s := range snapshots {
		rows = append(rows, row{
			s.ID, s.Time.UTC(), jobOf(s), s.Host, strings.Join(s.Paths, ","), append([]string{}, givenTags(s)...), strings.Join(sourcesOf(s), ","), slices.Contains(s.Tags, emptyTag),
			s.Summary.TotalBytesProcessed, s.Summary.DataAdded,
		})
	}
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}

// jobOf is the job that made a snapshot, or the paths of one that is not ours.
func jobOf(s restic.Snapshot) string {
	paths := strings.Join(s.Paths, ",")
	if name, note := strings.CutSuffix(strings.TrimPrefix(paths, "/"), noteEnd); note && isNote(s) {
		return name + " (drill)"
	}
	for _, k := range kinds() {
		if name, ours := strings.CutSuffix(strings.TrimPrefix(paths, "/"), k.extension); ours && !strings.Contains(name, "/") {
			return name
		}
	}
	return paths
}
