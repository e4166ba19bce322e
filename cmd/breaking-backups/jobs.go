package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/secret"
	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// Several jobs are several configurations, each read from the same environment with the variables
// of the job's prefix in the place of those without it. So each job knows of no other, and what
// holds for one container holds for each.

// loadJobs reads the configurations of several jobs: the whole, which is what they share, with each
// in its jobs: of those that a command line names, or all.
func loadJobs(environ []string, overrides map[string]settings.FlagValue, wants func(*config) needs, names []string) (*config, error) {
	known, pipes := secret.NewRedactor(nil), settings.Pipes{}
	overrides = maps.Clone(overrides)
	chosen, isChosen := overrides["JOB_NAME"]
	delete(overrides, "JOB_NAME")
	whole, err := readConfig(settings.Overlay{Environ: environ}, overrides, nil, known, pipes)
	mistakes := &jobMistakes{all: mistakesOf(err)}
	if wrong := wrongNames(names, environ); len(wrong) > 0 { // nobody knows which jobs there are
		return whole, &exit.ConfigError{Mistakes: append(mistakes.all, wrong...)}
	}
	whole.jobs = nil
	wanted := names
	if isChosen {
		wanted = splitList(chosen.Text)
	}
	found := map[string]bool{}
	for _, name := range names {
		cfg, err := readConfig(jobOverlay(environ, name, names), overrides, wants, known, pipes)
		as, picked := cfg.picked(name, wanted, names)
		if len(picked) == 0 {
			continue
		}
		for _, want := range as {
			found[want] = true
		}
		whole.jobs = append(whole.jobs, picked...)
		mistakes.of(name, mistakesOf(err))
		for _, variable := range programWide(environ, name) {
			whole.warnings = append(whole.warnings, fmt.Sprintf("job %s: %s is passed over: it holds for the whole program, without %s", name, variable, jobPrefix(name)))
		}
		for _, warning := range cfg.warnings {
			if !slices.Contains(whole.warnings, warning) {
				whole.warnings = append(whole.warnings, "job "+name+": "+warning)
			}
		}
	}
	for _, name := range wanted {
		if !found[name] {
			mistakes.all = append(mistakes.all, fmt.Errorf("--%s: want of %s, got %q", chosen.Flag, strings.Join(names, ", "), name))
		}
	}
	mistakes.equal(len(whole.jobs))
	mistakes.all = append(mistakes.all, namesakes(whole.jobs)...)
	if len(mistakes.all) > 0 {
		return whole, &exit.ConfigError{Mistakes: mistakes.all}
	}
	return whole, nil
}

// picked are the configurations that are wanted of a job of that name, and as what each was wanted:
// its own, or where it stands for each database of a server those of some that are no other's.
func (cfg *config) picked(name string, wanted, names []string) (as []string, all []*config) {
	for _, want := range wanted {
		if want == name {
			as, all = append(as, want), append(all, cfg)
		} else if one, ok := cfg.ofDatabase(want); ok && !slices.Contains(names, want) {
			as, all = append(as, want), append(all, one)
		}
	}
	return as, all
}

// jobNames are the names in JOBS, of the environment or before it of a flag.
func jobNames(environ []string, overrides map[string]settings.FlagValue) []string {
	if flag, ok := overrides["JOBS"]; ok {
		return splitList(flag.Text)
	}
	for _, variable := range slices.Backward(environ) {
		if text, ok := strings.CutPrefix(variable, "JOBS="); ok {
			return splitList(text)
		}
	}
	return nil
}

// jobPrefix begins the variables of a job.
func jobPrefix(job string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, job) + "_"
}

// wrongNames is what is wrong with the names of jobs.
func wrongNames(names, environ []string) []error {
	var wrong []error
	mistake := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf("JOBS: "+format, args...)) }
	prefixes := map[string]string{}
	for _, name := range names {
		prefix := jobPrefix(name)
		if err := checkJobName(name); err != nil {
			mistake("%w", err)
			continue
		}
		if other, ok := prefixes[prefix]; ok {
			mistake("the variables of %s and %s begin alike, with %s; want one of them otherwise", other, name, prefix)
		}
		prefixes[prefix] = name
		if clash := clashOf(prefix); clash != "" {
			mistake("the variables of a job %s would begin with %s, as %s does, which is known by itself; want another name", name, prefix, clash)
		}
	}
	for prefix, name := range prefixes {
		for other, of := range prefixes {
			if strings.HasPrefix(prefix, other+drillPrefix) {
				mistake("the variables of a job %s would be those of %s's drills; want another name", name, of)
			}
		}
	}
	if slices.ContainsFunc(environ, func(variable string) bool {
		value, ok := strings.CutPrefix(variable, "JOB_NAME=")
		return ok && value != ""
	}) {
		wrong = append(wrong, errors.New("JOB_NAME: set as well as JOBS, which names the jobs; want one of them"))
	}
	return wrong
}

// clashOf is a variable of ours, of libpq's or of restic's that begins with a job's prefix; empty:
// there is none. A job by such a name would take it from all others, or hand its own secrets to
// every job's restic, which gets all that begins as its stores' do.
func clashOf(prefix string) string {
	var known []string
	for _, s := range ownSettings().Settings {
		known = append(known, s.Env)
	}
	for _, variable := range postgres.Variables {
		known = append(known, variable)
	}
	for _, variable := range slices.Concat(known, readByRestic, withheld, []string{drillPrefix}) {
		begin, many := strings.CutSuffix(variable, "*")
		if strings.HasPrefix(begin, prefix) || many && strings.HasSuffix(begin, "_") && strings.HasPrefix(prefix, begin) {
			return variable
		}
	}
	return ""
}

