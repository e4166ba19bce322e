package servers

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A tool is a program built from a Go module below testdata, whose go.mod pins its version.
type tool struct {
	name   string
	pkg    string
	tags   string
	module string // its folder in the repository; "": testdata/tools
}

var (
	// restic's own releases are built with this tag too: it leaves gRPC, which no backend of
	// restic's uses, out of the Google Cloud client.
	resticTool    = tool{name: "restic", pkg: "github.com/restic/restic/cmd/restic", tags: "disable_grpc_modules"}
	versitygwTool = tool{name: "versitygw", pkg: "github.com/versity/versitygw/cmd/versitygw"}

	ferretTool  = tool{name: "ferretdb", pkg: "./ferretdb", module: mongoModule}
	ferret2Tool = tool{name: "ferretdb", pkg: "github.com/FerretDB/FerretDB/v2/cmd/ferretdb", module: "testdata/tools/ferretdb2"}
	mongoTools  = map[string]tool{
		"mongodump":    {name: "mongodump", pkg: "github.com/mongodb/mongo-tools/mongodump/main", module: mongoModule},
		"mongorestore": {name: "mongorestore", pkg: "github.com/mongodb/mongo-tools/mongorestore/main", module: mongoModule},
		"bsondump":     {name: "bsondump", pkg: "github.com/mongodb/mongo-tools/bsondump/main", module: mongoModule},
	}
)

// What speaks MongoDB's protocol has a module of its own: it needs versions that the others have
// left behind.
const mongoModule = "testdata/tools/mongo"

// Restic returns the path of the pinned restic. The first call on a machine builds it, which takes
// a minute or two; any later one finds it.
func Restic(t testing.TB) string {
	t.Helper()
	skipShort(t, "restic")
	path, err := BuildRestic()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// BuildRestic is Restic for TestMain and for programs.
func BuildRestic() (string, error) { return resticTool.build() }

// MongoTool returns the path of mongodump, mongorestore or bsondump, at the version that the
// archive format is held against. The first call on a machine builds it.
func MongoTool(t testing.TB, name string) string {
	t.Helper()
	skipShort(t, name)
	path, err := BuildMongoTool(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// BuildMongoTool is MongoTool for TestMain and for programs.
func BuildMongoTool(name string) (string, error) {
	tool, ok := mongoTools[name]
	if !ok {
		return "", fmt.Errorf("build %s: not one of MongoDB's tools here", name)
	}
	return tool.build()
}

// build returns the tool's path below .cache/tools, building it where it is missing. Several
// processes may ask at once: one builds, the others wait. The folder's name carries a hash of the
// module's files, and of the source where it is ours, so a changed version is another folder and an
// old checkout keeps finding its own.
func (b tool) build() (string, error) {
	top, err := findTop()
	if err != nil {
		return "", err
	}
	src := filepath.Join(top, cmp.Or(b.module, "testdata/tools"))
	files := []string{filepath.Join(src, "go.mod"), filepath.Join(src, "go.sum")}
	if strings.HasPrefix(b.pkg, "./") {
		files = append(files, filepath.Join(src, b.pkg, "main.go"))
	}
	key, err := hashFiles(files...)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", b.name, err)
	}
	dir := filepath.Join(top, ".cache", "tools", key)
	path := filepath.Join(dir, b.name)
	if isFile(path) {
		return path, nil
	}
	unlock, err := lockFor(path)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", b.name, err)
	}
	defer unlock()
	if isFile(path) {
		return path, nil
	}
	return path, b.compile(src, path)
}

// lockFor waits until it alone may make what path names, whose folder it makes.
func lockFor(path string) (unlock func() error, err error) {
	// Others than the maker run what is in it (a server's unprivileged user): 0755.
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := flock(lock, true); err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	return lock.Close, nil // and with it the lock
}

func (b tool) compile(src, path string) error {
	cmd := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-tags="+b.tags, "-o", path+".new", b.pkg)
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", b.name, err, out)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("build %s: %w", b.name, err)
	}
	return nil
}

func hashFiles(paths ...string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		h.Write(text)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:6]), nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
