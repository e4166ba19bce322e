// Command comments holds the comments of Go files to one width. It lists the lines of comments that
// are longer, and with -w fills the paragraphs anew instead.
//
//	comments [-w] FILE...
//
// A paragraph is lines of text that stand alone on their lines, one behind the other, or an item of
// a list as gofmt writes it. What else is indented, a heading or a directive stays as it is, and so
// does a paragraph whose lines were broken on purpose: that end long before their width.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	width  = 100 // columns, of which a tab is 4
	tab    = 4
	filled = 60 // no line but the last of a paragraph ends before this that was not broken on purpose
)

func main() {
	write := flag.Bool("w", false, "fill the paragraphs anew")
	flag.Parse()
	code := 0
	for _, name := range flag.Args() {
		if err := file(name, *write); err != nil {
			fmt.Fprintln(os.Stderr, "comments:", err)
			code = 1
		}
	}
	os.Exit(code)
}

func file(name string, write bool) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	if !write {
		raw := rawLines(lines)
		for i, line := range lines {
			if !raw[i] && isComment(line) && columns(line) > width && strings.Contains(strings.TrimSpace(line)[3:], " ") {
				fmt.Printf("%s:%d: a comment of %d columns, of %d at most\n", name, i+1, columns(line), width)
			}
		}
		return nil
	}
	out := []byte(strings.Join(fill(lines), "\n"))
	if bytes.Equal(out, text) {
		return nil
	}
	return os.WriteFile(name, out, 0o644)
}

// rawLines tells which lines begin within a raw string, where nothing is a comment.
func rawLines(lines []string) []bool {
	raw, within := make([]bool, len(lines)), false
	for i, line := range lines {
		raw[i] = within
		for j := 0; j < len(line); j++ {
			switch c := line[j]; {
			case within:
				within = c != '`'
			case c == '`':
				within = true
			case c == '"' || c == '\'':
				for j++; j < len(line) && line[j] != c; j++ {
					if line[j] == '\\' {
						j++
					}
				}
			case strings.HasPrefix(line[j:], "//"):
				j = len(line)
			}
		}
	}
	return raw
}

func isComment(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, "\t"), "// ") }

func columns(line string) int {
	return utf8.RuneCountInString(line) + strings.Count(line, "\t")*(tab-1)
}

const (
	plain = "// "
	item  = "//   - "
	under = "//     " // the lines of an item but the first
)

// apart begins a line that is no part of a paragraph: a list's item as nobody formatted it, a
// heading, a directive.
var apart = regexp.MustCompile(`^// (- |\* |# |\d+\. |\|)|^//[^ ]`)

// fill returns the lines with their paragraphs filled.
func fill(lines []string) (out []string) {
	raw := rawLines(lines)
	for i := 0; i < len(lines); {
		indent := lines[i][:len(lines[i])-len(strings.TrimLeft(lines[i], "\t"))]
		first, more := plain, plain
		if strings.HasPrefix(lines[i], indent+item) {
			first, more = item, under
		}
		belongs := func(line, begin string) bool {
			text, ok := strings.CutPrefix(line, indent+begin)
			return ok && text != "" && text[0] != ' ' && text[0] != '\t' && (begin != plain || !apart.MatchString(line[len(indent):]))
		}
		end := i
		for end < len(lines) && !raw[end] && (end == i && belongs(lines[end], first) || end > i && belongs(lines[end], more)) {
			end++
		}
		if end == i {
			out = append(out, lines[i])
			i++
			continue
		}
		out = append(out, paragraph(indent, first, more, lines[i:end])...)
		i = end
	}
	return out
}

// paragraph fills one, of which the first line and the others begin as is said.
func paragraph(indent, first, more string, lines []string) []string {
	long, even := false, len(lines) > 1
	for i, line := range lines {
		long = long || columns(line) > width
		even = even && (i == len(lines)-1 || columns(line) >= filled)
	}
	if !long && !even {
		return lines
	}
	var out []string
	line := indent + first
	for i, l := range lines {
		begin := more
		if i == 0 {
			begin = first
		}
		for word := range strings.FieldsSeq(l[len(indent)+len(begin):]) {
			switch {
			case strings.HasSuffix(line, " "):
			case columns(line)+1+utf8.RuneCountInString(word) > width:
				out = append(out, line)
				line = indent + more
			default:
				line += " "
			}
			line += word
		}
	}
	return append(out, line)
}
