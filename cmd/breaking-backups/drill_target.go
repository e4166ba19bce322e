package main

import (
	"errors"
	"net"

	"github.com/breaking-backups/breaking-backups/dump/mysql"
	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// A drillTarget is the server that a job's drills restore to, with its settings.
type drillTarget struct{ cfg *config }

// target reads the settings of where drills restore to.
func (d *drill) target() (drillTarget, error) {
	cfg, err := d.drillsAt()
	if err != nil {
		return drillTarget{}, err
	}
	return drillTarget{cfg}, nil
}

// engine is that of the server.
func (t drillTarget) engine() engine { return kinds()[t.cfg.Job.Type].engine(t.cfg) }

// of is the engine of one database there, of which everything is read.
func (t drillTarget) of(database string) engine {
	one := t.cfg.forDatabase("drill", database)
	one.Postgres.Select = postgresSelection{}
	one.Mongo.Include, one.Mongo.Exclude, one.Mongo.Compression = "", "", "none"
	one.Database.AllowEmpty = true
	return kinds()[one.Job.Type].engine(one)
}

// sessionLost reports whether an error is that a server could not be reached any more.
func sessionLost(err error) bool {
	return errors.Is(err, postgres.ErrEnded) || errors.Is(err, mysql.ErrLost) || errors.As(err, new(*net.OpError)) || errors.As(err, new(*net.DNSError))
}
