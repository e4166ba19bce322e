package server

import (
	"testing"
	"time"
)

// A session is renewed well before a server ends it.
func TestRefreshWithin(t *testing.T) {
	if got := refreshWithin(1); got != 20*time.Second {
		t.Errorf("a session that ends after a minute is renewed every %v", got)
	}
	if got := refreshWithin(30); got != RefreshTime {
		t.Errorf("a session that ends after half an hour is renewed every %v", got)
	}
}
