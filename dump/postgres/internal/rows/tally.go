package rows

import "github.com/breaking-backups/breaking-backups/dump"

// tally counts and hashes rows.
type tally struct {
	rows int64
	sum  uint64 // of the rows' hashes, each without its line feed
}

// add takes in a row with its line feed.
func (t *tally) add(row []byte) error {
	var line rowLine
	if err := line.add(row, true); err != nil {
		return err
	}
	t.rows++
	t.sum += dump.RowHash(trimFeed(row))
	return nil
}

func trimFeed(row []byte) []byte {
	if n := len(row); n > 0 && row[n-1] == '\n' {
		return row[:n-1]
	}
	return row
}
