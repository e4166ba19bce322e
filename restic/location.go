package restic

import (
	"fmt"
	"os"
	"strings"
)

// localFolder is the repository's folder if the repository is one on a mounted file system, else "".
func (c *Client) localFolder() (string, error) {
	location := c.getenv("RESTIC_REPOSITORY")
	if file := c.getenv("RESTIC_REPOSITORY_FILE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("RESTIC_REPOSITORY_FILE: %w", err)
		}
		location = strings.TrimSpace(string(text))
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

// getenv is what the child will find in its environment: of several equal names the last one counts.
func (c *Client) getenv(name string) string {
	value := ""
	for _, entry := range c.Env {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			value = text
		}
	}
	return value
}
