package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker (-X main.version=…) in builds that are released.
var version string

func (a *app) version() command {
	return command{
		use:     "version",
		short:   "Say which version this is",
		example: `  breaking-backups version`,
		run: func(context.Context, *config) error {
			fmt.Fprintf(a.stdout, "breaking-backups %s %s %s/%s\n", programVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

// programVersion is the linker's version, else what the build knows of its source.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
