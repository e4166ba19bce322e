package restic

import (
	"bytes"
	"encoding/json"
	"time"
)

// Summary is what restic tells of a finished backup. Sizes are in bytes.
type Summary struct {
	SnapshotID          string  `json:"snapshot_id"`
	FilesNew            uint64  `json:"files_new"`
	FilesChanged        uint64  `json:"files_changed"`
	FilesUnmodified     uint64  `json:"files_unmodified"`
	DataAdded           uint64  `json:"data_added"`        // new to the repository, before compression
	DataAddedPacked     uint64  `json:"data_added_packed"` // the same as stored
	TotalBytesProcessed uint64  `json:"total_bytes_processed"`
	TotalDuration       float64 `json:"total_duration"` // seconds

	// Of a snapshot that is listed, in place of TotalDuration.
	BackupStart time.Time `json:"backup_start"`
	BackupEnd   time.Time `json:"backup_end"`
}

// messages reads the lines that `restic backup --json` writes while it works and keeps the summary.
// It never fails: a line it cannot read is not the summary, and a backup without one is judged by
// its caller.
type messages struct {
	summary *Summary
	line    []byte // what has come of the line that is not yet ended
	skip    bool   // that line is longer than any summary
}

// maxMessage bounds the memory a line can take. A summary is well under 1 KiB.
const maxMessage = 64 << 10

func (m *messages) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte{'\n'})
		p = rest
		if m.skip = m.skip || len(m.line)+len(part) > maxMessage; !m.skip {
			m.line = append(m.line, part...)
		}
		if ended {
			m.endLine()
		}
	}
	return n, nil
}

func (m *messages) endLine() {
	// Status lines come many times a second: what is no summary is not decoded.
	if !m.skip && bytes.Contains(m.line, []byte(`"summary"`)) {
		var message struct {
			MessageType string `json:"message_type"`
			Summary
		}
		if json.Unmarshal(m.line, &message) == nil && message.MessageType == "summary" {
			m.summary = &message.Summary
		}
	}
	m.line, m.skip = m.line[:0], false
}
