package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A password's file is read here and not by the driver, which takes one that everybody can read,
// and looks before it is known which database nobody has named.

// A passKey is what a line of the file is for.
type passKey struct{ host, port, database, user string }

// passwordOfFile is the password of the first line that is for cc's first server, or empty. The
// error says why a file is not used; one that is not there and that nobody has named is none.
func passwordOfFile(p connParameters, cc *pgx.ConnConfig) (string, error) {
	path := p.get("passfile")
	named := path != ""
	if !named {
		var err error
		if path, err = defaultFile(".pgpass"); err != nil {
			return "", nil
		}
	}
	text, err := readPassfile(path)
	var why *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return "", nil
	case errors.As(err, &why):
		return "", fmt.Errorf("no password is taken from the password file %s: %w", path, why.Err)
	case err != nil:
		return "", fmt.Errorf("no password is taken from the password file %s: %w", path, err)
	}
	key := passKey{cc.Host, strconv.Itoa(int(cc.Port)), cc.Database, cc.User}
	if network, _ := pgconn.NetworkAddress(cc.Host, cc.Port); network == "unix" {
		key.host = "localhost"
	}
	for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
		if password, ok := passOf(strings.TrimSuffix(line, "\r"), key); ok {
			return password, nil
		}
	}
	return "", nil
}

// readPassfile is what the file holds. As with libpq it must be for its owner alone; Windows has no
// such bits.
func readPassfile(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("it is no plain file")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("others than its owner can read or write it (mode %04o); want 0600 or less, or the password in PGPASSWORD_FILE, whose mode does not matter", info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// passOf is the password of a line, host:port:database:user:password, if it is for key. A \ stands
// before a : or \ that is meant, a * for anything; what follows another : behind the password does
// not count.
func passOf(line string, key passKey) (password string, ok bool) {
	if strings.HasPrefix(line, "#") {
		return "", false
	}
	var fields []string
	var field strings.Builder
	var plain []string // without what escapes do, to tell * from \*
	start := 0
	for i := 0; i <= len(line); i++ {
		if i == len(line) || line[i] == ':' {
			fields, plain = append(fields, field.String()), append(plain, line[start:i])
			field.Reset()
			start = i + 1
			continue
		}
		if line[i] == '\\' && i+1 < len(line) {
			i++
		}
		field.WriteByte(line[i])
	}
	if len(fields) < 5 {
		return "", false
	}
	for i, want := range []string{key.host, key.port, key.database, key.user} {
		if plain[i] != "*" && fields[i] != want {
			return "", false
		}
	}
	return fields[4], true
}
