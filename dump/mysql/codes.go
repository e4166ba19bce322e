package mysql

// Error numbers of the servers, which are the same for both.
const (
	// The server has no room, or somebody is in the way.
	errTooManyConnections  = 1040
	errTooManyForUser      = 1203
	errTooManyForUserSince = 1226
	errLockWaitTimeout     = 1205
	errDeadlock            = 1213
	errPacketTooLarge      = 1153

	// The account may not, or nobody may.
	errDatabaseDenied  = 1044
	errAccessDenied    = 1045
	errTableDenied     = 1142
	errColumnDenied    = 1143
	errPrivilegeNeeded = 1227
	errRoutineDenied   = 1370
	errProxyDenied     = 1698
	errOptionPrevents  = 1290
	errReadOnlyMode    = 1836
	errNotASessions    = 1238 // a variable that a session cannot set

	// What is asked for is not there, or not what it was.
	errNoSuchDatabase  = 1049
	errBadField        = 1054
	errNoSuchTable     = 1146
	errNoSuchKey       = 1176
	errTableDefChanged = 1412

	// An object cannot be read, or shown.
	errParse            = 1064
	errDuplicateColumn  = 1060
	errUnknownCharset   = 1115
	errMixedCollations  = 1267
	errMixedCollations3 = 1270
	errMixedCollationsN = 1271
	errUnknownCollation = 1273
	errWrongView        = 1350
	errViewInvalid      = 1356 // what the view reads is gone, or its definer may not read it
	errNoSuchDefine     = 1449 // the definer is gone
	errRoutineDamaged   = 1457
	errTriggerDamaged   = 1602
)