// namesakes is what is wrong with jobs that came to bear one name.
func namesakes(jobs []*config) []error {
	var wrong []error
	seen := map[string]bool{}
	for _, cfg := range jobs {
		if name := cfg.Job.Name; name != "" && seen[name] {
			wrong = append(wrong, fmt.Errorf("JOB_NAME: two jobs bear the name %s; want different ones", name))
		}
		seen[cfg.Job.Name] = true
		for _, parent := range jobs {
			if of := cmp.Or(parent.Job.Name, parent.Job.Type); parent.Job.PerDatabase && strings.HasPrefix(cfg.Job.Name, of+"-") {
				wrong = append(wrong, fmt.Errorf("JOBS: the job %s bears a name as the databases of %s do; want another name", cfg.Job.Name, of))
			}
		}
	}
	return wrong
}

// jobOverlay is the environment of one of several jobs. It bears its name there, unless it is given
// another, and nothing that is another's: what bears the prefixes of two is the longer one's.
func jobOverlay(environ []string, name string, names []string) settings.Overlay {
	others := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		owner := ""
		for _, other := range names {
			if prefix := jobPrefix(other); strings.HasPrefix(variable, prefix) && len(prefix) > len(owner) {
				owner = prefix
			}
		}
		return strings.HasPrefix(variable, "JOB_NAME=") || owner != "" && owner != jobPrefix(name)
	})
	further := furtherNames(environ, jobPrefix(name))
	o := settings.NewOverlay(others, jobPrefix(name), func(plain string) bool { return isJobVariable(plain) || named(further, plain) }, nil)
	o.Environ = slices.DeleteFunc(o.Environ, func(variable string) bool { return strings.HasPrefix(variable, jobPrefix(name)) }) // they stand there without it
	if o.Own["JOB_NAME"] == "" {
		o.Environ = append(o.Environ, "JOB_NAME="+name)
	}
	return o
}

// furtherNames are the variables that RESTIC_ENV names, of a job or of all.
func furtherNames(environ []string, prefix string) []string {
	var all []string
	for _, variable := range environ {
		for _, name := range []string{"RESTIC_ENV", prefix + "RESTIC_ENV"} {
			if list, ok := strings.CutPrefix(variable, name+"="); ok {
				all = append(all, slices.DeleteFunc(splitList(list), func(name string) bool { return name == "*" })...) // which names none
			}
		}
	}
	return all
}

// isJobVariable reports whether a variable may be that of one of several jobs: ours but for those
// that hold for the whole program, libpq's, restic's, and all of these in a drill.
func isJobVariable(name string) bool {
	plain := strings.TrimPrefix(name, drillPrefix)
	for _, s := range ownSettings().Settings {
		if s.Env == plain || s.Secret && s.Env+"_FILE" == plain || s.Env == name || s.Secret && s.Env+"_FILE" == name {
			return !slices.Contains(programGroups, s.Group)
		}
	}
	return isLibpq(plain) || slices.Contains(backendSecrets(), strings.TrimSuffix(name, "_FILE")) || named(readOfStores, name)
}

// isLibpq reports whether a variable is one of libpq's.
func isLibpq(name string) bool {
	for _, variable := range postgres.Variables {
		if variable == name {
			return true
		}
	}
	return false
}

// programWide are variables with a job's prefix that hold for the whole program alone.
func programWide(environ []string, job string) []string {
	var all []string
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		plain, ok := strings.CutPrefix(name, jobPrefix(job))
		if ok && value != "" && isKnown(plain) && !isJobVariable(plain) {
			all = append(all, name)
		}
	}
	return all
}

// programGroups are the groups of settings that hold for the whole program.
var programGroups = []string{"jobs", "http", "push", "log"}

// jobMistakes are what is wrong with the configurations of several jobs.
type jobMistakes struct {
	all   []error
	named []namedMistake
}

type namedMistake struct {
	job string
	err error
}

func mistakesOf(err error) []error {
	var config *exit.ConfigError
	if errors.As(err, &config) {
		return config.Mistakes
	}
	return nil
}

// of notes the mistakes of a job, but for those that are the whole's as well.
func (m *jobMistakes) of(job string, mistakes []error) {
	for _, err := range mistakes {
		if !slices.ContainsFunc(m.all, func(other error) bool { return other.Error() == err.Error() }) {
			m.named = append(m.named, namedMistake{job, err})
		}
	}
}

// equal puts what all jobs have in common down once, and what is of one with its name.
func (m *jobMistakes) equal(jobs int) {
	count := map[string]int{}
	for _, one := range m.named {
		count[one.err.Error()]++
	}
	told := map[string]bool{}
	for _, one := range m.named {
		text := one.err.Error()
		switch {
		case jobs > 1 && count[text] == jobs && told[text]:
		case jobs > 1 && count[text] == jobs:
			told[text] = true
			m.all = append(m.all, one.err)
		case strings.HasPrefix(text, jobPrefix(one.job)): // which names it
			m.all = append(m.all, one.err)
		default:
			m.all = append(m.all, fmt.Errorf("job %s: %w", one.job, one.err))
		}
	}
}
