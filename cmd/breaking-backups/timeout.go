package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// timeoutError is why something was ended that had a bound.
type timeoutError struct {
	variable string
	after    time.Duration
}

func (e *timeoutError) Error() string {
	return fmt.Sprintf("not done within %s (%s)", e.after, e.variable)
}

// bounded is a context that ends after the time of a variable; 0 is any time.
func bounded(ctx context.Context, variable string, limit seconds) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return ctx, func() {}
	}
	after := time.Duration(limit)
	return context.WithTimeoutCause(ctx, after, &timeoutError{variable, after})
}

// blame puts behind an error that the time of a variable was over, if that is why it came about.
func blame(ctx context.Context, err error) error {
	var over *timeoutError
	if err == nil || !errors.As(context.Cause(ctx), &over) || errors.As(err, new(*timeoutError)) {
		return err
	}
	return fmt.Errorf("%w: %w", err, over)
}
