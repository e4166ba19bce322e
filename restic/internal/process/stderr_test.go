package process

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
