//go:build unix && !linux

package main

// isMountPoint: files alone are mounted on Linux only.
func isMountPoint(string) bool { return false }
