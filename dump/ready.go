package dump

// A NotReadyError is why a server was not reached where waiting may help: nobody listens there yet,
// its name is not known yet, it does not answer, or it says that it is starting. An engine's Reach
// returns one; any other error of it lasts. The error's text is that of Err.
type NotReadyError struct{ Err error }

func (e *NotReadyError) Error() string { return e.Err.Error() }

// Unwrap lets errors.Is and errors.As find what stood in the way.
func (e *NotReadyError) Unwrap() error { return e.Err }
