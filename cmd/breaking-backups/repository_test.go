package main

import (
	"context"
	"errors"
	"io"
	"testing"
)

// A dump has begun with its first byte, or when it is whole without any; not when it has failed before.
func TestAnnounced(t *testing.T) {
	broken := errors.New("no right")
	for _, tt := range []struct {
		text string
		err  error
		want bool
	}{{"x", nil, true}, {"x", broken, true}, {"", nil, true}, {"", broken, false}} {
		dump, begun := announced(func(_ context.Context, w io.Writer) error {
			if tt.text != "" {
				_, _ = io.WriteString(w, tt.text)
			}
			return tt.err
		})
		if err := dump(t.Context(), io.Discard); !errors.Is(err, tt.err) {
			t.Errorf("%q, %v: %v", tt.text, tt.err, err)
		}
		got := false
		select {
		case <-begun:
			got = true
		default:
		}
		if got != tt.want {
			t.Errorf("%q, %v: begun is %t, want %t", tt.text, tt.err, got, tt.want)
		}
	}
}
