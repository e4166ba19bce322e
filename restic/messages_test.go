package restic

import (
	"encoding/json"
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
