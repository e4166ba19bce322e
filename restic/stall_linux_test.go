package restic

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
)

// A restic that does nothing is ended; one that works, or waits for us, is not.
func TestStall(t *testing.T) {
	source := t.TempDir() + "/some"
	client := &Client{Stall: 400 * time.Millisecond, Grace: 100 * time.Millisecond}
	list := func(text string) error {
		client.Binary = restictest.Script(t, text)
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
	client.Binary = restictest.Script(t, `echo one; sleep .1; echo two`)
	if err := client.Dump(t.Context(), "abc", "/x", slow); err != nil {
		t.Errorf("one that waits for its reader: %v", err)
	}
	client.Binary = restictest.Script(t, `cat >/dev/null; echo '{"message_type":"summary","snapshot_id":"abc","total_bytes_processed":1}'`)
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
	client.Binary = restictest.Script(t, `cat >/dev/null; sleep 60`)
	if _, err := client.Backup(t.Context(), options, strings.NewReader("x")); !errors.As(err, new(*StallError)) {
		t.Errorf("one that sleeps on all of its input: %v", err)
	}
	client.Binary = restictest.Script(t, `sleep 60`)
	if _, err := client.Backup(t.Context(), options, restictest.Noise(10<<20, 3)); !errors.As(err, new(*StallError)) {
		t.Errorf("one that takes none of its input: %v", err)
	}
}

type writerFunc func()

func (w writerFunc) Write(p []byte) (int, error) { w(); return len(p), nil }
