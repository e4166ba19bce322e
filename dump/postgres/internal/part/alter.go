package part

// describeAlter reads what follows ALTER.
func (os *objects) describeAlter(s *statement, c *cursor) {
	phrase := c.phrase()
	if c.take("if", "exists") {
		s.role = clears
		return
	}
	switch phrase {
	case "", "event trigger", "publication", "subscription":
		return
	case "large object":
		s.role = large
		return
	case "database", "role", "tablespace":
		s.role = governs
		return
	case "default privileges":
		c.take("for", "role")
		c.name()
		if c.take("in", "schema") {
			s.of = os.find(schema, c.name())
		}
		s.old = s.of == nil
		return
	}
	c.take("only")
	if s.of = os.find(phrase, c.name()); s.of == nil {
		s.old = phrase == schema
		return
	}
	s.role = shapes
	switch phrase {
	case "table", "foreign table":
		os.alterTable(s, c)
	case "sequence":
		if c.take("owned", "by") {
			s.role, s.what = points, "the tie of sequence "+s.of.name.String()+" to its column"
			if owner := os.find("table", c.name()); owner != nil {
				s.of.owner = owner
				owner.sequences = append(owner.sequences, s.of)
			}
		}
	case "index":
		if c.take("attach", "partition") {
			s.role = joins
		}
	}
}

// alterTable reads what is done to a table.
func (os *objects) alterTable(s *statement, c *cursor) {
	switch {
	case c.take("attach", "partition"):
		whole := s.of
		if part := os.find("table", c.name()); part != nil {
			s.of = part
			whole.parts = append(whole.parts, part)
			s.role, s.what = joins, "partition "+part.name.String()
		}
	case c.take("add", "constraint"):
		n := c.name()
		switch {
		case c.take("foreign", "key"):
			s.role, s.what = points, "foreign key "+n.String()+" of "+s.of.name.String()
			s.member = member{"constraint", n.name}
		case c.take("primary"), c.take("unique"), c.take("exclude"):
			s.index, s.of.keys = n.name, append(s.of.keys, n.name)
			os.aliasOf(s.of, n.name)
		}
	case c.take("no", "inherit"):
		if o := os.find("table", c.name()); o != nil && o != s.of {
			o.scaffolds = s.of
		}
	case c.take("enable"), c.take("disable"):
		c.skip("always", "replica")
		if phrase := c.phrase(); phrase == "trigger" || phrase == "rule" {
			s.member, s.changes = member{phrase, c.name().name}, true
		}
	case c.take("alter", "column"):
		c.name()
		if !c.take("add", "generated") {
			return
		}
		for i := c.at; i+1 < len(c.list); i++ {
			if c.list[i].is("sequence") && c.list[i+1].is("name") {
				c.at = i + 2
				n := c.name()
				os.alias(n, s.of)
				s.of.identity, s.identity = append(s.of.identity, n), n
				return
			}
		}
	}
}
