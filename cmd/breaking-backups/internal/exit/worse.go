package exit

import "errors"

// Worse reports whether of what became of two jobs the first is worse: a wrong configuration before
// a failure, that before what follows a snapshot that is safe.
func Worse(a, b error) bool { return rank(a) > rank(b) }

func rank(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(FollowUpError)):
		return 1
	case errors.As(err, new(UntriedError)):
		return 2
	case errors.As(err, new(UsageError)), errors.As(err, new(*ConfigError)):
		return 4
	}
	return 3
}
