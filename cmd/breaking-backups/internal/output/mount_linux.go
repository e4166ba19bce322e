package output

import "golang.org/x/sys/unix"

// isMountPoint reports whether something is mounted at path, as a container's runtime does with
// single files: no rename replaces that. Kernels before 5.8 do not say.
func isMountPoint(path string) bool {
	var stat unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, 0, &stat)
	return err == nil && stat.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}
