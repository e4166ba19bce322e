package mysql

import "github.com/breaking-backups/breaking-backups/dump/mysql/script"

// readsAs is how the server and its client read text, but for the session's sql_mode.
func readsAs(s server) script.Mode { return script.ServerMode(s.mariadb(), s.version[0]) }
