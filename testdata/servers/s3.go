package servers

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An S3Server is a private versitygw that keeps its objects as files.
type S3Server struct {
	Endpoint  string // http://127.0.0.1:PORT
	AccessKey string
	SecretKey string
	Bucket    string // exists, and is empty

	scratch *scratch
	process *process
}

// S3 starts a server for the test and stops it when the test is over.
func S3(t testing.TB) *S3Server {
	t.Helper()
	skipShort(t, "versitygw")
	s3, err := startS3()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s3.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s3
}

// startS3 is S3 for TestMain and for programs: whoever calls it calls Stop.
func startS3() (s3 *S3Server, err error) {
	bin, err := BuildS3()
	if err != nil {
		return nil, err
	}
	s, err := newScratch(os.TempDir(), "s3")
	if err != nil {
		return nil, fmt.Errorf("start S3 server: %w", err)
	}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	s3 = &S3Server{AccessKey: "test-access", SecretKey: "test-secret", Bucket: "backups", scratch: s}
	for _, dir := range []string{s.path("meta"), s.path("data"), s.path("data/" + s3.Bucket)} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, fmt.Errorf("start S3 server: %w", err)
		}
	}
	// A free port can be lost to another process before the server binds it.
	for range 10 {
		if err = s3.listen(bin); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		log, _ := os.ReadFile(s.path("log"))
		return nil, fmt.Errorf("start S3 server: %w\n%s", err, log)
	}
	return s3, nil
}

// BuildS3 builds the server's program where it is missing, and returns its path.
func BuildS3() (string, error) { return versitygwTool.build() }

// Stop ends the server and removes its objects.
func (s *S3Server) Stop() error {
	return errors.Join(s.process.stop(syscall.SIGTERM, 10*time.Second), s.scratch.remove())
}

// Repository is restic's address for a repository below prefix in the bucket.
func (s *S3Server) Repository(prefix string) string {
	return fmt.Sprintf("s3:%s/%s/%s", s.Endpoint, s.Bucket, prefix)
}

// Folder is where the files of the repository below prefix lie.
func (s *S3Server) Folder(prefix string) string {
	return filepath.Join(s.scratch.path("data"), s.Bucket, prefix)
}

// Env is the keys as restic's environment variables.
func (s *S3Server) Env() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + s.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.SecretKey}
}

func (s *S3Server) listen(bin string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	log, err := os.Create(s.scratch.path("log"))
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own copy

	addr := fmt.Sprintf("127.0.0.1:%d", port)
	// A path that is this server's own: an answer on the port could be another's.
	health := "/" + filepath.Base(s.scratch.dir)
	// Metadata in files of its own: extended attributes are not to be had everywhere.
	cmd := exec.Command(bin, "--port", addr, "--health", health, "--quiet",
		"posix", "--sidecar", s.scratch.path("meta"), s.scratch.path("data"))
	cmd.Env = append(serverEnv(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	cmd.Stdout, cmd.Stderr = log, log
	process, err := startProcess(cmd, syscall.SIGKILL)
	if err != nil {
		return err
	}
	endpoint := "http://" + addr
	if err := process.waitReady(time.Minute, func() bool { return healthy(endpoint + health) }); err != nil {
		_ = process.stop(syscall.SIGKILL, time.Second)
		text, _ := os.ReadFile(log.Name())
		if strings.Contains(string(text), "address already in use") {
			return errPortTaken
		}
		return err
	}
	s.Endpoint, s.process = endpoint, process
	return nil
}

// healthy asks on a connection of its own, so that none stays open.
func healthy(url string) bool {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
