package unload

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/cluster"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Survey connects, names the database, and finds out whether there is anything to dump. It locks
// nothing. Of several databases it looks into as many as it takes to find something, where an empty
// dump is allowed; where it is not, the dump says so in time.
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
		survey.Empty, err = c.emptySeveral(ctx, names)
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

// emptySeveral tells whether a dump of several databases would be empty.
func (c Config) emptySeveral(ctx context.Context, names []string) (bool, error) {
	asked, err := c.asked(names)
	if err != nil || !c.AllowEmpty {
		return false, err
	}
	for _, name := range asked {
		conn, _, err := c.connect(ctx, name)
		if err != nil {
			return false, fmt.Errorf("database %s: %w", name, err)
		}
		found, err := catalog.LookInto(ctx, conn)
		server.HangUp(conn)
		if err != nil {
			return false, fmt.Errorf("database %s: %w", name, err)
		}
		if found.Hold(c.Select) {
			return false, nil
		}
	}
	return true, nil
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
