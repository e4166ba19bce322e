package load

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// freeMemory is how many bytes the server's machine has left, and every control group that the
// server is in, such as a container's. 0: nobody knows. The files are Linux's, read by the server
// and seen as from within its container.
func (s *session) freeMemory(ctx context.Context) (int64, error) {
	about, err := s.files(ctx, []string{"/proc/meminfo", "/proc/self/cgroup"})
	if err != nil || about[0] == "" || about[1] == "" {
		return 0, err
	}
	var free int64
	for line := range strings.Lines(about[0]) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemAvailable:" {
			kilobytes, _ := strconv.ParseInt(f[1], 10, 64)
			free = kilobytes << 10
		}
	}
	limits, err := s.files(ctx, limitFiles(about[1]))
	if err != nil {
		return 0, err
	}
	for i := 0; i+1 < len(limits); i += 2 {
		most, err1 := strconv.ParseInt(strings.TrimSpace(limits[i]), 10, 64) // or "max"
		used, err2 := strconv.ParseInt(strings.TrimSpace(limits[i+1]), 10, 64)
		if err1 == nil && err2 == nil {
			free = min(free, max(most-used, 0))
		}
	}
	return free, nil
}

// limitFiles are the files that say how much memory a process may have and how much is used, in
// turn, by its control groups as /proc/PID/cgroup has them: each group and all that it is in, of
// version 2 (whose line has no controllers) and 1. A container sees its own group as the topmost
// one, whatever it is called outside.
func limitFiles(cgroups string) (names []string) {
	const most = 32 // levels
	for line := range strings.Lines(cgroups) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		root, limit, used := "/sys/fs/cgroup", "memory.max", "memory.current"
		switch {
		case f[1] == "":
		case strings.Contains(","+f[1]+",", ",memory,"):
			root, limit, used = "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
		default:
			continue
		}
		for group := path.Clean("/" + f[2]); len(names) < 2*most; group = path.Dir(group) {
			names = append(names, path.Join(root, group, limit), path.Join(root, group, used))
			if group == "/" {
				break
			}
		}
	}
	return names
}

// files reads the beginnings of files of the server's machine, of what is not there nothing. If the
// role may not, it may call the function and not for these files, and it is as if none were there.
func (s *session) files(ctx context.Context, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	calls := make([]string, len(names))
	for i, name := range names {
		calls[i] = "pg_catalog.pg_read_file(" + server.Literal(name) + ", 0, 4096, true)"
	}
	found, err := s.row(ctx, "SELECT "+strings.Join(calls, ", "))
	switch {
	case err == nil:
		return found, nil
	case errors.As(err, new(*pgconn.PgError)) && !s.conn.IsClosed():
		return make([]string, len(names)), nil
	}
	return nil, fmt.Errorf("read the server's free memory: %w", err)
}
