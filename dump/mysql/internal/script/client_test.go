package script

import (
	"slices"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// TestReaderAsClient has the client at hand run the scripts that a Reader understands, and compares
// what came to the server with the Reader's items.
func TestReaderAsClient(t *testing.T) {
	// MySQL's log otherwise has no statement that it cannot parse.
	my := servers.MariaDB(t, "--loose-log-raw")
	for _, tt := range scripts {
		mode := tt.mode
		if !my.IsMariaDB {
			mode |= MySQL
		}
		items, err := read(tt.script, mode)
		if err != nil || tt.ours || tt.mode&DollarQuotes != 0 && my.IsMariaDB || tt.mariadb && !my.IsMariaDB {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			modes := map[Mode]string{0: "", NoBackslashEscapes: "NO_BACKSLASH_ESCAPES", ANSIQuotes: "ANSI_QUOTES"}
			my.Query(t, "", "SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 0; TRUNCATE mysql.general_log; SET GLOBAL sql_mode = '"+modes[tt.mode&(NoBackslashEscapes|ANSIQuotes)]+"', GLOBAL general_log = 1")
			cmd := my.Command(my.Client, "--force", "--batch", "--skip-comments", "--loose-commands")
			cmd.Stdin = strings.NewReader(tt.script)
			out, _ := cmd.CombinedOutput() // statements may fail
			my.Query(t, "", "SET GLOBAL general_log = 0, GLOBAL sql_mode = ''")
			log := my.Query(t, "", `SELECT concat(if(command_type = 'Init DB', 'use ', ''), replace(convert(argument USING utf8mb4), '\n', ' '))
				FROM mysql.general_log WHERE command_type IN ('Query', 'Init DB') AND argument NOT LIKE '%version_comment%' AND argument NOT IN ('SELECT DATABASE()', 'select $$')
				AND argument NOT LIKE 'SET GLOBAL general_log%'`)
			var want []string
			for line := range strings.Lines(log) {
				want = append(want, canonical(line))
			}
			var got []string
			for _, it := range items {
				if it.Kind == Statement {
					got = append(got, canonical(uncommented(it.Text, mode)))
				}
			}
			want, got = slices.Compact(want), slices.Compact(got) // MySQL's server logs USE twice
			if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
				t.Errorf("read as\n%s\nthe client sends\n%s\nand says\n%s", g, w, out)
			}
		})
	}
}

// canonical leaves out what the clients take the liberty to change.
func canonical(s string) string {
	s = strings.ReplaceAll(s, `/*M!999999 enable the sandbox mode */`, "") // left over from a command of theirs
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(" \t\r\n`", c) {
			return -1
		}
		return c
	}, strings.ToLower(s))
}

// uncommented returns a statement without the comments that the clients take out.
func uncommented(s string, mode Mode) string {
	var out strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		c, rest := s[i], s[i:]
		switch {
		case quote == 0 && (c == '#' || c == '-' && isDashes([]byte(rest))):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				return out.String()
			}
			i += n
			continue
		case quote == 0 && strings.HasPrefix(rest, "/*") && !strings.HasPrefix(rest, "/*!") && !strings.HasPrefix(rest, "/*M!"):
			i += 2 + strings.Index(rest[2:], "*/") + 1
			continue
		case quote == 0 && isQuote(c):
			quote = c
		case c == quote:
			quote = 0
		case c == '\\' && quote != 0 && quote != '`' && mode&NoBackslashEscapes == 0 && (quote == '\'' || mode&ANSIQuotes == 0):
			i++
			if s[i] != '\n' { // the clients leave that one out: it means nothing
				out.WriteByte(c)
			}
			c = s[i]
		}
		out.WriteByte(c)
	}
	return out.String()
}
