package mysql

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Survey connects to the server and ends the connection: what makes every dump fail from the start
// fails here, before anything else is begun, and so does one that would hold nothing.
func (s *Source) Survey(ctx context.Context) (dump.Survey, error) {
	survey, err := s.survey(ctx)
	if err != nil {
		return dump.Survey{}, fmt.Errorf("dump %s: %w", s.what(), err)
	}
	return survey, nil
}

func (s *Source) survey(ctx context.Context) (survey dump.Survey, err error) {
	conn, err := s.open(ctx)
	if err != nil {
		return survey, err
	}
	defer conn.Close()
	c := &catalog.Reader{Conn: conn, Warn: func(string) {}, Debug: func(string) {}}
	if survey.Source, err = conn.Identify(ctx); err != nil {
		return survey, fmt.Errorf("ask the server who it is: %w", err)
	}
	if survey.Source != "" && len(s.cfg.Databases) > 0 {
		names := make([]string, len(s.cfg.Databases))
		for i, name := range s.cfg.Databases {
			names[i] = dump.PlainName(name)
		}
		survey.Source += "/" + strings.Join(names, ":")
	}
	names, err := s.names(ctx, c)
	if err != nil {
		return survey, err
	}
	for _, name := range names {
		found, err := conn.Contents(ctx, name)
		if err != nil {
			return survey, err
		}
		if found != "" {
			survey.Bytes, err = s.estimate(ctx, conn)
			return survey, err
		}
	}
	survey.Empty = true
	return survey, s.nothing(ctx, c)
}

// ListDatabases returns the names of the databases that a dump by these settings would hold, each
// of which is to be dumped by itself. They are sorted. Named ones it does not look for; of all,
// those of drills are not among them.
func (s *Source) ListDatabases(ctx context.Context) ([]string, error) {
	if len(s.cfg.Databases) > 0 {
		return slices.Sorted(slices.Values(s.cfg.Databases)), nil
	}
	conn, err := s.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the databases: %w", err)
	}
	defer conn.Close()
	return (&catalog.Reader{Conn: conn, Warn: func(string) {}, Debug: func(string) {}}).Databases(ctx)
}

// estimate is about how many bytes a dump will have: as many as InnoDB's own statistics say that
// the rows take, but for the one page that a table takes at least. What they do not have, tables of
// other engines, is not in it; where the account may not read them, nobody knows.
//
// information_schema says more, and would open what else is in a database to say it: views run
// their owners' functions then.
func (s *Source) estimate(ctx context.Context, conn *server.Conn) (bytes int64, err error) {
	const definition = 1 << 10
	where := []string{""}
	if len(s.cfg.Databases) > 0 {
		where = nil
		for _, name := range s.cfg.Databases {
			where = append(where, " WHERE "+conn.DatabaseIs("database_name", name))
		}
	}
	for _, condition := range where {
		rows, err := conn.List(ctx, fmt.Sprintf(`SELECT database_name AS name, SUM((GREATEST(clustered_index_size, 1) - 1) * @@innodb_page_size + %d) AS bytes
			FROM mysql.innodb_table_stats%s GROUP BY database_name`, definition, condition))
		if server.ErrorNumber(err) != 0 {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		for _, r := range rows {
			if n, err := strconv.ParseInt(r["bytes"], 10, 64); err == nil && !conn.IsSystemSchema(r["name"]) {
				bytes += n
			}
		}
	}
	return bytes, nil
}

// names returns the names of the databases to dump, each of which is there.
func (s *Source) names(ctx context.Context, c *catalog.Reader) ([]string, error) {
	if len(s.cfg.Databases) == 0 {
		return c.Databases(ctx)
	}
	for _, name := range s.cfg.Databases {
		err := c.Conn.Exec(ctx, "USE "+quote.Name(name))
		if !server.IsError(err, server.CodeNoSuchDatabase) || s.cfg.AllowEmpty {
			if err != nil {
				return nil, err
			}
			continue
		}
		there, err := c.Databases(ctx)
		if err != nil {
			return nil, err
		}
		return nil, &dump.EmptyError{Asked: fmt.Sprintf("database %+q", name), There: there}
	}
	return s.cfg.Databases, nil
}

// nothing is what a dump ends with that would hold nothing, or nil where that may be.
func (s *Source) nothing(ctx context.Context, c *catalog.Reader) error {
	if s.cfg.AllowEmpty {
		return nil
	}
	there, err := c.Databases(ctx)
	if err != nil {
		return err
	}
	asked := "all databases"
	if len(s.cfg.Databases) > 0 {
		quoted := make([]string, len(s.cfg.Databases))
		for i, name := range s.cfg.Databases {
			quoted[i] = fmt.Sprintf("%+q", name)
			there = slices.DeleteFunc(there, func(n string) bool { return n == name })
		}
		asked = "database " + strings.Join(quoted, ", ")
	}
	return &dump.EmptyError{Asked: asked, There: there}
}
