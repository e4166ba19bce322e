package servers

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// An account is who a server runs as: ourselves, or, since PostgreSQL and MariaDB refuse to run as
// root, an unprivileged user when we are root.
type account struct {
	other    bool // false: ourselves
	uid, gid uint32
}

func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, fmt.Errorf("account %s: %w", name, err)
		}
		return account{other: true, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return account{}, errors.New("account: neither postgres nor nobody exists on this machine")
}

// reaches says whether the account gets into dir, which root may have closed to others (a TMPDIR
// below /root, say).
func (a account) reaches(dir string) bool {
	if !a.other {
		return true
	}
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

// serverBase is the folder that a server's own is made in: TMPDIR, unless the account does not get
// there or the path of the server's socket would be too long.
func serverBase(account account, kind, socket string) string {
	const maxSocket = 107
	base := os.TempDir()
	if len(base+"/breaking-backups-"+kind+"-1234567890"+socket) > maxSocket || !account.reaches(base) {
		return "/tmp"
	}
	return base
}
