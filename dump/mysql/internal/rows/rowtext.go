package rows

import (
	"database/sql/driver"
	"fmt"
	"strconv"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/guard"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/value"
)

// appendRow appends a row as INSERT takes it: (1,'a',NULL). The values are the driver's: what it
// read as a number is one, all else is bytes.
func appendRow(t *catalog.Table, b []byte, values []driver.Value) ([]byte, error) {
	begin := len(b)
	b = append(b, '(')
	for i := range t.Columns {
		if isUnwritable(&t.Columns[i], values[i]) {
			continue
		}
		if len(b) > begin+1 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendValue(&t.Columns[i], b, values[i]); err != nil {
			return nil, err
		}
	}
	return append(b, ')'), nil
}

func appendValue(c *catalog.Column, b []byte, sent driver.Value) ([]byte, error) {
	switch v := sent.(type) {
	case nil:
		if c.Form == value.End {
			return append(b, "DEFAULT"...), nil
		}
		return append(b, "NULL"...), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case uint64:
		return strconv.AppendUint(b, v, 10), nil
	case []byte:
		if !c.Form.Holds(v) {
			return nil, fmt.Errorf("column %s: the server sent %+q, which is no value of its type", c.Name, guard.Shortened(string(v)))
		}
		return c.Form.Append(b, v, c.Charset), nil
	}
	return nil, fmt.Errorf("column %s: the driver gives a %T", c.Name, sent)
}
