package part

import (
	"fmt"
	"strings"
)

// closed is the policy that takes a restrictive one's place, or empty: nothing passes it. Without
// one, what the permissive ones let through would be shown to whom the other has kept it from.
func closed(sql string) string {
	c := read(sql)
	if !c.take("create", "policy") || !c.to("restrictive") {
		return ""
	}
	ahead, clause := *c, " USING (false);"
	if ahead.take("for", "insert") {
		clause = " WITH CHECK (false);"
	}
	for ; c.at < len(c.list); c.at++ {
		if t := c.list[c.at]; t.is("using") || t.is("with") || t.isSign(";") {
			return strings.TrimRight(sql[:t.start], " ") + clause
		}
	}
	return ""
}

// closeBy makes that policy, if a restrictive one is left out.
func (p *Part) closeBy(s *statement) error {
	sql := closed(s.item.Text)
	if sql == "" {
		return nil
	}
	p.Warn(fmt.Sprintf("%s lets nothing pass until it is made as it was: it is restrictive", s.what))
	shut := *s
	shut.item.Text = sql
	return p.send(&shut)
}
