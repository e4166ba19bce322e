package part

import "strings"

// An arrayElement is one of an array that is written as a string, whatever its dimensions: what it
// says, and its place in that string, with its quotes.
type arrayElement struct {
	text       string
	start, end int
}

// elements reads an array's elements as the server writes them: between braces and commas, in
// quotes with backslashes where they hold any of that.
func elements(array string) (list []arrayElement) {
	for i := 0; i < len(array); {
		switch array[i] {
		case '{', '}', ',':
			i++
		case '"':
			e := arrayElement{start: i, end: behindQuoted(array, i+1)}
			e.text = unescaped(strings.TrimSuffix(array[i+1:e.end], `"`))
			list = append(list, e)
			i = e.end
		default:
			e := arrayElement{start: i, end: len(array)}
			if n := strings.IndexAny(array[i:], "{},"); n >= 0 {
				e.end = i + n
			}
			e.text = array[e.start:e.end]
			list = append(list, e)
			i = e.end
		}
	}
	return list
}

// behindQuoted is the place behind an element in quotes, within which a backslash stands before
// them.
func behindQuoted(array string, i int) int {
	for ; i < len(array); i++ {
		switch array[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(array)
}

func unescaped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// element writes an element of an array, in quotes, which any may have.
func element(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
