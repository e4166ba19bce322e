package scratch

import (
	"errors"
	"testing"
)

func TestIsQuery(t *testing.T) {
	for question, want := range map[string]error{
		"SELECT 1":                             nil,
		" (select 1);":                         nil,
		"WITH a AS (SELECT 1) SELECT * FROM a": nil,
		"/* into */ SELECT 'into', \"in\\\"to into\", `into` -- into\n# into\nFROM t": nil,
		"SELECT into_x, `a``into` FROM t":                                             nil,
		"VALUES ROW(1)":                                                               nil,
		"TABLE t":                                                                     nil,
		"SELECT 'it''s into'":                                                         nil,
		"SELECT 1 INTO OUTFILE '/tmp/x'":                                              errInto,
		"SELECT 1--INTO\n":                                                            errInto, // no comment, but two minus
		"SELECT 'a' 'b'into @x":                                                       errInto,
		"SELECT 'a\\\\' INTO @x":                                                      errInto,
		"SELECT 1 /*!INTO OUTFILE '/tmp/x'*/":                                         errHidden,
		"SELECT 1 /*M!50000 INTO @x*/":                                                errHidden,
		"/*!50000 DROP TABLE t*/":                                                     errHidden,
		"DELETE FROM t":                                                               errNoQuery,
		"SET GLOBAL x = 1":                                                            errNoQuery,
		"-- SELECT\nDROP TABLE t":                                                     errNoQuery,
		"KILL 1":                                                                      errNoQuery,
		"":                                                                            errNoQuery,
		"/* SELECT */":                                                                errNoQuery,
		"@x := 1":                                                                     errNoQuery,
	} {
		if err := isQuery(question); !errors.Is(err, want) {
			t.Errorf("%s: %v, want: %v", question, err, want)
		}
	}
}
