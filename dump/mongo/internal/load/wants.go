package load

import (
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// Wants tells whether Run may need a part of a dump, by what a manifest says of it: the prelude
// always, the documents of what is selected, users and roles unless something is, and the oplog
// where it is played. The rest is passed over without a look.
func Wants(cfg Config, p dump.Part) bool {
	s := &loading{cfg: cfg}
	if cfg.SchemaOnly {
		return p.Kind == dump.Definitions
	}
	switch p.Kind {
	case dump.AfterRows:
		return !s.selects() && cfg.Database == ""
	case dump.Rows:
	default:
		return true
	}
	db, name, _ := strings.Cut(p.Name, ".")
	if authName(collection{db: db, name: name}) != "" {
		return !s.selects()
	}
	name = strings.TrimPrefix(name, version.BucketsPrefix) // of a time series, which is selected by its own name
	return namespace.IsLoaded(db, name) && cfg.Filter.Wants(db+"."+name)
}
