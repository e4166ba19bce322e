package restic

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A restic that does nothing is ended; one that works, or waits for us, is not.
func TestStall(t *testing.T) {
	source := t.TempDir() + "/some"
	client := &Client{Stall: 400 * time.Millisecond, Grace: 100 * time.Millisecond}
	list := func(text string) error {
		client.Binary = script(t, text)
		_, err := client.Snapshots(t.Context(), Filter{})
		return err
	}
	if err := list(`sleep 60`); !errors.As(err, new(*StallError)) {
		t.Errorf("one that sleeps: %v", err)
	}
	if err := list(`head -c 200000 "$0" >` + source + `; i=0; while [ $i -lt 30 ]; do head -c 200000 /proc/self/exe >` + source + `; cat ` + source + ` >` + source + `2; sleep .05; i=$((i+1)); done; echo '[]'`); err != nil {
		t.Errorf("one that works: %v", err)
	}

	slow := writerFunc(func() { time.Sleep(1200 * time.Millisecond) })
	client.Binary = script(t, `echo one; sleep .1; echo two`)
	if err := client.Dump(t.Context(), "abc", "/x", slow); err != nil {
		t.Errorf("one that waits for its reader: %v", err)
	}
	client.Binary = script(t, `cat >/dev/null; echo '{"message_type":"summary","snapshot_id":"abc","total_bytes_processed":1}'`)
	waiting := readerFunc(func() func(p []byte) (int, error) {
		texts := []string{"x", ""}
		return func(p []byte) (int, error) {
			time.Sleep(600 * time.Millisecond)
			text := texts[0]
			texts = texts[1:]
			if text == "" {
				return 0, io.EOF
			}
			return copy(p, text), nil
		}
	}())
	if _, err := client.Backup(t.Context(), options, waiting); err != nil {
		t.Errorf("one that waits for its input: %v", err)
	}
	client.Binary = script(t, `cat >/dev/null; sleep 60`)
	if _, err := client.Backup(t.Context(), options, strings.NewReader("x")); !errors.As(err, new(*StallError)) {
		t.Errorf("one that sleeps on all of its input: %v", err)
	}
	client.Binary = script(t, `sleep 60`)
	if _, err := client.Backup(t.Context(), options, noise(10<<20, 3)); !errors.As(err, new(*StallError)) {
		t.Errorf("one that takes none of its input: %v", err)
	}
}

type writerFunc func()

func (w writerFunc) Write(p []byte) (int, error) { w(); return len(p), nil }

// What restic says is told as it comes, but for its parting words and passwords.
func TestSaid(t *testing.T) {
	var said []string
	client := &Client{
		Env:  []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()},
		Said: func(line string) { said = append(said, line) },
		Binary: script(t, `echo 'Save(x) returned error, retrying after 1s: http://me:secret@host: 500' >&2
			echo '{"message_type":"error","error":{"message":"cache: no space"}}' >&2
			echo '{"message_type":"exit_error","code":1,"message":"Fatal: it is over"}' >&2; echo 'Fatal: over' >&2; exit 1`),
	}
	_, err := client.Snapshots(t.Context(), Filter{})
	want := []string{"Save(x) returned error, retrying after 1s: http://me:***@host: 500", "cache: no space"}
	if !slices.Equal(said, want) {
		t.Errorf("told %q, want %q", said, want)
	}
	if err == nil || !strings.HasSuffix(err.Error(), "it is over; over") {
		t.Errorf("error %v", err)
	}
}

// A store that refuses is taken at its word, one that has troubles is not.
func TestRefused(t *testing.T) {
	say := func(text string) string {
		return `trap "exit 130" INT; i=0; while [ $i -lt 5 ]; do echo 'Stat(<config/>) returned error, retrying after 1ms: ` + text + `' >&2; i=$((i+1)); sleep .05; done; sleep .2; echo '[]'`
	}
	for text, refused := range map[string]bool{
		"Stat: The request signature we calculated does not match the signature you provided.":   true,
		"Stat: The specified bucket does not exist.":                                             true,
		"unexpected HTTP response (403): 403 Forbidden":                                          true,
		"Get \"https://x/\": tls: failed to verify certificate: x509: certificate signed by ...": true,
		"Stat: We encountered an internal error. Please try again.":                              false,
		"dial tcp 127.0.0.1:17999: connect: connection refused":                                  false,
		"unexpected HTTP response (503): 503 Service Unavailable":                                false,
	} {
		client := &Client{Binary: script(t, say(text)), refusedFor: 100 * time.Millisecond}
		_, err := client.Snapshots(t.Context(), Filter{})
		var e *RefusedError
		if errors.As(err, &e) != refused {
			t.Errorf("%s: error %v", text, err)
		}
		if refused && (e.Said != text || !strings.Contains(err.Error(), "refuses: "+text)) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}
