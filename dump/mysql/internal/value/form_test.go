package value

import (
	"bytes"
	"strings"
	"testing"
)

func TestHolds(t *testing.T) {
	for _, tt := range []struct {
		form   Form
		values string
		want   bool
	}{
		{Plain, "0|-1|18446744073709551615|-99999999999999999999999999999999999.999999999999999999999999999999|2020", true},
		{Plain, "|1 OR 1|1;2|1--2|1/*|1,2|(1)|NULL|1e5|0x1|'1'|\x00|١", false},
		{Float, "0|-0|1.5|1e100|-1.7976931348623157e308|1.18e-38|inf|nan|-inf", true},
		{Float, "|1 + 1|1;|--1|sleep", false},
		{Quoted, "2020-01-01|0000-00-00|-838:59:59.000000|2020-01-01 00:00:00.123456|::1|::ffff:1.2.3.4|fe80::1|00000000-0000-0000-0000-00000000000f|127.0.0.1", true},
		{Quoted, "'|2020-01-01'|\\|x|1\n2|2020--01|ü", false},
		{End, "2038-01-19 03:14:07.999999", true},
		{End, "DEFAULT|'", false},
		{Text, "'|\\|\x00|", true},
	} {
		for value := range strings.SplitSeq(tt.values, "|") {
			if got := tt.form.Holds([]byte(value)); got != tt.want {
				t.Errorf("form %d: %q: %v", tt.form, value, got)
			}
		}
	}
	if Plain.Holds(bytes.Repeat([]byte("1"), 1000)) {
		t.Error("a number of 1000 digits")
	}
}
