package load

import (
	"strings"
	"testing"
)

// Servers may be set to take less than they come with.
func TestUnsplittable(t *testing.T) {
	if n := unsplittable([]byte("INSERT INTO `t` VALUES ('"+strings.Repeat("x", 5<<20)+"'),(1);"), 0); n < 5<<20 || n > 6<<20 {
		t.Errorf("a row of 5 MiB takes a statement of %d bytes", n)
	}
}
