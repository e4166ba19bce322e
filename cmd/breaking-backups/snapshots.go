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
		groups:  []string{"job", "postgres", "mysql", "mongo", "repository", "log"},
		needs: func(cfg *config) needs {
			all = all || cfg.Job.Type == ""
			return needs{job: !all, repository: true}
		},
		flags: func(flags *pflag.FlagSet) {
			flags.BoolVar(&all, "all", false, "every snapshot in the repository")
			flags.BoolVar(&asJSON, "json", false, "a JSON array instead of a table")
		},
		run: func(ctx context.Context, cfg *config) error {
			var filter restic.Filter
			if !all {
				j, err := newJob(cfg)
				if err != nil {
					return err
				}
				filter = j.filter()
			}
			env := a.environment(cfg)
			client, err := env.checkedRestic(ctx, newStore(cfg), env.teller(event.Run{}))
			if err != nil {
				return err
			}
			found, err := client.Snapshots(ctx, filter)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printSnapshotsJSON(found)
			}
			a.printSnapshots(env, found)
			return nil
		},
	}
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
	for _, k := range kinds() {
		if name, ours := strings.CutSuffix(strings.TrimPrefix(paths, "/"), k.extension); ours && !strings.Contains(name, "/") {
			return name
		}
	}
	return paths
}
