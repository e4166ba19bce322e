package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/breaking-backups/breaking-backups/notify/event"
	"github.com/breaking-backups/breaking-backups/restic"
)

// Passwords are changed while the program runs. Each run of a schedule reads the configuration
// anew, with all files that hold secrets; the drivers read theirs (.pgpass, service files,
// certificates) when a source is made. A password that is changed in the middle of a run is found
// by the answer that it is wrong.

// backUpAnew is a run of a schedule: of the job as its settings are by now, of which j was made
// before. What is wrong with them fails this run, and is told as every failure is, to whom they or
// the ones before name.
func backUpAnew(ctx context.Context, j job, env environment) error {
	started := time.Now()
	now, err := j.anew(ctx, env, event.Backup)
	if err != nil {
		return err
	}
	b, err := newBackup(ctx, now, env, nil)
	if err != nil {
		return failed(ctx, now, env, event.Backup, started, err)
	}
	return b.run(ctx)
}

// anew is the job as its settings are by now. What is wrong with them is told as the failure of a
// run, to whom they or the ones before name, and that error returned.
func (j job) anew(ctx context.Context, env environment, kind event.Kind) (job, error) {
	started := time.Now()
	now, err := j.again()
	if err == nil {
		return now, nil
	}
	if now.listeners != nil {
		j.listeners = now.listeners
	}
	return job{}, failed(ctx, j, env, kind, started, err)
}

// renewed is the backup with what the files hold now, if that is something else than when they were
// last read; else nil. A password is tried once more only then: servers lock out who tries a wrong
// one too often.
func (b *backup) renewed(ctx context.Context) *backup {
	j, err := b.again()
	if err != nil || j.stamp == b.stamp || ctx.Err() != nil {
		return nil
	}
	now, err := newBackup(ctx, j, b.environment, b.tell)
	if err != nil {
		return nil
	}
	b.tell.Of(j.run(event.Backup))
	return now
}

// isWrongPassword reports whether a database or restic has not accepted who we say we are.
func isWrongPassword(err error) bool {
	return errors.Is(err, restic.ErrWrongPassword) || refusedByPostgres(err) || refusedByMySQL(err) || refusedByMongo(err)
}

// resticFiles are the variables that name files with credentials which restic and its backends
// read.
var resticFiles = []string{
	"RESTIC_CACERT", "RESTIC_TLS_CLIENT_CERT", "AWS_SHARED_CREDENTIALS_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "RCLONE_CONFIG",
}

// makeStamp tells one state of all that holds credentials from another. It is made before the
// drivers read their files, so what changes in between is found to have changed.
func (l *configLoader) makeStamp(cfg *config) [sha256.Size]byte {
	hash := sha256.New()
	for _, name := range secretNames() {
		fmt.Fprintf(hash, "%s=%q\n", name, l.Environ[name])
	}
	var files []string
	for _, dbType := range slices.Sorted(maps.Keys(kinds())) {
		for _, name := range kinds()[dbType].files {
			files = append(files, l.Environ[name])
		}
	}
	for _, name := range resticFiles {
		files = append(files, l.Environ[name])
	}
	for _, keyword := range slices.Sorted(maps.Keys(cfg.Postgres.conn)) {
		if slices.Contains([]string{"passfile", "servicefile", "sslcert", "sslkey", "sslrootcert"}, keyword) {
			files = append(files, cfg.Postgres.conn[keyword])
		}
	}
	if home := l.Environ["HOME"]; home != "" {
		for _, file := range []string{".pgpass", ".pg_service.conf", ".postgresql/postgresql.crt", ".postgresql/postgresql.key", ".postgresql/root.crt"} {
			files = append(files, filepath.Join(home, file))
		}
	}
	slices.Sort(files)
	for _, file := range slices.Compact(files) { // each once: a pipe has its text for one reader
		if file != "" {
			text, err := os.ReadFile(file)
			fmt.Fprintf(hash, "%q %q %t\n", file, text, err != nil)
		}
	}
	return [sha256.Size]byte(hash.Sum(nil))
}
