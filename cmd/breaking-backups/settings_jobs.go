package main

// jobsSettings say which jobs there are.
type jobsSettings struct {
	// Several jobs in one container: names, separated by commas, `app,shop`. What is `APP_PGHOST`
	// is the `PGHOST` of `app` alone, and goes before `PGHOST`, which is every job's; so with all
	// variables of this page but those of the log and of HTTP, and with restic's and libpq's. A
	// character of a name that is neither a letter nor a digit is `_` in the variables. Each job
	// has its own schedule or the shared one; those that use one repository take turns. Unset:
	// there is one job, and `JOB_NAME` names it.
	Names string `env:"JOBS" help:"several jobs, e.g. app,shop: APP_PGHOST is the PGHOST of app, PGHOST that of all" shown:"one job"`
}
