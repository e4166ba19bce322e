package servers

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// makeData fills the server's data folder. To initialise one takes a second (MariaDB) or six
// (MySQL), so it is done once for each version on a machine, and then copied.
func (my *MySQL) makeData(account account) error {
	version, err := exec.Command(my.programs.server, "--no-defaults", "--version").Output()
	if err != nil {
		return fmt.Errorf("%s --version: %w", my.programs.server, err)
	}
	top, err := findTop()
	if err != nil {
		return err
	}
	commands := my.initialisers("")
	key := sha256.Sum256(fmt.Append(version, commands, onlyLocalRoot))
	model := filepath.Join(top, ".cache", "servers", fmt.Sprintf("mysql-%x", key[:6]))
	data := my.scratch.path("data")
	if info, err := os.Stat(model); err == nil && info.IsDir() {
		if err := os.CopyFS(data, os.DirFS(model)); err != nil {
			return err
		}
		return account.own(data)
	}
	if err := os.WriteFile(my.scratch.path("install.sql"), []byte(onlyLocalRoot), 0o644); err != nil {
		return err
	}
	args := my.initialisers(my.scratch.dir)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = my.scratch.dir
	cmd.Env = serverEnv()
	account.apply(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", args[0], err, out)
	}
	return keep(data, model)
}

// initialisers is the command that makes a data folder in dir.
func (my *MySQL) initialisers(dir string) []string {
	small := []string{"--datadir=" + dir + "/data", "--innodb-flush-method=nosync", "--innodb-doublewrite=0", "--innodb-use-native-aio=0"}
	if my.IsMariaDB {
		return append([]string{
			my.programs.install, "--no-defaults", "--auth-root-authentication-method=normal",
			"--skip-test-db", "--skip-name-resolve", "--extra-file=" + dir + "/install.sql", "--innodb-log-file-size=4M",
		}, small...)
	}
	return append([]string{my.programs.server, "--no-defaults", "--initialize-insecure", "--innodb-redo-log-capacity=16M"}, small...)
}

// onlyLocalRoot removes the superusers that MariaDB makes for the machine's name: equal servers
// have equal accounts, on whatever machine.
const onlyLocalRoot = `DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';
DELETE FROM mysql.proxies_priv WHERE User = 'root' AND Host <> 'localhost';
`

// keep copies data to model. Another process may do the same at the same time: the first wins, and
// their results are alike.
func keep(data, model string) error {
	if err := os.MkdirAll(filepath.Dir(model), 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(model), "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := os.CopyFS(fresh, os.DirFS(data)); err != nil {
		return err
	}
	if err := os.Rename(fresh, model); err != nil && !isDir(model) {
		return err
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// own makes a folder and all in it the account's.
func (a account) own(dir string) error {
	if !a.other {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(a.uid), int(a.gid))
	})
}
