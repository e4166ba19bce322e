package main

import "os"

// checkTemp makes sure that there is a folder for temporary files: restic packs what it stores
// there, and fails after a while, in words of its own, where there is none.
func checkTemp() error {
	file, err := os.CreateTemp("", "breaking-backups-*.try")
	if err != nil {
		return &configError{[]string{"TMPDIR: " + err.Error() + ": want a folder that restic can keep its packs in"}}
	}
	_ = file.Close()
	_ = os.Remove(file.Name())
	return nil
}
