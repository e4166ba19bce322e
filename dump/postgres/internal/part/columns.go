package part

import "slices"

// columnsOf are the places of names that seem to be in a schema and are those of columns, in a
// query that has something by the schema's name: a table of that name, or one with that alias. A
// function's is followed by its arguments, a type's comes behind ::, a table's where tables do.
// Statements that are no queries name columns without their table.
func columnsOf(sql, schema string) map[int]bool {
	c := read(sql)
	if !c.queries() {
		return nil
	}
	named := false
	found := map[int]bool{}
	for i := 1; i+1 < len(c.list); i++ {
		t, before := c.list[i], c.list[i-1]
		if !t.names() || t.text != schema {
			continue
		}
		if !c.list[i+1].isSign(".") {
			named = named || before.names() || before.isSign(")") || before.isSign(".")
			continue
		}
		var last token
		if i+3 < len(c.list) {
			last = c.list[i+3]
		}
		switch {
		case last.isSign("("), before.isSign(":"):
		case before.isSign("(") || before.isSign(","):
			found[t.start] = !last.names() || isAny(last, behindColumns)
		default:
			found[t.start] = !isAny(before, beforeTables)
		}
	}
	if !named {
		return nil
	}
	return found
}

// queries tells whether a statement consists of queries.
func (c *cursor) queries() bool {
	ahead := *c
	if !ahead.take("create") {
		return false
	}
	ahead.take("or", "replace")
	return slices.Contains([]string{"view", "materialized view", "rule", "policy", "function", "procedure"}, ahead.phrase())
}

// Words that come before the name of something that is in a schema, and words that come behind a
// column in a list, or in parentheses, and not behind a table.
var (
	beforeTables  = []string{"from", "join", "only", "into", "update", "on", "to", "view", "function", "procedure", "collate", "returns", "setof", "lateral"}
	behindColumns = []string{"as", "is", "and", "or", "not", "in", "then", "else", "end", "asc", "desc", "nulls", "collate", "order", "from", "like", "between"}
)

func isAny(t token, keywords []string) bool { return slices.ContainsFunc(keywords, t.is) }
