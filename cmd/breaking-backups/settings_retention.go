package main

import "github.com/breaking-backups/breaking-backups/retention"

// retentionSettings say which snapshots stay. With none of KEEP_* set nothing is ever forgotten.
type retentionSettings struct {
	// The newest snapshots that stay, this many. This and the next five are as restic's `--keep-…`:
	// a number, or `unlimited`.
	Last *int `env:"KEEP_LAST" unit:"snapshots" help:"keep the newest n snapshots; this and the next five: a number or unlimited" shown:"unset"`
	// The newest snapshot of each of this many hours stays.
	Hourly *int `env:"KEEP_HOURLIES" unit:"hours" help:"keep the newest of each of n hours" shown:"unset"`
	// The newest snapshot of each of this many days stays.
	Daily *int `env:"KEEP_DAILIES" unit:"days" help:"keep the newest of each of n days" shown:"unset"`
	// The newest snapshot of each of this many weeks stays.
	Weekly *int `env:"KEEP_WEEKLIES" unit:"weeks" help:"keep the newest of each of n weeks" shown:"unset"`
	// The newest snapshot of each of this many months stays.
	Monthly *int `env:"KEEP_MONTHLIES" unit:"months" help:"keep the newest of each of n months" shown:"unset"`
	// The newest snapshot of each of this many years stays.
	Yearly *int `env:"KEEP_YEARLIES" unit:"years" help:"keep the newest of each of n years" shown:"unset"`
	// All snapshots of this time stay: `30d` or `1y6m`.
	Within string `env:"KEEP_WITHIN" unit:"years, months, days, hours" help:"keep all of this time, e.g. 30d or 1y6m" shown:"unset"`
	// The bound of forgetting and pruning, in a run and in `forget-prune`. 0: none.
	Timeout seconds `env:"FORGET_TIMEOUT_SECONDS" default:"0" help:"bound of forgetting and pruning; 0: none"`
	// After forgetting, remove the data that no snapshot needs.
	Prune bool `env:"PRUNE_ON_SUCCESS" default:"true" help:"remove data that no snapshot needs after forgetting"`
}

func (l *configLoader) finishPolicy(cfg *config) {
	keep := cfg.Retention
	cfg.policy = retention.Policy{
		Last: keep.Last, Hourly: keep.Hourly, Daily: keep.Daily, Weekly: keep.Weekly, Monthly: keep.Monthly, Yearly: keep.Yearly,
	}
	if keep.Within != "" {
		var err error
		if cfg.policy.Within, err = retention.ParseSpan(keep.Within); err != nil {
			l.Mistake("KEEP_WITHIN", err)
			return
		}
	}
	if err := cfg.policy.Validate(); err != nil {
		l.Mistake("KEEP_*", &policyError{err})
	}
}

// policyError is why the rules of retention make no policy together.
type policyError struct{ err error }

func (e *policyError) Error() string { return e.err.Error() }
func (e *policyError) Unwrap() error { return e.err }
