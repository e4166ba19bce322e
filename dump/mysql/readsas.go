package mysql

import (
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mysql/script"
)

// readsAs is how the server and its client read text, but for the session's sql_mode.
func readsAs(s server.Info) script.Mode { return script.ServerMode(s.IsMariaDB(), s.Version[0]) }
