package metrics

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docs/metrics.md has a table of all metrics, made from their descriptions. -update makes it anew.
func TestDocsHoldTheMetrics(t *testing.T) {
	const page = "../../docs/metrics.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin, rest, found := strings.Cut(string(text), "<!-- table of metrics -->\n")
	_, end, ended := strings.Cut(rest, "<!-- end of table -->\n")
	if !found || !ended {
		t.Fatalf("%s has no place for the table", page)
	}
	want := begin + "<!-- table of metrics -->\n\n" + metricsTable() + "\n<!-- end of table -->\n" + end
	if diff := cmp.Diff(want, string(text)); diff != "" {
		if *update {
			if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("%s: -update makes it right (-want +got):\n%s", page, diff)
	}
}

func metricsTable() string {
	var b strings.Builder
	b.WriteString("| metric | labels | |\n|---|---|---|\n")
	all := names()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var labels []string
		for _, label := range all[name].labels {
			labels = append(labels, "`"+label+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.TrimPrefix(name, prefix), strings.Join(labels, ", "), all[name].help)
	}
	return b.String()
}

// What deploy/ asks Prometheus for is there, and each alert is told of in the docs.
func TestDeployNamesMetrics(t *testing.T) {
	known := names()
	name := regexp.MustCompile(`\bbreaking_backups_[a-z_]*[a-z]\b`)
	for _, file := range []string{"../../deploy/prometheus/alerts.yml", "../../deploy/prometheus/alerts_test.yml", "../../deploy/grafana/dashboard.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := name.FindAllString(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s names no metric", file)
		}
		for _, metric := range found {
			if _, ok := known[metric]; !ok {
				t.Errorf("%s names %s, which there is not", file, metric)
			}
		}
	}
}

func TestDocsHoldTheAlerts(t *testing.T) {
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("../../deploy/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("../../deploy/prometheus/alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range regexp.MustCompile(`(?m)- alert: (\w+)$`).FindAllStringSubmatch(string(rules), -1) {
		if !strings.Contains(string(page), "\n| `"+alert[1]+"` |") {
			t.Errorf("docs/metrics.md does not tell of the alert %s", alert[1])
		}
		if !regexp.MustCompile(`alertname: ` + alert[1] + `\n +exp_alerts:\n`).Match(tests) {
			t.Errorf("no test has %s go off", alert[1])
		}
	}
}
