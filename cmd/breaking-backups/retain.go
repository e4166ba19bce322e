package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/audience"
	"github.com/breaking-backups/breaking-backups/restic"
	"github.com/breaking-backups/breaking-backups/retention"
)

// retainer applies the retention policy to the snapshots of one job.
type retainer struct {
	environment
	job    job
	restic *restic.Client
	tell   *audience.Teller

	made   string // ID of the snapshot that this run has made; empty: none
	dryRun bool   // only find out what would be done

	// What a person may ask for by hand.
	acceptSources bool // the snapshots of other databases in the group are this one's
	forgetFuture  bool
	pruneAlways   bool // also where nothing is forgotten
}

// retained is what was done, or with dryRun would be.
type retained struct {
	stay    []stayed // newest first
	present int      // how many of them are not of the future
	gone    []restic.Snapshot
	pruned  bool
}

// stayed is a snapshot that stays, and why.
type stayed struct {
	restic.Snapshot
	reasons []string
}

// Why nothing is forgotten of a job.
var (
	errAllFuture = errors.New("none but snapshots of the future would be left")
	errAllTooOld = errors.New("all but the snapshot just made are older than KEEP_WITHIN")
)

// severalSourcesError says that a job's snapshots are of several databases, of which the policy
// would count one's against another's.
type severalSourcesError struct {
	snapshots int
	sources   []string // lasting names of the databases
}

func (e *severalSourcesError) Error() string {
	return fmt.Sprintf("its %d snapshots are of more than one database (%s)", e.snapshots, strings.Join(e.sources, ", "))
}

// missingMadeError says that the repository does not list the snapshot that was made as one of its
// job.
type missingMadeError struct{ id string }

func (e *missingMadeError) Error() string {
	return fmt.Sprintf("the snapshot %s that was made is not among its snapshots", shortID(e.id))
}

// refused is why nothing is forgotten of the job.
func (r retainer) refused(why error) error {
	return fmt.Errorf("job %s on host %+q: nothing is forgotten: %w", r.job.name, r.job.host, why)
}

// apply forgets what the policy does not select among the job's own snapshots: those with its host
// and its path and no other. It forgets nothing that it does not know to be the job's, nothing of
// the future, and never what this run has made.
func (r retainer) apply(ctx context.Context) (retained, error) {
	all, err := r.restic.Snapshots(ctx, restic.Filter{})
	if err != nil {
		return retained{}, err
	}
	all = slices.DeleteFunc(all, isNote)
	ours := slices.Clone(all)
	ours = slices.DeleteFunc(ours, func(s restic.Snapshot) bool { return !r.job.filter().Matches(s) })
	if err := r.known(ours); err != nil {
		return retained{}, err
	}
	now := time.Now()
	sources := groupSources(ours, r.isMade, now)
	r.warnShared(len(all) > len(ours) || len(sources.others) > 0 || sources.own == unknownSource)
	if len(sources.others) > 0 {
		if !r.acceptSources {
			return retained{}, r.refused(&severalSourcesError{len(ours), sources.names})
		}
		if !r.dryRun {
			if err := r.restic.AddTag(ctx, snapshotIDs(sources.others), sourceTag+sources.own); err != nil {
				return retained{}, err
			}
			r.acceptSources = false // restic passes over what it cannot write anew
			return r.apply(ctx)
		}
	}
	done := r.plan(ours, now)
	switch {
	case r.forgetFuture && len(done.stay) == 0 && len(done.gone) > 0:
		return retained{}, r.refused(errAllFuture)
	case r.made != "" && r.job.retention.policy.ByTimeAlone() && done.present == 1 && len(done.gone) > 0:
		return retained{}, r.refused(errAllTooOld)
	}
	prune := r.job.retention.prune && (r.pruneAlways || len(done.gone) > 0)
	if r.dryRun || len(done.gone) == 0 && !prune {
		return done, nil
	}
	done.pruned = prune
	return done, r.restic.Forget(ctx, snapshotIDs(done.gone), prune)
}

// known makes sure that the snapshot just made is seen as the job's. Where it is not, something
// about the host or the name is not kept as it was given, and who looks for the job's snapshots
// finds none, or others'.
func (r retainer) known(ours []restic.Snapshot) error {
	if r.made == "" || slices.ContainsFunc(ours, r.isMade) {
		return nil
	}
	return r.refused(&missingMadeError{r.made})
}

// isMade reports whether a snapshot is the one that this run has made; somebody may have given it a
// tag since.
func (r retainer) isMade(s restic.Snapshot) bool {
	return r.made != "" && (s.ID == r.made || s.Original == r.made)
}

