//go:build !linux

package servers

import "syscall"

// Only Linux can signal a child when its parent dies: elsewhere a killed test leaves its server to
// be ended by hand.
func setParentDeathSignal(*syscall.SysProcAttr, syscall.Signal) {}
