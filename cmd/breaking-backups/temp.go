package main

import (
	"fmt"
	"os"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// checkTemp makes sure that there is a folder for temporary files: restic packs what it stores
// there, and fails after a while, in words of its own, where there is none.
func checkTemp() error {
	file, err := os.CreateTemp("", "breaking-backups-*.try")
	if err != nil {
		return &exit.ConfigError{Mistakes: []error{fmt.Errorf("TMPDIR: want a folder that restic can keep its packs in: %w", err)}}
	}
	_ = file.Close()
	_ = os.Remove(file.Name())
	return nil
}
