package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// LoadConfig says where a dump goes.
type LoadConfig struct {
	Conn     string // as in Config
	Database string // overrides the database of Conn and of PGDATABASE
	Password string // overrides the password of Conn and of PGPASSWORD
	// Clean drops everything in the target database first. Without it a
	// database that is not empty is refused.
	Clean bool
	// Warn is told what an operator should know of a load that succeeded.
	// nil means nobody.
	Warn func(string)
}

// A Loader loads a dump into a database. It holds no connection between loads.
type Loader struct {
	cfg  LoadConfig
	conn *pgx.ConnConfig
}

// NewLoader reads the configuration and connects to nothing. An error is one of
// configuration and names the setting.
func NewLoader(cfg LoadConfig) (*Loader, error) {
	cc, err := connConfig(cfg.Conn, cfg.Database, cfg.Password)
	if err != nil {
		return nil, fmt.Errorf("postgres settings: %w", err)
	}
	if cfg.Warn == nil {
		cfg.Warn = func(string) {}
	}
	return &Loader{cfg: cfg, conn: cc}, nil
}
