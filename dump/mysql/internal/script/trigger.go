package script

import "strings"

// UnqualifiedTrigger takes a database's name out of a trigger's head, where it stands if whoever
// made the trigger wrote it: the dump of one database goes into any. What follows is quoted, as
// behind a dot a word of SQL is a name without.
func UnqualifiedTrigger(definition, database string) string {
	t := &tokens{rest: []byte(definition)}
	var b strings.Builder
	kept := 0
	for word := t.next(); word != "" && word != "each"; word = t.next() {
		end := len(definition) - len(t.rest)
		if !t.qualifies() || t.name() != database {
			continue
		}
		b.WriteString(definition[kept : end-len(t.word)])
		t.next() // the dot
		t.skip()
		kept = len(definition) - len(t.rest)
		if kept < len(definition) && isWord(definition[kept]) {
			t.next()
			b.WriteString("`" + t.word + "`")
			kept += len(t.word)
		}
	}
	return b.String() + definition[kept:]
}
