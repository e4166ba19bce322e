package main

import (
	"errors"
	"slices"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql"
	"github.com/breaking-backups/breaking-backups/restic"
)

// untriable reports whether an error says nothing of the snapshot: the store, the drill's server or
// the way to either did not do their part. What the dump itself, or restic, says to be damaged is
// never that.
func untriable(err error) bool {
	switch {
	case errors.Is(err, dump.ErrDamaged), errors.Is(err, dump.ErrTruncated), errors.Is(err, restic.ErrDamaged), restic.IsLoss(err):
		return false
	case errors.As(err, new(exit.UntriedError)), errors.As(err, new(*restic.Error)), errors.As(err, new(*restic.RefusedError)), errors.As(err, new(*restic.StallError)),
		errors.Is(err, restic.ErrLocked), errors.Is(err, dump.ErrNoAnswer), errors.As(err, new(*dump.NotReadyError)), errors.As(err, new(*dump.PassingError)),
		errors.Is(err, mysql.ErrElsewhereRows):
		return true
	}
	return isWrongPassword(err) || sessionLost(err) || serverLacks(err)
}

// serverLacks reports whether a server has refused something for want of what it has, or the role
// may do: rights, room, an extension, a role, a plugin, a setting.
func serverLacks(err error) bool {
	var postgres interface{ SQLState() string }
	if errors.As(err, &postgres) {
		state := postgres.SQLState()
		return slices.Contains([]string{"08", "53", "57", "58"}, state[:min(2, len(state))]) || slices.Contains(lackingStates, state)
	}
	if slices.Contains(lackingNumbers, mysql.ErrorNumber(err)) {
		return true
	}
	var mongo interface{ HasErrorCode(int) bool }
	return errors.As(err, &mongo) && slices.ContainsFunc(lackingCodes, mongo.HasErrorCode)
}

var (
	// Of PostgreSQL, besides the classes of connections, resources, operators and the system:
	// insufficient_privilege, feature_not_supported (an extension that is not there),
	// undefined_object (a role, a tablespace), lock_not_available, deadlock_detected,
	// read_only_sql_transaction (a standby).
	lackingStates = []string{"42501", "0A000", "42704", "55P03", "40P01", "25006"}
	// Of MySQL and MariaDB: no room (3, 1021, 1114), errors of storage (1030), memory (1037, 1038,
	// 1041), connections (1040), rights (1044, 1045, 1142, 1143, 1227, 1370, 1410, 1418, 1419),
	// locks (1205, 1213), packets (1153), engines and plugins that are not there (1286, 1524),
	// servers that only read (1290, 1836).
	lackingNumbers = []uint16{3, 1021, 1030, 1037, 1038, 1040, 1041, 1044, 1045, 1114, 1142, 1143, 1153, 1205, 1213, 1227, 1286, 1290, 1370, 1410, 1418, 1419, 1524, 1836}
	// Of MongoDB: Unauthorized, AuthenticationFailed, MaxTimeMSExpired, shutdowns, servers that are
	// no primary any more, OutOfDiskSpace.
	lackingCodes = []int{13, 18, 50, 91, 189, 262, 10107, 11600, 11602, 13435, 14031}
)
