package rows

import "github.com/breaking-backups/breaking-backups/dump"

// addRow adds a row, with its line feed, that is one to psql too.
func addRow(t *dump.Tally, row []byte) error {
	var line rowLine
	if err := line.add(row, true); err != nil {
		return err
	}
	t.Add(trimFeed(row))
	return nil
}

func trimFeed(row []byte) []byte {
	if n := len(row); n > 0 && row[n-1] == '\n' {
		return row[:n-1]
	}
	return row
}
