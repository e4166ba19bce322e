package scratch

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Create makes a database: see dump.Scratch.
func (s *Scratch) Create(ctx context.Context, head []byte) (string, error) {
	const longest = 63 // NAMEDATALEN
	if len(s.cfg.Prefix)+dump.ScratchNameLength > longest {
		return "", fmt.Errorf("prefix %q: %d bytes at most expected", s.cfg.Prefix, longest-dump.ScratchNameLength)
	}
	name := dump.NewScratchName(s.cfg.Prefix, time.Now())
	if err := s.create(ctx, name, head); err != nil {
		return "", fmt.Errorf("make database %s: %w", name, err)
	}
	s.made = append(s.made, name)
	return name, nil
}

func (s *Scratch) create(ctx context.Context, name string, head []byte) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer server.HangUp(conn)
	if err := s.hold(ctx, name); err != nil { // before anybody can see the database
		return err
	}
	if err = s.run(ctx, conn, name, encodingOf(head)); err == nil {
		return nil
	}
	err = withGrant(server.Ended(conn.PgConn(), err))
	// It may be there all the same, and it may be ctx that has ended.
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if dropErr := s.drop(undo, name); dropErr != nil {
		err = errors.Join(err, fmt.Errorf("drop it again: %w", dropErr))
	}
	s.release(undo, name)
	return err
}

// run makes the database and marks it. Nobody but its owner and superusers can connect to it: what
// is restored in it was not given to others there.
func (s *Scratch) run(ctx context.Context, conn *pgx.Conn, name, encoding string) error {
	if err := makeIn(ctx, conn, server.Ident(name), encoding); err != nil {
		return err
	}
	for _, sql := range []string{"COMMENT ON DATABASE %s IS " + server.Literal(mark), "REVOKE ALL ON DATABASE %s FROM PUBLIC"} {
		if err := server.Exec(ctx, conn.PgConn(), fmt.Sprintf(sql, server.Ident(name))); err != nil {
			return err
		}
	}
	if s.cfg.Owner == "" {
		return nil
	}
	return server.Exec(ctx, conn.PgConn(), fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", server.Ident(name), server.Ident(s.cfg.Owner)))
}

// makeIn makes a database from template0, which holds nothing that somebody has put into template1,
// and in which any encoding can be. Its locale is the server's, by which rows find their partitions
// as those do in any new database; where that is of another encoding, it is C.
func makeIn(ctx context.Context, conn *pgx.Conn, name, encoding string) error {
	sql := "CREATE DATABASE " + name + " TEMPLATE template0"
	if encoding == "" {
		return server.Exec(ctx, conn.PgConn(), sql)
	}
	sql += " ENCODING " + server.Literal(encoding)
	err := server.Exec(ctx, conn.PgConn(), sql)
	// invalid_parameter_value, feature_not_supported, invalid_object_definition, wrong_object_type
	if !server.HasCode(err, "22023", "0A000", "42P17", "42809") {
		return err
	}
	sql += " LC_COLLATE 'C' LC_CTYPE 'C'"
	var byLibc bool // 15
	if err := conn.QueryRow(ctx, "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 150000").Scan(&byLibc); err != nil {
		return err
	}
	if byLibc {
		sql += " LOCALE_PROVIDER libc"
	}
	return server.Exec(ctx, conn.PgConn(), sql)
}

var encodings = regexp.MustCompile(`(?m)^SET client_encoding = '([A-Za-z0-9_-]+)';`)

// encodingOf is the encoding of the database that a dump is of: the one that its statements are in.
func encodingOf(head []byte) string {
	if m := encodings.FindSubmatch(head); m != nil {
		return string(m[1])
	}
	return ""
}

// withGrant says what gives the role the right to make databases, where that is what it lacks.
func withGrant(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42501" && refused.Routine == "createdb" {
		return &server.RightError{Lacks: "the role may not make databases; ALTER ROLE … CREATEDB lets it", Err: err}
	}
	return err
}
