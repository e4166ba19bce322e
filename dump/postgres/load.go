package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/script"
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

// ErrNotEmpty is returned for a target database that holds something and may
// not be cleaned.
var ErrNotEmpty = errors.New("the database is not empty")

// Load runs a dump's statements in their order on one connection. See
// dump.Loader. After an error the database holds a part of the dump.
func (l *Loader) Load(ctx context.Context, r io.Reader) error {
	vouched, name, err := dump.NewReader(r)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if name != engine {
		return fmt.Errorf("restore: this is a dump of %s, not of %s", name, engine)
	}
	s := &loading{Loader: l, dump: script.NewReader(vouched)}
	defer s.disconnect(ctx)
	if err := s.use(ctx, l.conn.Database); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	for {
		item, err := s.dump.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		if err := s.run(ctx, item); err != nil {
			return fmt.Errorf("restore: line %d: %w", item.Line, err)
		}
	}
	return s.check()
}

// A loading is one Load under way.
type loading struct {
	*Loader
	dump     *script.Reader
	conn     *pgx.Conn
	loaded   []copied // in the order of the stream
	manifest dump.Manifest
}

// copied says what the server took of one COPY.
type copied struct {
	statement string
	rows      int64
}

func (s *loading) disconnect(ctx context.Context) {
	if s.conn != nil {
		s.conn.Close(context.WithoutCancel(ctx))
	}
}

// use connects to a database and makes sure that it is empty.
func (s *loading) use(ctx context.Context, database string) error {
	s.disconnect(ctx)
	var err error
	if s.conn, _, err = connect(ctx, s.Loader.conn, database); err != nil {
		return err
	}
	if s.cfg.Clean {
		return clean(ctx, s.conn)
	}
	found, err := contents(ctx, s.conn)
	if err != nil {
		return err
	}
	if found != "" {
		return fmt.Errorf("database %s: %w: it has %s", database, ErrNotEmpty, found)
	}
	return nil
}

// run does what one item of the dump says.
func (s *loading) run(ctx context.Context, item script.Item) error {
	switch item.Kind {
	case script.Comment:
		t, ok, err := dump.ParseTable(item.Text)
		if ok {
			s.manifest = append(s.manifest, t)
		}
		return err
	case script.Connect:
		return s.use(ctx, item.Text)
	case script.Copy:
		tag, err := s.conn.PgConn().CopyFrom(ctx, item.Data, item.Text)
		if err != nil {
			return statementError(item.Text, err)
		}
		s.loaded = append(s.loaded, copied{item.Text, tag.RowsAffected()})
		return nil
	default:
		if err := execAll(ctx, s.conn.PgConn(), item.Text); err != nil {
			return statementError(item.Text, err)
		}
		return nil
	}
}

// check compares the rows that the server took with the manifest, which lists
// the tables in the order of their COPY statements.
func (s *loading) check() error {
	if len(s.loaded) != len(s.manifest) {
		return fmt.Errorf("restore: the manifest lists %d tables, the dump had rows for %d", len(s.manifest), len(s.loaded))
	}
	var errs []error
	for i, t := range s.manifest {
		if got := s.loaded[i].rows; got != t.Rows {
			errs = append(errs, fmt.Errorf("restore: table %s has %d rows, the dump's manifest says %d", t.Name, got, t.Rows))
		}
	}
	return errors.Join(errs...)
}

// statementError says which statement failed and adds where within its rows.
func statementError(statement string, err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		for _, more := range []string{pe.Detail, pe.Where, pe.Hint} {
			if more != "" {
				err = fmt.Errorf("%w; %s", err, more)
			}
		}
	}
	return fmt.Errorf("%s: %w", head(statement), err)
}

// head shortens a statement for an error message. Passwords are cut away.
func head(statement string) string {
	line, _, cut := strings.Cut(strings.TrimSpace(statement), "\n")
	if i := strings.Index(line, "PASSWORD"); i >= 0 {
		line, cut = line[:i+len("PASSWORD")], true
	}
	const most = 120
	if runes := []rune(line); len(runes) > most {
		line, cut = string(runes[:most]), true
	}
	if cut {
		line += " …"
	}
	return line
}
