package script

import (
	"strings"
	"testing"
)

// FuzzReader holds a Reader against the reference, whatever its buffer.
func FuzzReader(f *testing.F) {
	for _, tt := range scripts {
		f.Add(tt.script, byte(tt.mode), byte(0))
		f.Add(tt.script, byte(tt.mode|MySQL), byte(40))
		f.Add(tt.script, byte(tt.mode|MySQL|DollarQuotes), byte(0))
	}
	f.Fuzz(func(t *testing.T, script string, mode, buffer byte) {
		if err := difference(script, Mode(mode&15), int(buffer)+1); err != nil {
			t.Error(err)
		}
	})
}

// FuzzTerminated holds Terminated against a Reader, that is, against what becomes of the statement
// between others.
func FuzzTerminated(f *testing.F) {
	for _, tt := range scripts {
		f.Add(tt.script, byte(tt.mode))
		f.Add("create procedure p() begin "+tt.script+" end", byte(tt.mode))
	}
	f.Fuzz(func(t *testing.T, sql string, mode byte) {
		m := Mode(mode & 7)
		text, err := Terminated(sql, m)
		if err != nil {
			return
		}
		steps, err := read("select 1;\n"+text+"select 2;\n", m)
		if err != nil || len(steps) != 3 || steps[1].Kind != Statement || steps[1].Text != string(trimBlanks([]byte(sql))) || steps[2].Text != "select 2" {
			t.Errorf("%q was written as %q and read as %+v, %v", sql, text, steps, err)
		}
	})
}

// FuzzSplit holds that the parts of a statement are statements, and that together they say what it
// says.
func FuzzSplit(f *testing.F) {
	f.Add("INSERT INTO t VALUES (1,'a;'),\n (2,\"),(\") , (-3,f(x))", byte(20), byte(0))
	f.Add("INSERT INTO t VALUES ('\\'),(') ,((2),(3)),(4)", byte(1), byte(NoBackslashEscapes))
	f.Fuzz(func(t *testing.T, sql string, limit, mode byte) {
		m := Mode(mode & 7)
		if steps, err := read(sql+"\n;", m); err != nil || len(steps) != 1 || steps[0].Text != sql || strings.Contains(sql, "\x00") {
			return
		}
		head, runs := rows([]byte(sql), int(limit), m)
		at := head
		for i, r := range runs {
			if _, err := Terminated(sql[:head]+sql[r.from:r.to], m); err != nil {
				t.Errorf("%q: a part of %q: %v", sql[r.from:r.to], sql, err)
			}
			between := strings.TrimSpace(sql[at:r.from])
			if i > 0 && between != "," || i == 0 && between != "" || sql[r.from] != '(' || sql[r.to-1] != ')' {
				t.Errorf("%q: %q between rows, rows %q", sql, between, sql[r.from:r.to])
			}
			at = r.to
		}
		if len(runs) > 0 && len(trimBlanks([]byte(sql[at:]))) > 0 {
			t.Errorf("%q: %q is lost", sql, sql[at:])
		}
	})
}
