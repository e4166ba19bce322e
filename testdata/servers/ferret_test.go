package servers

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mongorestore takes a document in, mongodump gets it out, bsondump reads it.
func TestFerret(t *testing.T) {
	f := Ferret(t)
	run := func(stdin []byte, name string, args ...string) []byte {
		t.Helper()
		cmd := exec.Command(MongoTool(t, name), args...)
		cmd.Stdin = bytes.NewReader(stdin)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, stderr.String())
		}
		return stdout.Bytes()
	}
	doc := []byte("\x12\x00\x00\x00\x10_id\x00\x07\x00\x00\x00\x08x\x00\x01\x00")
	run(doc, "mongorestore", f.URI(""), "--db", "shop", "--collection", "items", "-")
	dir := t.TempDir()
	run(nil, "mongodump", f.URI("shop"), "--out", dir)
	json := run(nil, "bsondump", filepath.Join(dir, "shop", "items.bson"))
	if got, want := strings.TrimSpace(string(json)), `{"_id":{"$numberInt":"7"},"x":true}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestMongoToolUnknown(t *testing.T) {
	if _, err := BuildMongoTool("mongosh"); err == nil {
		t.Error("mongosh: no error")
	}
}
