package load

import (
	"io"
	"regexp"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/note"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Verify reads a dump to its end and returns nil for a whole one that goes where the Loader would
// put it, and has the rows that its manifest says. It connects to nothing. A Load of the same dump
// after it knows from the beginning which databases it makes, mysqldump's too, and how long a
// statement the server has to take.
func (l *Loader) Verify(r io.Reader) error {
	s, err := l.begin(r)
	if err != nil {
		return err
	}
	s.seen, s.longest = nil, 0
	mode, begun := "", false
	var of server.Info
	for {
		item, err := s.dump.Next()
		switch {
		case err == io.EOF:
			l.seen, err = s.plan.whole()
			return err
		case err != nil:
			return err
		case item.Kind == script.Comment:
			if srv, ok := namedServer(string(item.Text)); ok && !begun {
				of = srv
				s.dump.SetMode(readsAs(of))
			}
			var native string
			if native, err = s.plan.note(string(item.Text)); native != "" && err == nil {
				if err = s.plan.route([]byte(native)); err == nil {
					s.plan.read([]byte(native))
				}
			}
		default:
			begun = true
			if err = s.plan.route(item.Text); err == nil {
				s.plan.read(item.Text)
			}
			l.longest = max(l.longest, unsplittable(item.Text, script.SQLMode(mode)|readsAs(of)))
		}
		if err != nil {
			return atLine(item.Line, err)
		}
		if item.SetsMode {
			mode = setMode(string(item.Text))
			s.dump.SetMode(script.SQLMode(mode) | readsAs(of))
		}
	}
}

// namedServer returns the server that a dump is of, by a comment at its beginning.
func namedServer(comment string) (server.Info, bool) {
	text, own := strings.CutPrefix(comment, "-- "+note.Server)
	text, theirs := strings.CutPrefix(text, "-- Server version\t")
	if !own && !theirs {
		return server.Info{}, false
	}
	family, number, ok := strings.Cut(text, " ")
	if own && ok { // MariaDB 10.11
		text = number + "-" + family
	}
	srv, err := server.ParseVersion(text)
	return srv, err == nil
}

// unsplittable is the length of the longest part of a statement that has to be one, in bytes, or 0
// where it is no longer than statements of several rows are.
func unsplittable(sql []byte, mode script.Mode) (longest int) {
	if len(sql) <= script.InsertLimit {
		return 0
	}
	for part := range script.Split(sql, script.InsertLimit, mode) {
		longest = max(longest, len(part))
	}
	return longest
}

var modeValue = regexp.MustCompile(`(?i)sql_mode\s*=\s*'([^']*)'`)

// setMode is the sql_mode that a dump's statement sets. One that is taken from a variable is that
// of the dump's beginning, which quotes as all do that dumps begin with.
func setMode(sql string) string {
	if m := modeValue.FindAllStringSubmatch(sql, -1); len(m) > 0 {
		return m[len(m)-1][1]
	}
	return ""
}

// readsAs is how the server and its client read text, but for the session's sql_mode.
func readsAs(s server.Info) script.Mode { return script.ServerMode(s.IsMariaDB(), s.Version[0]) }
