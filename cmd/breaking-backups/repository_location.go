package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// restic takes whatever it does not know for a folder's name. A repository of which the address is
// written wrongly is then made beside the program, night after night, and goes with the container:
// nothing fails until somebody wants to restore.

// stores are the kinds of repository that restic knows by the word before the first colon.
var stores = []string{"azure", "b2", "gs", "local", "rclone", "rest", "s3", "sftp", "swift"}

// lostColon is a store's name with slashes where its colon belongs.
var lostColon = regexp.MustCompile(`^(` + strings.Join(stores, "|") + `)/`)

// errRelative is of a folder that is looked for from wherever the program was started.
var errRelative = errors.New("a relative path; want a whole one, /srv/backups, or a store and a colon before it, s3:https://host/bucket; ./ before it if a folder within the working folder is meant")

var errRelativeLocal = errors.New("a relative path; want a whole one, local:/srv/backups; local:./ before it if a folder within the working folder is meant")

// checkRepository looks at where a repository is said to be, by restic's rules for what is a folder
// on the platform goos. Its errors hold nothing of it, as it may hold a password. Words before a
// colon that are no store's of today are restic's to refuse: later ones may know them.
func checkRepository(location, goos string) error {
	if err := strayEnds(location); err != nil {
		return err
	}
	if folder, ok := strings.CutPrefix(location, "local:"); ok {
		return checkFolder(folder, goos)
	}
	kind, _, hasKind := strings.Cut(location, ":")
	onWindows := goos == "windows"
	switch {
	case hasKind && slices.Contains(stores, kind):
		return nil
	case strings.HasPrefix(location, "/"), isExplicit(location), onWindows && isWindowsPath(location):
		return nil
	case isWindowsPath(location): // to restic a path, which here is a name with letters that mean nothing
		return errors.New("a path of Windows; want one of this machine, /srv/backups")
	case hasKind && slices.Contains([]string{"http", "https"}, kind):
		return fmt.Errorf("an address without its store; want s3:%s:// or rest:%[1]s://", kind)
	case hasKind && kind == "file":
		return errors.New("an address of a file; want the folder's path, /srv/backups")
	case hasKind && !strings.Contains(kind, "/"):
		return nil
	}
	if store := lostColon.FindString(location); store != "" {
		return fmt.Errorf("no colon behind the store's name; want %s:… (or ./ before it if a folder within the working folder is meant)", strings.TrimSuffix(store, "/"))
	}
	return errRelative
}

// checkFolder is checkRepository for what stands behind local:, which restic takes for a folder
// whatever it is.
func checkFolder(path, goos string) error {
	if err := strayEnds(path); err != nil {
		return err
	}
	if strings.HasPrefix(path, "/") || isExplicit(path) || goos == "windows" && isWindowsPath(path) {
		return nil
	}
	return errRelativeLocal
}

// isExplicit reports whether a path says itself that it begins in the working folder.
func isExplicit(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first == "." || first == ".."
}

// isWindowsPath reports whether restic takes a path for one of Windows: C:\backups, C:/backups,
// \\server\share, .\backups.
func isWindowsPath(path string) bool {
	drive := len(path) > 2 && isLetter(path[0]) && path[1] == ':' && (path[2] == '\\' || path[2] == '/')
	return drive || strings.HasPrefix(path, `\`) || strings.HasPrefix(path, `.\`) || strings.HasPrefix(path, `..\`)
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// strayEnds tells of a quote or a blank at the beginning or the end of a value. A shell takes
// quotes away; docker's --env-file, a manifest or a form keeps them, and none of the values that
// are looked at ends in one by right.
func strayEnds(value string) error {
	switch {
	case strings.TrimSpace(value) != value:
		return errors.New("a blank at its beginning or end; want it without")
	case strings.Trim(value, `"'`) != value:
		return errors.New("a quote at its beginning or end, which only a shell takes away; want it without")
	}
	return nil
}

// checkEnds looks at what names a place to write to, which with a quote kept is another one, made
// where the program was started.
func (l *configLoader) checkEnds(cfg *config) {
	for _, place := range []struct {
		name  string
		value *string
	}{
		{"WORK_DIR", &cfg.Backup.WorkDir}, {"LOG_FILE", &cfg.Log.File},
	} {
		if err := strayEnds(*place.value); err != nil {
			l.Mistake(place.name, err)
			*place.value = "" // it is not opened on the way to telling
		}
	}
	if err := strayEnds(l.Environ["RESTIC_CACHE_DIR"]); err != nil {
		l.Mistake("RESTIC_CACHE_DIR", err)
	}
}
