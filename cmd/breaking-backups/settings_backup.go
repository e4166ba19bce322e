package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// backupSettings say how a run carries the dump into the repository.
type backupSettings struct {
	// The way of the dump. `stream` never touches the disk; `spool` always puts the dump down in
	// `WORK_DIR` first; `auto` streams, goes on into `WORK_DIR` when the store takes nothing for
	// `STALL_TIMEOUT_SECONDS`, and dumps once more into `WORK_DIR`, and tries from there, when
	// restic failed midway.
	Mode string `env:"BACKUP_MODE" choices:"auto | stream | spool" default:"auto" help:"auto: stream, and spool when restic failed midway"`
	// The folder for spooled dumps; outside a container name one of your own. They are compressed,
	// have mode 0600, are written only once there is room for them, and are always removed.
	WorkDir string `env:"WORK_DIR" default:"/backup/work" help:"folder for spooled dumps"`
	// Further tries to store a spooled dump.
	Retries uint `env:"BACKUP_RETRIES" unit:"tries" default:"3" help:"further tries to store a spooled dump"`
	// The wait before the first of these tries. It doubles with each.
	RetryWait seconds `env:"BACKUP_RETRY_SECONDS" default:"10" help:"wait before the first of them; doubles"`
	// The bound of one run up to its snapshot, whatever it waits for. 0: none.
	Timeout seconds `env:"BACKUP_TIMEOUT_SECONDS" default:"0" help:"bound of one run up to its snapshot; 0: none"`
	// Tags of the snapshots, separated by commas: `app,env=prod`.
	Tags string `env:"RESTIC_TAGS" help:"tags of the snapshots, e.g. app,env=prod" shown:"none"`
}

// parseTags reads tags separated by commas. Blanks around them do not count, nor do tags that are
// empty or come twice.
func parseTags(s string) ([]string, error) {
	var tags []string
	for tag := range strings.SplitSeq(s, ",") {
		tag = strings.TrimSpace(tag)
		if !utf8.ValidString(tag) || strings.ContainsFunc(tag, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("want tags in UTF-8 without control characters, got %q", tag)
		}
		if strings.HasPrefix(tag, ourTags) {
			return nil, fmt.Errorf("tags that begin with %s are this program's own, got %q", ourTags, tag)
		}
		if tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}
