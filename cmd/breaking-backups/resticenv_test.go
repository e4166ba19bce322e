package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// restic, and what it starts, get what they are known to read, and none of our secrets, those of
// files included.
func TestResticEnvironment(t *testing.T) {
	environ := []string{
		"PATH=/bin", "HOME=/root", "LC_ALL=C", "https_proxy=http://proxy", "AWS_PROFILE=x", "RCLONE_CONFIG_PASS=x", "SSH_AUTH_SOCK=x", "RESTIC_PASSWORD_COMMAND=x",
		"PGPASSWORD=s", "PGSSLPASSWORD=s", "MYSQL_PASSWORD=s", "MYSQL_PWD=s", "MONGO_URI=mongodb://h", "DATABASE_URL=", "WEBHOOK_AUTH_HEADER=a: b", "WEBHOOK_URL=http://h",
		"APP_SECRET=s", "VAULT_ADDR=v", "VAULT_TOKEN=v", "OP_SESSION=o", "RESTIC_TAGS=a", "RESTIC_HOST=h",
	}
	tests := []struct {
		further string
		want    []string
	}{
		{"", nil},
		{"VAULT_ADDR, OP_*,NOT_SET", []string{"OP_SESSION", "VAULT_ADDR"}},
		{"*", []string{"APP_SECRET", "OP_SESSION", "VAULT_ADDR", "VAULT_TOKEN"}},
		{"P*,WEBHOOK_*,MYSQL_PWD", []string{"MYSQL_PWD"}}, // those only by their whole name
	}
	for _, tt := range tests {
		cfg, err := loadConfig(append(slices.Clone(environ), "RESTIC_ENV="+tt.further), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]string{"AWS_PROFILE", "HOME", "LC_ALL", "PATH", "RCLONE_CONFIG_PASS", "RESTIC_PASSWORD_COMMAND", "SSH_AUTH_SOCK", "https_proxy"}, tt.want...)
		slices.Sort(want)
		var got []string
		for _, variable := range cfg.children {
			name, _, _ := strings.Cut(variable, "=")
			got = append(got, name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("RESTIC_ENV=%s (-want +got):\n%s", tt.further, diff)
		}
	}
	if _, err := loadConfig([]string{"RESTIC_ENV=VAULT_ADDR,hvs.s3cret"}, nil, nil); err == nil || !strings.Contains(err.Error(), "RESTIC_ENV: want names of variables") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a value where a name belongs: %v", err)
	}
}
