package dump

import "errors"

// A SQL dump begins with a head line that names the engine and ends with a trailer line that ends
// with the hash of every byte before that:
//
//	-- breaking-backups dump 1 postgres
//	…
//	-- breaking-backups manifest
//	-- part definitions "" bytes 4321
//	-- part rows "public.orders" bytes 98765
//	…
//	-- table "public.orders" rows 3456 hash 0123456789abcdef
//	…
//	-- breaking-backups end 12 tables 3456 rows stream 0123456789abcdef
const (
	headPrefix = "-- breaking-backups dump 1 "
	// manifestHead is the line before the first of a manifest that has parts. Nothing but the
	// manifest's own lines comes after it, and in none of them it can stand: the names there are
	// quoted.
	manifestHead  = "-- breaking-backups manifest\n"
	trailerPrefix = "-- breaking-backups end "
	trailerMax    = 128 // bytes; no trailer is longer
)

var (
	// ErrNotADump is returned for a stream that does not begin as a dump of this program.
	ErrNotADump = errors.New("not a dump made by this version of breaking-backups (its first line is missing)")
	// ErrTruncated is returned where a dump ends before its trailer.
	ErrTruncated = errors.New("the dump is truncated: its last line is missing")
	// ErrDamaged is returned where a dump's bytes are not those its trailer was made of.
	ErrDamaged = errors.New("the dump is damaged: its content does not match its last line")
)
