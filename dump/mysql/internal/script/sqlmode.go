package script

import (
	"bytes"
	"regexp"
	"strings"
)

// SQLMode returns the part of a Mode that a value of sql_mode tells, as SET takes it or as a server
// shows it.
func SQLMode(value string) Mode {
	var m Mode
	for mode := range strings.SplitSeq(value, ",") {
		switch strings.ToUpper(mode) {
		case "NO_BACKSLASH_ESCAPES":
			m |= NoBackslashEscapes
		case "ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL": // all of which imply the first
			m |= ANSIQuotes
		}
	}
	return m
}

// A SessionMode follows the sql_mode of a session through the statements of a script. The zero
// value is that of a session whose sql_mode is empty.
type SessionMode struct {
	mode Mode
	kept map[string]Mode // by the variables, in lower case, that the script has put it into
}

// modeSetting matches what a SET says of sql_mode: that a variable keeps it, or that it becomes a
// value, or what a variable has kept.
var modeSetting = regexp.MustCompile("(?i)@([a-z0-9_]+)\\s*:?=\\s*@@(?:session\\.)?sql_mode\\b|\\bsql_mode\\s*:?=\\s*(?:'([^']*)'|\"([^\"]*)\"|@([a-z0-9_]+))")

// Set takes note of a statement that SetsMode. What it says in other ways than dumps do is not
// understood, and changes nothing.
func (s *SessionMode) Set(sql string) {
	for _, m := range modeSetting.FindAllStringSubmatch(sql, -1) {
		switch keep, take := strings.ToLower(m[1]), strings.ToLower(m[4]); {
		case keep != "":
			if s.kept == nil {
				s.kept = make(map[string]Mode)
			}
			s.kept[keep] = s.mode
		case take != "":
			s.mode = s.kept[take]
		default:
			s.mode = SQLMode(m[2] + m[3])
		}
	}
}

// Mode is how text is read in the session, but for what the server is.
func (s *SessionMode) Mode() Mode { return s.mode }

// SetsMode says whether a statement may set sql_mode.
func SetsMode(s []byte) bool {
	if bytes.HasPrefix(s, []byte("/*")) {
		i := 2
		for i < len(s) && (s[i] == 'M' || s[i] == '!' || '0' <= s[i] && s[i] <= '9' || isBlank(s[i])) {
			i++
		}
		s = s[i:]
	}
	if len(s) < 4 || !bytes.EqualFold(s[:3], []byte("set")) {
		return false
	}
	return bytes.Contains(bytes.ToLower(s), []byte("sql_mode"))
}
