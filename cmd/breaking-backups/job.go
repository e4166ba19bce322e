package main

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/schedule"
	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/retention"
)

// job is one database and its backups: what is dumped and how, where to, when, what is kept, and
// who is told. It is a value, made from settings by newJob alone, and there may be any number of
// them.
type job struct {
	// What fixes its snapshots: together host and path are the group in which restic forgets.
	name string
	host string
	file string // name of the file in the snapshots; their path is /file

	hostGiven bool   // somebody has said the host, and not only the address of a database
	dbType    string // as DB_TYPE says it
	engine    engine

	store     store
	backup    backupSettings
	tags      []string
	stall     time.Duration // STALL_TIMEOUT_SECONDS
	retention keeping
	timetable schedule.Timetable
	when      string              // the timetable for people
	listeners []audience.Listener // who is told of its backups, besides the log
	drill     drillSettings
	drillsAt  func() (*config, error) // where drills restore to
	grace     time.Duration           // how much later than its schedule says something may be done; 0: by what runs take

	// Of a job that stands for each database of a server: which there are now, and the job of one.
	databases func(context.Context) ([]string, error)
	child     func(database string) (job, error)
	parent    string // of the job of one: its name

	stamp [sha256.Size]byte   // of all credentials, to tell whether they have changed
	again func() (job, error) // the same from the settings as they are now; after an error it has its listeners alone
}

// store is a repository, and how restic gets there.
type store struct {
	shown    string   // where it is, without credentials, for people
	restic   string   // path of the program
	environ  []string // of restic
	lockWait time.Duration
	stall    time.Duration
}

// keeping is what becomes of a job's snapshots.
type keeping struct {
	policy  retention.Policy // zero: everything stays
	prune   bool             // remove data that no snapshot needs
	timeout seconds
}

// newJob makes the job that the configuration describes, which has to be one that needs a job and
// was found sound. It contacts nothing.
func newJob(cfg *config) (job, error) {
	kind := kinds()[cfg.Job.Type]
	j := job{
		name: cfg.Job.Name, host: cfg.Job.Host, hostGiven: cfg.Job.Host != "", dbType: cfg.Job.Type, engine: kind.engine(cfg),
		store: newStore(cfg), backup: cfg.Backup, tags: cfg.tags, stall: time.Duration(cfg.Job.StallTimeout),
		retention: keeping{cfg.policy, cfg.Retention.Prune, cfg.Retention.Timeout},
		timetable: schedule.Timetable{
			Times:  cfg.schedule,
			AtOnce: cfg.Schedule.RunOnStart || cfg.Schedule.Cron == "",
			Prompt: cfg.Schedule.RunOnStart,
			Jitter: time.Duration(cfg.Schedule.Jitter),
		},
		when: cfg.when(), listeners: newListeners(cfg), drill: cfg.Drill, drillsAt: cfg.drillsAt, parent: cfg.parent, grace: cfg.HTTP.grace(), stamp: cfg.stamp,
	}
	src, err := j.engine.source(dumpHooks{})
	if err != nil {
		return job{listeners: j.listeners}, err
	}
	if cfg.Job.PerDatabase {
		j.perDatabase(cfg, src)
	}
	if j.name == "" {
		j.name = cfg.Job.Type + "-" + j.engine.dumped(src)
	}
	if j.host == "" {
		j.host = src.Host()
	}
	j.file = j.name + kind.extension
	j.again = func() (job, error) {
		now, err := cfg.again()
		if err != nil {
			return job{listeners: newListeners(now)}, err
		}
		return newJob(now)
	}
	return j, nil
}

func newStore(cfg *config) store {
	return store{
		shown: cfg.shownRepository(), restic: cfg.restic, environ: cfg.children,
		lockWait: time.Duration(cfg.Repository.LockWait), stall: time.Duration(cfg.Job.StallTimeout),
	}
}

// newListeners are who the configuration says are told of a backup.
func newListeners(cfg *config) []audience.Listener {
	if cfg.webhook == nil {
		return nil
	}
	return []audience.Listener{cfg.webhook}
}

func (j job) path() string { return "/" + j.file }

// filter selects the job's snapshots.
func (j job) filter() restic.Filter { return restic.Filter{Host: j.host, Path: j.path()} }

// run is what events say of a run of the job.
func (j job) run(kind event.Kind) event.Run {
	return event.Run{Kind: kind, Job: j.name, Host: j.host, DBType: j.dbType, Repository: j.store.shown, Tags: j.tags}
}
