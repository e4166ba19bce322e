package script

import "slices"

// Disabled returns a CREATE EVENT as that of an event which does not act until somebody says so. It
// reports false for any other statement.
//
// What it goes by is the grammar of what stands between the name and the body: ON SCHEDULE …, ON
// COMPLETION …, ENABLE or DISABLE, COMMENT '…', DO. Of these only a schedule may hold expressions,
// and those no word that ends it.
func Disabled(sql []byte) ([]byte, bool) {
	o := ObjectOf(sql)
	if o.Verb != "create" || o.Kind != "event" {
		return sql, false
	}
	t := &tokens{rest: sql[o.Behind:]}
	for depth := 0; ; {
		t.skip()
		at := len(sql) - len(t.rest)
		word := t.next()
		switch {
		case word == "":
			return sql, true // it has no body, and no server takes it
		case word == "(":
			depth++
		case word == ")":
			depth--
		case depth > 0:
		case word == "enable":
			return slices.Concat(sql[:at], []byte("DISABLE"), t.rest), true
		case word == "disable":
			return sql, true
		case word == "comment", word == "do":
			return slices.Concat(sql[:at], []byte("DISABLE "), sql[at:]), true
		}
	}
}
