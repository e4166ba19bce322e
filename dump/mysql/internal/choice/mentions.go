package choice

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
)

// mentions are what triggers that were handed out may name of what was not.
type mentions struct {
	programs map[string]string // not handed out, by their names in lower case
	triggers []wording
}

// A wording is what may be names in a trigger's text, in lower case.
type wording struct {
	trigger string
	words   []string
}

// word matches what may be a name.
var word = regexp.MustCompile(`[\p{L}\p{N}_$]+`)

// leaves takes note of a program that does not come.
func (m *mentions) leaves(o script.Object) {
	if o.Verb == "create" && (o.Kind == "procedure" || o.Kind == "function") {
		m.programs[strings.ToLower(o.Name)] = o.Kind + " " + o.Name
	}
}

// comes takes note of a trigger that does.
func (m *mentions) comes(name, text string) {
	m.triggers = append(m.triggers, wording{name, word.FindAllString(strings.ToLower(text), -1)})
}

// warnOfMentions names the triggers that a part brings and the programs that they seem to use and
// that it does not: the server makes such a trigger, and refuses the rows that it is for.
func (f *Filter) warnOfMentions() {
	var all []string
	for _, t := range f.mentions.triggers {
		told := make(map[string]bool)
		for _, w := range t.words {
			if what, ok := f.mentions.programs[w]; ok && !told[w] {
				told[w] = true
				all = append(all, fmt.Sprintf("trigger %s: %s", t.trigger, what))
			}
		}
	}
	if len(all) > 0 {
		f.to.Warn("triggers name what does not come with their tables, and has to be there: " + dump.Listed(all))
	}
}
