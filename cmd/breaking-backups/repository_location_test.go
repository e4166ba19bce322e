package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// What restic takes for an address or a path is taken as it is, on the platform that it is for.
func TestRepositoriesThatAreTaken(t *testing.T) {
	for _, location := range []string{
		"/srv/backups", "/srv/it's a folder/\"x\"/y", "/srv/s3//x", "./backups", "../backups", ".", "..", "./s3//host/bucket",
		"local:./backups", "local:/srv/a:b", "s3:host/bucket", "s3:https://host:9000/bucket/path", "s3:http://host/bucket", "s3://host/bucket", "s3:eu-west-1/bucket",
		"rest:http://host:8000/", "rest:https://u:p'@host/x", "rest:http+unix:///run/rest.sock:/repo", "sftp:u@host:/srv", "sftp:host:backups", "sftp://u@[::1]:2222//srv",
		"rclone:remote:", "rclone:remote:a//b", "swift:container:/path", "b2:bucket:path/to", "b2:bucket", "azure:container:/", "gs:bucket:/", "later:x/y",
	} {
		if err := checkRepository(location, "linux"); err != nil {
			t.Errorf("%s: %v", location, err)
		}
	}
	for _, location := range []string{`C:\backups`, "c:/backups", `\\server\share`, `.\backups`, `..\backups`, "./backups", "/backups", "s3:host/bucket"} {
		if err := checkRepository(location, "windows"); err != nil {
			t.Errorf("%s: %v", location, err)
		}
	}
}

// Addresses that restic would take for folders of the working folder, or that are another's than
// they look.
func TestRepositoriesThatAreNotMeant(t *testing.T) {
	for location, want := range map[string]string{
		"s3//host/bucket": "no colon behind the store's name; want s3:…", "rest//u:s3cret@host/": "no colon behind the store's name; want rest:…", "b2/bucket": "no colon behind the store's name; want b2:…",
		`"s3:https://host/bucket"`: "a quote at its beginning or end", "'/srv/backups": "a quote at its beginning or end", `/srv/backups"`: "a quote at its beginning or end",
		" /srv/backups": "a blank at its beginning or end", "s3:https://host/bucket ": "a blank at its beginning or end", "/srv/backups\n": "a blank at its beginning or end",
		"backups": "a relative path", "srv/backups": "a relative path", "~/backups": "a relative path", "$HOME/backups": "a relative path", "a/b:c": "a relative path", ".hidden": "a relative path",
		"s3.example.org/bucket": "a relative path", "https://host/s3cret": "an address without its store; want s3:https:// or rest:https://", "file:///srv/backups": "an address of a file",
		"local:srv/backups": "a relative path; want a whole one, local:/srv/backups", "local: /srv/backups": "a blank at its beginning", `local:'/srv/backups`: "a quote at its beginning", "local:": "a relative path",
		`C:\backups`: "a path of Windows", "C:/backups": "a path of Windows", `\\server\share`: "a path of Windows", `.\backups`: "a path of Windows",
	} {
		err := checkRepository(location, "linux")
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, want %s", location, err, want)
		}
	}
	if err := checkRepository(`backups\app`, "windows"); !errors.Is(err, errRelative) {
		t.Errorf("%v", err)
	}
}

// What is refused is a folder to restic, and ./ before it is taken.
func TestResticTakesThemForFolders(t *testing.T) {
	t.Parallel()
	binary := servers.Restic(t)
	for location, folder := range map[string]string{"s3//host/bucket": "s3/host/bucket", `"/srv/backups"`: `"/srv/backups"`, "./backups": "backups", "C:/x": "C:/x"} {
		dir := t.TempDir()
		cmd := exec.Command(binary, "cat", "config", "--no-cache", "--repo", location)
		cmd.Dir, cmd.Env = dir, []string{"RESTIC_PASSWORD=x"}
		out, err := cmd.CombinedOutput()
		if looked := filepath.Join(folder, "config"); err == nil || cmd.ProcessState.ExitCode() != 10 || !strings.Contains(string(out), looked) {
			t.Errorf("%s: %v, want a look at %s\n%s", location, err, looked, out)
		}
	}
}
