package repository

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLocalFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "location")
	if err := os.WriteFile(file, []byte("/from/file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wide := filepath.Join(t.TempDir(), "wide")
	if err := os.WriteFile(wide, []byte("\xff\xfe/\x00t\x00\r\x00\n\x00"), 0o600); err != nil { // as PowerShell writes
		t.Fatal(err)
	}
	for _, test := range []struct{ env, want string }{
		{"RESTIC_REPOSITORY=/a/b:c", "/a/b:c"},
		{"RESTIC_REPOSITORY=a/b", "a/b"},
		{"RESTIC_REPOSITORY=./a:b", "./a:b"},
		{"RESTIC_REPOSITORY=local:a:b", "a:b"},
		{"RESTIC_REPOSITORY=s3:https://host/bucket", ""},
		{"RESTIC_REPOSITORY=sftp:user@host:/a", ""},
		{"RESTIC_REPOSITORY=rest:http://host/", ""},
		{"RESTIC_REPOSITORY_FILE=" + file, "/from/file"},
		{"RESTIC_REPOSITORY_FILE=" + wide, "/t"},
		{"", ""},
	} {
		keeper := newKeeper("", []string{"RESTIC_REPOSITORY=/first", test.env})
		if test.env == "" {
			keeper.Program.Env = nil
		}
		if got, err := keeper.localFolder(); got != test.want || err != nil {
			t.Errorf("%s: %q, %v", test.env, got, err)
		}
	}
}
