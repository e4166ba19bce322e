//go:build unix

package process

import (
	"fmt"
	"syscall"
)

// cacheRoom is how much must be free where restic keeps its cache. When a cache is full restic
// fails after all is done, or tries for a quarter of an hour to read what it could have without
// one.
const cacheRoom = 64 << 20

// tryFolder tells why the cache cannot be kept in a folder that is there.
func tryFolder(dir string) error {
	const write = 2 // access(2)
	if err := syscall.Access(dir, write); err != nil {
		return fmt.Errorf("restic's cache: %s: %w", dir, err)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("restic's cache: free space of %s: %w", dir, err)
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < cacheRoom {
		return fmt.Errorf("restic's cache: %d MiB are free in %s, want %d", free>>20, dir, cacheRoom>>20)
	}
	return nil
}
