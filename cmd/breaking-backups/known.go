package main

import (
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/notify/status"
)

// known is what the board is told of the job.
func (j job) known() status.Job {
	known := status.Job{
		Name: j.name, Host: j.host, DBType: j.dbType, Repository: j.store.shown, Parent: j.parent,
		PerDatabase: j.databases != nil, Plans: map[event.Kind]status.Plan{},
	}
	for _, p := range j.plans() {
		known.Plans[p.kind] = status.Plan{Text: p.text, Next: p.timetable.Times.Next, Jitter: p.timetable.Jitter, Grace: j.grace}
	}
	return known
}

func known(jobs []job) []status.Job {
	var all []status.Job
	for _, j := range jobs {
		all = append(all, j.known())
	}
	return all
}
