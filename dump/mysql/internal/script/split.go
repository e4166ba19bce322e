package script

import (
	"bytes"
	"iter"
)

// Split parts INSERT INTO … VALUES (…), (…), … into statements of at most limit bytes, and of one
// row where that is longer. Each is valid until the next. Anything else comes out as it is, and so
// does an INSERT that is short enough, says more behind its rows, or has comments between them.
func Split(sql []byte, limit int, mode Mode) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		head, ends := rows(sql, limit, mode)
		if len(ends) == 0 {
			yield(sql)
			return
		}
		part := bytes.Clone(sql[:head])
		for _, end := range ends {
			part = append(part[:head], sql[end.from:end.to]...)
			if !yield(part) {
				return
			}
		}
	}
}

// Rows are those of INSERT INTO … VALUES (…), (…), …, each from its parenthesis to the other. Of
// anything else there are none.
func Rows(sql []byte, mode Mode) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		_, each := rows(sql, 0, mode)
		for _, row := range each {
			if !yield(sql[row.from:row.to]) {
				return
			}
		}
	}
}

// A span is a run of rows in a statement.
type span struct{ from, to int }

// rows returns where the rows of an INSERT begin, and runs of them that fit a statement; or none.
func rows(sql []byte, limit int, mode Mode) (head int, runs []span) {
	if len(sql) <= limit || !hasWord(sql, "insert") && !hasWord(sql, "replace") {
		return 0, nil
	}
	lx := newLexer(",", mode)
	lx.special['('], lx.special[')'] = 1, 1
	depth, row, run := 0, 0, span{}
	count, commas := 0, 0 // of rows, and between them
	for i := 0; ; {
		begin := i
		i = lx.skip(sql, i)
		if between := trimBlanks(sql[begin:i]); depth == 0 && len(between) > 0 {
			if head > 0 {
				return 0, nil // there is more behind the rows
			}
			if i < len(sql) && sql[i] == '(' && endsWithWord(between, "values") {
				head, run = i, span{i, i}
			}
		}
		if i == len(sql) {
			break
		}
		c := sql[i]
		i++
		switch {
		case isQuote(c):
			lx.in = place(c)
			var closed bool
			if i, closed = lx.quoted(sql, i); !closed || depth == 0 && head > 0 {
				return 0, nil
			}
		case c == '(':
			if depth == 0 && head > 0 {
				if row = i - 1; commas != count {
					return 0, nil
				}
				count++
			}
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return 0, nil
			}
			if depth == 0 && head > 0 {
				if run.to > run.from && head+i-run.from > limit {
					runs = append(runs, run)
					run.from = row
				}
				run.to = i
			}
		case c == ',' && depth == 0 && head > 0:
			if commas++; commas != count {
				return 0, nil
			}
		case c == '#', c == '-' && isDashes(sql[i-1:]), c == '/' && i < len(sql) && sql[i] == '*':
			return 0, nil
		}
	}
	if head == 0 || depth != 0 || commas != count-1 {
		return 0, nil
	}
	return head, append(runs, run)
}

// hasWord says whether s begins with the word.
func hasWord(s []byte, word string) bool {
	return len(s) > len(word) && bytes.EqualFold(s[:len(word)], []byte(word)) && isBlank(s[len(word)])
}

// endsWithWord says whether s ends with the word, behind nothing or a blank.
func endsWithWord(s []byte, word string) bool {
	n := len(s) - len(word)
	return n >= 0 && bytes.EqualFold(s[n:], []byte(word)) && (n == 0 || isBlank(s[n-1]))
}
