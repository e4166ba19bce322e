package part

import "slices"

// bareNames wants what a function's body names without its schema, where the function says itself
// in which schemas that is looked for: nobody else says so while it is called during a restore, or
// by who calls it later. Of a word that is the name of something and something else in the body,
// too, that comes along for nothing. Tables are no such thing, here as elsewhere in bodies.
func (p *Part) bareNames(s *statement) {
	if s.of == nil || s.of.group != function {
		return
	}
	c := read(s.item.Text)
	if path := c.searchPath(); len(path) > 0 {
		for _, t := range c.list {
			if t.kind == text {
				p.bareNamesIn(c.sql[t.start:t.end], path, 3)
			}
		}
	}
}

// bareNamesIn looks into a string, and into those within it, as many deep: a body may run a
// statement that it has in a string, and that may have the name of a sequence in one.
func (p *Part) bareNamesIn(literal string, path []string, deep int) {
	body, ok := inner(literal)
	if !ok || deep == 0 {
		return
	}
	c := read(body)
	for i, t := range c.list {
		switch {
		case t.kind == text:
			p.bareNamesIn(body[t.start:t.end], path, deep-1)
		case !t.names() || i > 0 && c.list[i-1].isSign("."):
		default:
			called := i+1 < len(c.list) && c.list[i+1].isSign("(")
			for _, in := range path {
				for _, o := range p.objects.byName[name{in, t.text}] {
					if !o.isTable() && (called || o.group != function) {
						p.want(o)
					}
				}
			}
		}
	}
}

// searchPath are the schemas that a function has searched, empty where it does not say.
func (c *cursor) searchPath() (path []string) {
	i := slices.IndexFunc(c.list, func(t token) bool { return t.is("search_path") })
	if i < 1 || !c.list[i-1].is("set") {
		return nil
	}
	for i += 2; i < len(c.list); i += 2 { // behind TO, or =, and behind commas
		switch t := c.list[i]; {
		case t.names():
			path = append(path, t.text)
		case t.kind == text:
			schema, _ := inner(c.sql[t.start:t.end])
			path = append(path, schema)
		}
		if i+1 == len(c.list) || !c.list[i+1].isSign(",") {
			return path
		}
	}
	return path
}
