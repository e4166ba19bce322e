package mysql

import (
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// readsAs is how the server and its client read text, but for the session's sql_mode.
func readsAs(s server.Info) script.Mode { return script.ServerMode(s.IsMariaDB(), s.Version[0]) }
