package memory

import (
	"bytes"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
)

// A bound on memory that is too low is told, once, while the program goes on; one that suffices is
// not.
func TestMemoryBound(t *testing.T) {
	debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() { debug.SetMemoryLimit(math.MaxInt64) })
	tests := []struct {
		bound int64
		told  int
	}{{1, 1}, {8 << 30, 0}, {math.MaxInt64, 0}}
	for _, tt := range tests {
		debug.SetMemoryLimit(tt.bound)
		out := &lines{}
		stop := watch(slog.New(slog.NewTextHandler(out, nil)), 10*time.Millisecond)
		work := func() bool { // rows, each made anew
			var rows [][]byte
			for range 2000 {
				rows = append(rows, bytes.Repeat([]byte("x"), 100))
			}
			return len(rows) > 0 && strings.Contains(out.String(), "GOMEMLIMIT")
		}
		if tt.told == 0 {
			for range 300 {
				work()
			}
		} else if deadline := time.Now().Add(time.Minute); true {
			for !work() && time.Now().Before(deadline) {
			}
		}
		stop()
		if told := strings.Count(out.String(), "it collects garbage again and again"); told != tt.told {
			t.Errorf("bound %d: told %d times: %s", tt.bound, told, out)
		}
	}
}

// lines is a log that can be looked at while it grows.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
