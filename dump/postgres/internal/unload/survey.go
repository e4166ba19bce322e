package unload

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/cluster"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Survey connects, names the database, and finds out whether there is anything to dump. It locks
// nothing. Whether several databases hold anything it looks where an empty dump is allowed; where
// it is not, the dump says so in time.
func Survey(ctx context.Context, cfg Config) (dump.Survey, error) {
	survey, err := cfg.survey(ctx)
	if err != nil {
		return dump.Survey{}, fmt.Errorf("dump %s: %w", cfg.Conn.Database, err)
	}
	return survey, nil
}

func (c Config) survey(ctx context.Context) (dump.Survey, error) {
	conn, _, err := c.connect(ctx, c.Conn.Database)
	if err != nil {
		return dump.Survey{}, err
	}
	defer server.HangUp(conn)
	survey := dump.Survey{}
	if survey.Source, err = c.sourceName(ctx, conn); err != nil {
		return survey, err
	}
	names, err := cluster.DatabaseNames(ctx, conn)
	if err != nil {
		return survey, err
	}
	if c.Several() {
		err = c.surveySeveral(ctx, names, &survey)
		return survey, err
	}
	found, err := catalog.LookInto(ctx, conn)
	if err != nil {
		return survey, err
	}
	if survey.Empty = !found.Hold(c.Select); survey.Empty && !c.AllowEmpty {
		return survey, c.nothing(c.instead(found, names))
	}
	if survey.Bytes, err = catalog.Estimate(ctx, conn, c.Select); errors.As(err, new(*pgconn.PgError)) && !conn.IsClosed() {
		c.Warn(err.Error() + "; how far the dump has come is not told in percent") // which is all that it is for
		err = nil
	}
	return survey, err
}

// mostSurveyed bounds the time that the sizes of several databases are asked for: each takes a
// session, and all that they are for is how far a dump has come.
const mostSurveyed = 10 * time.Second

// surveySeveral tells whether a dump of several databases would be empty, which is looked for where
// an empty dump is allowed, and about how many bytes it will have. A database that does not tell
// its size ends nothing here.
func (c Config) surveySeveral(ctx context.Context, names []string, survey *dump.Survey) error {
	asked, err := c.asked(names)
	if err != nil {
		return err
	}
	survey.Empty = c.AllowEmpty
	sizing, cancel := context.WithTimeout(ctx, mostSurveyed)
	defer cancel()
	var untold []string
	for _, name := range asked {
		if survey.Empty {
			if survey.Empty, err = c.isEmpty(ctx, name); err != nil {
				return fmt.Errorf("database %s: %w", name, err)
			}
		}
		if c.Select.SchemaOnly { // which has no size
			continue
		}
		bytes, err := c.estimate(sizing, name)
		if err != nil {
			c.Debug(fmt.Sprintf("database %s: %v", name, err))
			untold = append(untold, name)
		}
		survey.Bytes += bytes
	}
	if len(untold) > 0 {
		c.Warn("how far the dump has come is told without the size of some databases: " + dump.Listed(untold))
	}
	return ctx.Err()
}

// isEmpty tells whether a dump would hold nothing of a database.
func (c Config) isEmpty(ctx context.Context, database string) (bool, error) {
	conn, _, err := c.connect(ctx, database)
	if err != nil {
		return false, err
	}
	defer server.HangUp(conn)
	found, err := catalog.LookInto(ctx, conn)
	return !found.Hold(c.Select), err
}

// estimate is about how many bytes a dump will have of a database.
func (c Config) estimate(ctx context.Context, database string) (int64, error) {
	conn, _, err := c.connect(ctx, database)
	if err != nil {
		return 0, err
	}
	defer server.HangUp(conn)
	return catalog.Estimate(ctx, conn, c.Select)
}

// sourceName names the database by the identifier that initdb gave to its cluster, which standbys
// and copies on the level of files share. It is empty where the server does not tell: somebody has
// taken the right to ask from the role, or it is one that only speaks as PostgreSQL does.
func (c Config) sourceName(ctx context.Context, conn *pgx.Conn) (string, error) {
	var id string
	err := conn.QueryRow(ctx, `SELECT system_identifier::text FROM pg_control_system()`).Scan(&id)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		c.Debug("the server does not tell its system identifier: " + refused.Message)
		return "", nil
	}
	if err == nil {
		_, err = strconv.ParseUint(id, 10, 64)
	}
	if err != nil {
		return "", fmt.Errorf("ask for the system identifier: %w", err)
	}
	name := "postgres:" + id
	if !c.Several() {
		name += "/" + strings.ReplaceAll(dump.PlainName(c.Conn.Database), "%3A", ":") // which parts nothing here
	}
	return name, nil
}
