package terminal

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrapped(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Wrapped("", 10, "  "), ""},
		{Wrapped("one two three four", 9, ""), "one two\nthree\nfour\n"},
		{Wrapped("one two", 7, ""), "one two\n"},
		{Wrapped("one two", 7, "  "), "  one\n  two\n"},
		{Wrapped("ünïcödé öne", 11, ""), "ünïcödé öne\n"},
		{Wrapped("a-word-that-is-too-long and more", 10, "  "), "  a-word-that-is-too-long\n  and more\n"},
		{Hanging("  0", 6, "done and well", 12), "  0   done\n      and\n      well\n"},
		{Hanging("a-long-head", 6, "done", 12), "a-long-head\n      done\n"},
		{Hanging("  0", 6, "", 12), "  0\n"},
		{Paragraphs("one two\nthree\n\nfour\n\n\tas it is, however long\n  this too\nfive", 8), "one two\nthree\n\nfour\n\n\tas it is, however long\n  this too\nfive\n"},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
