package value

import (
	"fmt"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

// scalarTypes are those of MySQL's documents that may be a scalar of SQL, which compares as that,
// and whose text is that of a string or of another number. Within an array or an object they come
// back as these.
var scalarTypes = map[string]struct {
	form Form
	cast string // to a document
}{
	"DATE":     {Quoted, "CAST(CAST(%s AS DATE) AS JSON)"},
	"TIME":     {Quoted, "CAST(CAST(%s AS TIME(6)) AS JSON)"},
	"DATETIME": {Quoted, "CAST(CAST(%s AS DATETIME(6)) AS JSON)"},
	"DECIMAL":  {Plain, "CAST(%s AS JSON)"},
}

// ScalarOrText is what is asked of the server for a column of documents: their text, or for such a
// scalar a zero byte, which no document begins with, the name of its type and its value.
func ScalarOrText(column string) string {
	return fmt.Sprintf(`IF(JSON_TYPE(%[1]s) IN ('DATE', 'TIME', 'DATETIME', 'DECIMAL'), CONCAT('\0', JSON_TYPE(%[1]s), ' ', JSON_UNQUOTE(%[1]s)), %[1]s)`, column)
}

// appendScalar appends a value that the server has sent as such a scalar.
func appendScalar(b, value []byte) ([]byte, bool) {
	if len(value) == 0 || value[0] != 0 {
		return b, false
	}
	name, text, _ := strings.Cut(string(value[1:]), " ")
	typ, ok := scalarTypes[name]
	if !ok || !typ.form.Holds([]byte(text)) {
		return b, false
	}
	if typ.form == Quoted {
		text = quote.Literal(text)
	}
	return fmt.Appendf(b, typ.cast, text), true
}
