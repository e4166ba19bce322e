package server

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
)

// A RightError is the server's refusal of what the role has no right to, with what gives it to it.
type RightError struct {
	Lacks string // a right, and what grants it
	Err   error
}

func (e *RightError) Error() string { return e.Lacks + ": " + e.Err.Error() }

func (e *RightError) Unwrap() error { return e.Err }

// IsLocked tells whether the server refused a lock because of another session's.
func IsLocked(err error) bool { return HasCode(err, "55P03", "40P01") } // lock_not_available, deadlock_detected

// IsAborted tells whether the server refused a statement because an earlier one of the transaction
// failed.
func IsAborted(err error) bool { return HasCode(err, "25P02") } // in_failed_sql_transaction

// IsForbidden tells whether the server refused a statement for want of a right.
func IsForbidden(err error) bool { return HasCode(err, "42501") } // insufficient_privilege

// IsCrowded tells whether the server has no room for another session.
func IsCrowded(err error) bool { return HasCode(err, "53300") } // too_many_connections

func HasCode(err error, codes ...string) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && slices.Contains(codes, pe.Code)
}

// IsReadOnly tells whether the server refused a lock because it follows another one.
func IsReadOnly(err error) bool { return HasCode(err, "25006", "55000") } // read_only_sql_transaction, object_not_in_prerequisite_state

// LockRoom says what to do where the server has no room for another lock.
func LockRoom(err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "53200" { // out_of_memory
		return fmt.Errorf("the server may have room for too few locks, of which every table takes one or more; raise max_locks_per_transaction: %w", err)
	}
	return err
}

// IsNotReady tells whether a server was not reached where it may be in a moment: it starts, or goes
// down to be started again, or has no room for a session, or nobody listens there yet. What it says
// itself goes before what the network says.
func IsNotReady(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		// admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections
		return slices.Contains([]string{"57P01", "57P02", "57P03", "53300"}, pe.Code)
	}
	var unknown *net.DNSError
	var network net.Error
	return errors.As(err, &unknown) || errors.As(err, &network) && network.Timeout() || errors.Is(err, dump.ErrNoAnswer) || isHungUp(err) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}

// IsRefusal tells whether the server has refused a statement, and the session goes on.
func IsRefusal(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.SeverityUnlocalized == "ERROR"
}
