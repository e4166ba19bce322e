package restic

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someMessages = `{"message_type":"status","percent_done":0.5,"bytes_done":7,"current_files":["/app.sql"]}
{"message_type":"verbose_status","action":"summary","item":"/app.sql"}
not json {"message_type":"summary"
{"message_type":"summary","files_new":1,"data_added":287,"data_added_packed":339,"total_bytes_processed":6,"total_duration":0.78,"snapshot_id":"730d"}
`

func TestMessages(t *testing.T) {
	var m messages
	for _, b := range []byte(someMessages + strings.Repeat("x", 2*maxMessage) + "\n") {
		_, _ = m.Write([]byte{b})
	}
	want := &Summary{SnapshotID: "730d", FilesNew: 1, DataAdded: 287, DataAddedPacked: 339, TotalBytesProcessed: 6, TotalDuration: 0.78}
	if diff := cmp.Diff(want, m.summary); diff != "" {
		t.Error(diff)
	}
}

// A trace of calls is no news; lines that look like its parts are told.
func TestSaidWithoutTraces(t *testing.T) {
	var told []string
	s := stderr{said: func(line string) { told = append(told, line) }}
	for _, b := range []byte("first\nmain.init\n\trestic/cmd_forget.go:67\nruntime.goexit\n\truntime/asm_amd64.s:1771\nlast.one\n\nthe end\n") {
		_, _ = s.Write([]byte{b})
	}
	if diff := cmp.Diff([]string{"first", "last.one", "the end"}, told); diff != "" {
		t.Error(diff)
	}
}

// However the bytes are cut into writes, the summary is that of the last line that is one.
func FuzzMessages(f *testing.F) {
	f.Add([]byte(someMessages), 3)
	f.Add([]byte("{\"message_type\":\"summary\"}\n\n\x00"), 1)
	f.Add([]byte(`{"message_type":"summary","snapshot_id":5}`+"\n"), 7)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		var want *Summary
		lines := strings.Split(string(data), "\n")
		for _, line := range lines[:len(lines)-1] {
			var message struct {
				MessageType string `json:"message_type"`
				Summary
			}
			if len(line) <= maxMessage && json.Unmarshal([]byte(line), &message) == nil && message.MessageType == "summary" &&
				strings.Contains(line, `"summary"`) {
				want = &message.Summary
			}
		}

		var m messages
		size = max(1, size%1000)
		for rest := data; len(rest) > 0; {
			n := min(size, len(rest))
			if wrote, err := m.Write(rest[:n]); wrote != n || err != nil {
				t.Fatalf("wrote %d of %d, %v", wrote, n, err)
			}
			rest = rest[n:]
			if len(m.line) > maxMessage {
				t.Fatalf("%d bytes are held", len(m.line))
			}
		}
		if diff := cmp.Diff(want, m.summary); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTail(t *testing.T) {
	for _, test := range []struct{ said, want string }{
		{"", ""},
		{"Fatal: wrong password\n\n", "wrong password"},
		{`{"message_type":"exit_error","code":10,"message":"Fatal: none:\nIs there one at\nrest:https://me:secret@host/x?"}`, "none: Is there one at rest:https://me:***@host/x?"},
		{`{"message_type":"error","error":{"message":"read: no"},"during":"archival","item":"/a"}` + "\nthen text", "read: no; then text"},
		{"{}\n{", "{}; {"},
		{"no room\nmain.init\n\tgithub.com/restic/restic@v0.19.1/cmd/restic/cmd_forget.go:67\nruntime.goexit\n\truntime/asm_amd64.s:1771\n", "no room"},
		{"a.line\nanother\n", "a.line; another"},
		{"panic: boom\n\ngoroutine 1 [running]:\nmain.f(0x1, {0x2, 0x3})\n\t/src/f.go:3 +0x1d\n" + strings.Repeat("main.g()\n\t/src/g.go:7 +0x1d\n", tailSize), "panic: boom"},
		{strings.Repeat("x", 2*tailSize) + " the end", strings.Repeat("x", tailSize-8) + " the end"},
	} {
		tail := stderr{said: func(string) {}}
		_, _ = tail.Write([]byte(test.said))
		if got := tail.String(); got != test.want {
			t.Errorf("%.40q: %q, want %q", test.said, got, test.want)
		}
	}
}

// A store's refusal is why restic ended only where that is the last that it says.
func TestDeleteRefused(t *testing.T) {
	const data = "Remove(<data/0123456789>) failed: unexpected HTTP response (403): 403 Forbidden; unable to remove data/0123456789 from the repository"
	for said, refused := range map[string]bool{
		data: true,
		data + "; Remove(<index/0123456789>) failed: unexpected HTTP response (403): 403 Forbidden; unexpected HTTP response (403): 403 Forbidden": true,
		data + "; failed to remove one or more snapshots":                        true,
		data + "; Save(<index/0123456789>) failed: no space left; no space left": false,
	} {
		err := &Error{Op: "prune", Code: 1, Stderr: said, Err: &exec.ExitError{ProcessState: new(os.ProcessState)}}
		if got := errors.Is(err, ErrNoDelete); got != refused || !refused && err.Error() != "prune: restic: "+said {
			t.Errorf("%s: %t, %v", said, got, err)
		}
	}
}
