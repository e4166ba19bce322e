package metrics

import "strings"

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
