package choice

import "strings"

// Split parts a list of patterns at its commas outside quotes. Blanks around a pattern do not
// count.
func Split(list string) []string {
	var all []string
	var quoted rune // the quote that is open
	for item := range strings.FieldsFuncSeq(list, func(r rune) bool {
		switch {
		case quoted != 0 && r == quoted:
			quoted = 0
		case quoted == 0 && (r == '"' || r == '`'):
			quoted = r
		case quoted == 0 && r == ',':
			return true
		}
		return false
	}) {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}
