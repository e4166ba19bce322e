package postgres

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
func (s *Source) Survey(ctx context.Context) (dump.Survey, error) {
	survey, err := s.survey(ctx)
	if err != nil {
		return dump.Survey{}, fmt.Errorf("dump %s: %w", s.conn.Database, err)
	}
	return survey, nil
}

func (s *Source) survey(ctx context.Context) (dump.Survey, error) {
	conn, _, err := s.connect(ctx, s.conn.Database)
	if err != nil {
		return dump.Survey{}, err
	}
	defer server.HangUp(conn)
	survey := dump.Survey{}
	if survey.Source, err = s.sourceName(ctx, conn); err != nil {
		return survey, err
	}
	names, err := cluster.DatabaseNames(ctx, conn)
	if err != nil {
		return survey, err
	}
	if s.several() {
		survey.Empty, err = s.surveySeveral(ctx, names)
		return survey, err
	}
	found, err := catalog.LookInto(ctx, conn)
	if err != nil {
		return survey, err
	}
	if survey.Empty = !found.Hold(s.sel); survey.Empty && !s.cfg.AllowEmpty {
		return survey, s.nothing(s.instead(found, names))
	}
	return survey, nil
}

// surveySeveral tells whether a dump of several databases would be empty.
func (s *Source) surveySeveral(ctx context.Context, names []string) (bool, error) {
	wanted, err := s.wanted(names)
	if err != nil || !s.cfg.AllowEmpty {
		return false, err
	}
	for _, name := range wanted {
		conn, _, err := s.connect(ctx, name)
		if err != nil {
			return false, fmt.Errorf("database %s: %w", name, err)
		}
		found, err := catalog.LookInto(ctx, conn)
		server.HangUp(conn)
		if err != nil {
			return false, fmt.Errorf("database %s: %w", name, err)
		}
		if found.Hold(s.sel) {
			return false, nil
		}
	}
	return true, nil
}

// sourceName names the database by the identifier that initdb gave to its cluster, which standbys
// and copies on the level of files share. It is empty where the server does not tell: somebody has
// taken the right to ask from the role, or it is one that only speaks as PostgreSQL does.
func (s *Source) sourceName(ctx context.Context, conn *pgx.Conn) (string, error) {
	var id string
	err := conn.QueryRow(ctx, `SELECT system_identifier::text FROM pg_control_system()`).Scan(&id)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		s.cfg.Debug("the server does not tell its system identifier: " + refused.Message)
		return "", nil
	}
	if err == nil {
		_, err = strconv.ParseUint(id, 10, 64)
	}
	if err != nil {
		return "", fmt.Errorf("ask for the system identifier: %w", err)
	}
	name := "postgres:" + id
	if !s.several() {
		name += "/" + strings.ReplaceAll(dump.PlainName(s.conn.Database), "%3A", ":") // which parts nothing here
	}
	return name, nil
}

// instead names what is there where nothing is to be dumped: the tables, or where the database has
// none the server's other databases.
func (s *Source) instead(found catalog.Findings, databases []string) []string {
	var list []string
	for _, f := range found {
		if f.Name != "" {
			list = append(list, f.Schema+"."+f.Name)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, d := range databases {
		if d != s.conn.Database && d != "template1" {
			list = append(list, d)
		}
	}
	return list
}
