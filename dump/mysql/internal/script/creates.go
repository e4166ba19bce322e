package script

import (
	"regexp"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
)

var (
	quotedName   = "(?:`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\"|'(?:[^'\\\\]|'')*'|[A-Za-z0-9_$.%-]+)"
	createObject = regexp.MustCompile("(?i)^CREATE +(?:OR +REPLACE +)?(?:ALGORITHM *= *[A-Z]+ +)?(?:DEFINER *= *" + quotedName + "(?:@" + quotedName + ")? +)?(?:SQL +SECURITY +[A-Z]+ +)?")
)

// Creates tells whether a definition that the server shows makes an object of that kind: PROCEDURE.
// What is behind the kind is the object's own text.
func Creates(definition, kind string) bool {
	rest := definition[len(createObject.FindString(definition)):]
	if len(rest) == len(definition) {
		return false
	}
	if kind == "FUNCTION" {
		rest = strings.TrimPrefix(rest, "AGGREGATE ")
	}
	return len(rest) > len(kind) && strings.EqualFold(rest[:len(kind)], kind) && strings.IndexByte(" \t\r\n`\"/-#", rest[len(kind)]) >= 0
}

// CreatesObject tells whether a statement makes something that creates might be asked of.
func CreatesObject(sql []byte) bool { return createObject.Match(sql) }

// ReplacedView returns the quoted name of the view that a statement puts in the place of another,
// as it is written in dumps.
func ReplacedView(sql string) (name string, ok bool) {
	const replace = "CREATE OR REPLACE "
	if !strings.HasPrefix(sql, replace) || !Creates(sql, "VIEW") {
		return "", false
	}
	name, _, ok = quote.CutName(strings.TrimPrefix(sql[len(createObject.FindString(sql)):], "VIEW "))
	return name, ok
}
