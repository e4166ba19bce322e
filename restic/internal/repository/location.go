package repository

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// localFolder is the repository's folder if the repository is one on a mounted file system, else
// "".
func (k *Keeper) localFolder() (string, error) {
	location := k.Program.Getenv("RESTIC_REPOSITORY")
	if file := k.Program.Getenv("RESTIC_REPOSITORY_FILE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("RESTIC_REPOSITORY_FILE: %w", err)
		}
		location = strings.TrimSpace(Text(text)) // as restic reads it
	}
	if folder, ok := strings.CutPrefix(location, "local:"); ok {
		return folder, nil
	}
	for _, prefix := range []string{"/", "./", "../"} {
		if strings.HasPrefix(location, prefix) {
			return location, nil
		}
	}
	if strings.Contains(location, ":") {
		return "", nil
	}
	return location, nil
}

// address tells repositories apart.
func (k *Keeper) address() string {
	return k.Program.Getenv("RESTIC_REPOSITORY") + "\n" + k.Program.Getenv("RESTIC_REPOSITORY_FILE")
}

// fileName is a name that restic gives to a file of a repository. What a killed restic leaves
// half-written has another.
var fileName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// localFiles lists the files in one of the repository's folders. ok is false if the repository is
// not in a local folder or cannot be read.
func (k *Keeper) localFiles(folder string) (files []fs.FileInfo, ok bool) {
	path, err := k.localFolder()
	if err != nil || path == "" {
		return nil, false
	}
	entries, err := os.ReadDir(filepath.Join(path, folder))
	if err != nil {
		return nil, false
	}
	for _, entry := range entries {
		if !fileName.MatchString(entry.Name()) {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, false
		}
		files = append(files, info)
	}
	return files, true
}
