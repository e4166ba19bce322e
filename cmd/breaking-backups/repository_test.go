package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// A stream that has begun is the whole of it, and ends as it does.
func TestBegun(t *testing.T) {
	for _, text := range []string{"", "x", strings.Repeat("text", 1000)} {
		r, err := begun(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); string(got) != text || err != nil {
			t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
		}
	}
	broken := errors.New("no right")
	if _, err := begun(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
	r, err := begun(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
	pr, pw := io.Pipe()
	go func() { _, _ = io.WriteString(pw, "x") }()
	if r, err = begun(pr); err != nil {
		t.Fatal(err)
	}
	if err := r.(interface{ CloseWithError(error) error }).CloseWithError(broken); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(pw, "y"); !errors.Is(err, broken) {
		t.Errorf("a write after the close: %v, want %v", err, broken)
	}
}
