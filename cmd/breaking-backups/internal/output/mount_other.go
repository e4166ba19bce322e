//go:build unix && !linux

package output

// isMountPoint: files alone are mounted on Linux only.
func isMountPoint(string) bool { return false }
