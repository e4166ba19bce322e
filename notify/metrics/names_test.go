package metrics

import (
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// described is a metric as its description tells it.
type described struct {
	help   string
	labels []string
}

// ofDesc takes a description's text apart: the library has no other way to read one.
var ofDesc = regexp.MustCompile(`^Desc\{fqName: "([a-z_]+)", help: "(.*)", unit: "", constLabels: \{\}, variableLabels: \{([a-z_,]*)\}\}$`)

// names are all metrics that there can be.
func names() map[string]described {
	to := make(chan *prometheus.Desc, len(all))
	new(Metrics).Describe(to)
	close(to)
	found := map[string]described{}
	for d := range to {
		parts := ofDesc.FindStringSubmatch(d.String())
		if parts == nil {
			panic("a description that is not understood: " + d.String())
		}
		found[parts[1]] = described{parts[2], strings.Split(parts[3], ",")}
	}
	return found
}
