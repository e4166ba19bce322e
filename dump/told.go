package dump

import "fmt"

// Work is what a load is at besides rows, and how much of it is done of what is known of so far.
type Work struct {
	What     string // for people: "indexes and keys"
	Done, Of int
}

func (w Work) String() string { return fmt.Sprintf("%s, %d of %d", w.What, w.Done, w.Of) }

// OrNobody is f, or where that is nil a function that does nothing: who is told things, and may be
// nobody.
func OrNobody[T any](f func(T)) func(T) {
	if f == nil {
		return func(T) {}
	}
	return f
}