// plan says what becomes of the job's snapshots.
func (r retainer) plan(ours []restic.Snapshot, now time.Time) retained {
	facts := make([]retention.Snapshot, len(ours))
	for i, s := range ours {
		facts[i] = retention.Snapshot{Time: s.Time, Empty: slices.Contains(s.Tags, emptyTag), Made: r.isMade(s)}
	}
	var done retained
	var future []string
	for i, fate := range r.job.retention.policy.Plan(facts, now) {
		switch {
		case fate.Future && r.forgetFuture, !fate.Stays():
			done.gone = append(done.gone, ours[i])
			continue
		case fate.Future:
			future = append(future, shortID(ours[i].ID)+" of "+r.showTime(ours[i].Time))
		default:
			done.present++
		}
		done.stay = append(done.stay, stayed{ours[i], fate.Reasons})
	}
	slices.Reverse(done.stay)
	slices.Reverse(done.gone)
	if len(future) > 0 {
		r.tell.Warn("snapshots of the future count for no rule of retention, and stay: a clock was wrong when they were made, or is now; "+
			"forget-prune --forget-future removes them", "job", r.job.name, "snapshots", strings.Join(future, ", "), "now", now)
	}
	return done
}

// warnShared tells of a host that names nobody in a repository that others use as well.
func (r retainer) warnShared(shared bool) {
	if shared && !r.job.hostGiven && loopback(r.job.host) {
		r.tell.Warn("the repository is shared, and "+r.job.host+" is the name of every machine for itself: two jobs that bear it and the same name "+
			"would be taken for one; set RESTIC_HOST", "job", r.job.name, "host", r.job.host)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "" || strings.EqualFold(host, "localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// Tags of ours that snapshots bear besides those of RESTIC_TAGS.
const (
	ourTags   = "breaking-backups."
	sourceTag = ourTags + "source=" // and the database's lasting name
	emptyTag  = ourTags + "empty"   // the dump holds nothing, and was meant to
	parentTag = ourTags + "parent=" // and the job that stands for each database of a server, of which this is one
)

// unknownSource stands for the lasting name of a database whose server does not tell it.
const unknownSource = "unknown"

// sources are the databases that a job's snapshots are of.
type sources struct {
	own    string            // the database that is dumped now; empty where no snapshot tells
	names  []string          // all
	others []restic.Snapshot // those that are not of own
}

// groupSources takes the database of the snapshot that the run has made for the job's, or else that
// of the newest which tells and is not of the future. Names that stand on one snapshot together are
// one database's: somebody has said so. Snapshots that tell none, of versions that did not write
// it, may be anybody's.
func groupSources(ours []restic.Snapshot, made func(restic.Snapshot) bool, now time.Time) sources {
	var found sources
	var present, madeOf string
	for _, s := range ours { // oldest first
		for _, name := range sourcesOf(s) { // the last is the one that was accepted last
			if !slices.Contains(found.names, name) {
				found.names = append(found.names, name)
			}
			found.own = name
			if !s.Time.After(now) {
				present = name
			}
			if made(s) {
				madeOf = name
			}
		}
	}
	found.own = cmp.Or(madeOf, present, found.own)
	same := []string{found.own}
	isSame := func(name string) bool { return slices.Contains(same, name) }
	for grown := true; grown; {
		grown = false
		for _, s := range ours {
			if of := sourcesOf(s); slices.ContainsFunc(of, isSame) {
				for _, name := range of {
					if !isSame(name) {
						same, grown = append(same, name), true
					}
				}
			}
		}
	}
	for _, s := range ours {
		if of := sourcesOf(s); len(of) > 0 && !slices.ContainsFunc(of, isSame) {
			found.others = append(found.others, s)
		}
	}
	return found
}

func sourcesOf(s restic.Snapshot) []string {
	var names []string
	for _, tag := range s.Tags {
		if name, ok := strings.CutPrefix(tag, sourceTag); ok {
			names = append(names, name)
		}
	}
	return names
}

// givenTags are a snapshot's tags without those of ours.
func givenTags(s restic.Snapshot) []string {
	return slices.DeleteFunc(slices.Clone(s.Tags), func(tag string) bool { return strings.HasPrefix(tag, ourTags) })
}

func snapshotIDs(snapshots []restic.Snapshot) []string {
	ids := make([]string, len(snapshots))
	for i, s := range snapshots {
		ids[i] = s.ID
	}
	return ids
}
