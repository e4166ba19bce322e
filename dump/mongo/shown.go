package mongo

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mongo/archive"
)

func shown(name string) string { return shortened(archive.Shown(name)) }

// shownAll is several names, the first ones of many.
func shownAll(names []string) string {
	const most = 10
	var all []string
	for _, name := range names[:min(len(names), most)] {
		all = append(all, shown(name))
	}
	text := strings.Join(all, ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
