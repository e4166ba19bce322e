// Package deploy holds deploy/ against the program that it is for: promtool.
package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const dashboardFile = "../../deploy/grafana/dashboard.json"

// Prometheus understands each query of the dashboard.
func TestDashboardQueries(t *testing.T) {
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	rules := "groups:\n- name: dashboard\n  rules:\n"
	found := regexp.MustCompile(`"expr": ("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(string(text), -1)
	if len(found) == 0 {
		t.Fatal("the dashboard asks for nothing")
	}
	for i, expr := range found {
		rules += fmt.Sprintf("  - record: query_%d\n    expr: %s\n", i, expr[1]) // a string of JSON is one of YAML
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

// The alerts go off when they should, and not otherwise.
func TestAlerts(t *testing.T) {
	promtool(t, "check", "rules", "../../deploy/prometheus/alerts.yml")
	promtool(t, "test", "rules", "../../deploy/prometheus/alerts_test.yml")
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("promtool is installed by make setup")
	}
	if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
