package server

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// Error numbers of the servers, which are the same for both.
const (
	// The server has no room, or somebody is in the way.
	CodeTooManyConnections  = 1040
	CodeTooManyForUser      = 1203
	CodeTooManyForUserSince = 1226
	CodeLockWaitTimeout     = 1205
	CodeDeadlock            = 1213
	codePacketTooLarge      = 1153

	// The account may not, or nobody may.
	CodeDatabaseDenied  = 1044
	CodeAccessDenied    = 1045
	CodeTableDenied     = 1142
	CodeColumnDenied    = 1143
	CodePrivilegeNeeded = 1227
	CodeRoutineDenied   = 1370
	CodeProxyDenied     = 1698
	CodeOptionPrevents  = 1290
	CodeReadOnlyMode    = 1836
	CodeNotASessions    = 1238 // a variable that a session cannot set
	CodeNoSuchVariable  = 1193

	// What is asked for is not there, or not what it was.
	CodeNoSuchDatabase  = 1049
	CodeBadField        = 1054
	CodeNoSuchTable     = 1146
	CodeNoSuchKey       = 1176
	CodeNoSuchRoutine   = 1305
	CodeTableDefChanged = 1412

	// An object cannot be read, or shown.
	CodeTableExists      = 1050
	CodeParse            = 1064
	CodeDuplicateColumn  = 1060
	CodeUnknownCharset   = 1115
	CodeMixedCollations  = 1267
	CodeMixedCollations3 = 1270
	CodeMixedCollationsN = 1271
	CodeUnknownCollation = 1273
	CodeWrongView        = 1350
	CodeViewInvalid      = 1356 // what the view reads is gone, or its definer may not read it
	CodeNoSuchDefine     = 1449 // the definer is gone
	CodeRoutineDamaged   = 1457
	CodeTriggerDamaged   = 1602
)

// endings are the errors with which a server ends a session.
var endings = []uint16{
	1053,                         // it is shut down
	1158, 1159, 1160, 1161, 1184, // it cannot read, or write, what it has to
	1927, // MariaDB: the session was killed
	4031, // MySQL: nothing was asked for too long
}

// ErrorNumber returns the number of the server's error that err wraps, or 0.
func ErrorNumber(err error) uint16 {
	var me *mysql.MySQLError
	switch {
	case errors.As(err, &me):
		return me.Number
	case errors.Is(err, mysql.ErrPktTooLarge):
		return codePacketTooLarge
	}
	return 0
}

// IsRefusal tells whether the server has refused one statement, in a session that goes on and may
// write.
func IsRefusal(err error) bool {
	var short *PacketError
	if errors.As(err, &short) { // it was not sent
		return true
	}
	if IsError(err, CodeOptionPrevents) && strings.Contains(err.Error(), "read-only") { // of other options it is one statement
		return false
	}
	return ErrorNumber(err) != 0 && !IsError(err, endings...) && !IsError(err, codePacketTooLarge, CodeReadOnlyMode)
}

// IsError tells whether the server answered with one of the error numbers.
func IsError(err error, numbers ...uint16) bool { return slices.Contains(numbers, ErrorNumber(err)) }
