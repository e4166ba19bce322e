package notify

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseHeader(t *testing.T) {
	tests := []struct{ in, name, value, err string }{
		{"Authorization: Bearer s3cret", "Authorization", "Bearer s3cret", ""},
		{"X-Key:s3cret:with:colons", "X-Key", "s3cret:with:colons", ""},
		{"X-Empty:", "X-Empty", "", ""},
		{"Bearer s3cret", "", "", "want Name: value, got no colon"},
		{": s3cret", "", "", "a header's name is missing"},
		{"", "", "", "want Name: value, got no colon"},
		{"Two words: s3cret", "", "", "character 4 of the header's name cannot be in one"},
		{"Bearer s3cret:with:colons", "", "", "character 7 of the header's name cannot be in one"},
		{"X-Key: s3cret\r\nX-Other: 1", "", "", "the header's value holds a control character"},
	}
	for _, tt := range tests {
		name, value, err := ParseHeader(tt.in)
		if tt.err == "" {
			if err != nil || name != tt.name || value != tt.value {
				t.Errorf("ParseHeader(%q) = %q, %q, %v", tt.in, name, value, err)
			}
			continue
		}
		if err == nil || err.Error() != tt.err || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("ParseHeader(%q): %v, want %s", tt.in, err, tt.err)
		}
	}
}

func TestParseHeaders(t *testing.T) {
	tests := []struct {
		in   string
		want http.Header
		err  string
	}{
		{"", http.Header{}, ""},
		{"  ", http.Header{}, ""},
		{"a=1", http.Header{"A": {"1"}}, ""},
		{"X-One=1, x-two = 2 ,X-One=3", http.Header{"X-One": {"1", "3"}, "X-Two": {"2"}}, ""},
		{"X-Eq=a=b=", http.Header{"X-Eq": {"a=b="}}, ""},
		{`X-Comma=a\,b\\,X-Path=C:\dir`, http.Header{"X-Comma": {`a,b\`}, "X-Path": {`C:\dir`}}, ""},
		{"X-One=1,", nil, "want K=V,K=V, got no = in part 2"},
		{"X-One: s3cret", nil, "want K=V,K=V, got no = in part 1"},
		{"=s3cret", nil, "part 1: a header's name is missing"},
		{"a=b,X One=s3cret", nil, "part 2: character 2 of the header's name cannot be in one"},
	}
	for _, tt := range tests {
		got := http.Header{}
		err := ParseHeaders(tt.in, got)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("ParseHeaders(%q): %v, want %s", tt.in, err, tt.err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("ParseHeaders(%q): %v (-want +got):\n%s", tt.in, err, diff)
		}
	}
}

// Whatever is taken for headers, net/http writes, and no value gets out of its line.
func FuzzParseHeaders(f *testing.F) {
	for _, seed := range []string{"X-One=1,X-Two=2", `a=\,`, "a=b\r\nc: d", "é=1", "a=\x00", "Authorization=Bearer x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		header := http.Header{}
		if ParseHeaders(in, header) != nil {
			return
		}
		req := httptest.NewRequest(http.MethodPost, "http://backups.example/", nil)
		lines := 0
		for name, values := range header {
			req.Header[name] = values
			lines += len(values)
		}
		var written strings.Builder
		if err := req.Header.Write(&written); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(written.String(), "\n"); got != lines {
			t.Fatalf("%q: %d values make %d lines:\n%s", in, lines, got, written.String())
		}
	})
}

// One header written as a pair is the same header as one written with a colon.
func FuzzParseHeader(f *testing.F) {
	f.Add("Authorization: Bearer x")
	f.Add("a:b,c\\d")
	f.Fuzz(func(t *testing.T, in string) {
		name, value, err := ParseHeader(in)
		if err != nil {
			return
		}
		again := http.Header{}
		pair := name + "=" + strings.NewReplacer(`\`, `\\`, `,`, `\,`).Replace(value)
		if err := ParseHeaders(pair, again); err != nil {
			t.Fatalf("%q as %q: %v", in, pair, err)
		}
		if got := again.Get(name); got != value {
			t.Fatalf("%q as %q reads as %q, want %q", in, pair, got, value)
		}
	})
}
