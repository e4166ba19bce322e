package metrics

import (
	"fmt"
	"strings"
)

// mostLabel is how long a label may be, in bytes: Prometheus refuses none, but keeps each.
const mostLabel = 1000

// valid makes labels of names that anybody may have chosen: in UTF-8, and of a bounded length.
func valid(labels []string) []string {
	for i, label := range labels {
		if len(label) > mostLabel {
			label = label[:mostLabel]
		}
		labels[i] = strings.ToValidUTF8(label, "\ufffd")
	}
	return labels
}

// distinct are labels for the names of jobs. What valid makes of two may be the same, and two
// series of one name would have Prometheus's library answer nothing at all: the later has a number
// behind it.
type distinct map[string]bool

func (d distinct) label(name string) string {
	label := valid([]string{name})[0]
	for n := 2; d[label]; n++ {
		end := fmt.Sprintf("#%d", n)
		label = valid([]string{name[:min(len(name), mostLabel-len(end))] + end})[0]
	}
	d[label] = true
	return label
}
