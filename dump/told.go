package dump

// OrNobody is f, or where that is nil a function that does nothing: who is told things, and may be
// nobody.
func OrNobody[T any](f func(T)) func(T) {
	if f == nil {
		return func(T) {}
	}
	return f
}
