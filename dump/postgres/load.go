package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

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
	// LockTimeout bounds the wait for whoever holds something locked that Clean
	// has to drop. 0 means no bound.
	LockTimeout time.Duration
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

// ErrWholeCluster is returned when a dump of a whole cluster is to go into one
// named database.
var ErrWholeCluster = errors.New("the dump holds a whole cluster, which goes into a server and not into one database")

// ErrDataOnly is returned when a dump without definitions is to go into a
// database that is to be emptied first.
var ErrDataOnly = errors.New("the dump holds rows alone, which go into tables that exist")

// Load runs a dump's statements in their order on one connection. See
// dump.Loader. A dump of one database goes into the configured database; one of
// a whole cluster makes its databases itself, beginning from the database
// postgres. Whatever stands in the way is found before anything is changed. An
// error after that says so: the target then holds a part of the dump.
func (l *Loader) Load(ctx context.Context, r io.Reader) error {
	vouched, name, err := dump.NewReader(r)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	s := &loading{Loader: l, dump: script.NewReader(vouched)}
	defer s.disconnect(ctx)
	var prepare func(context.Context) error
	switch {
	case name == engine:
		prepare = s.prepareDatabase
	case name == engineData && l.cfg.Clean:
		return fmt.Errorf("restore: %w: it cannot be cleaned first", ErrDataOnly)
	case name == engineData:
		prepare = func(ctx context.Context) error { return s.use(ctx, s.Loader.conn.Database) }
	case name == engineCluster && l.cfg.Database != "":
		return fmt.Errorf("restore into %s: %w", l.cfg.Database, ErrWholeCluster)
	case name == engineCluster:
		prepare = s.prepareCluster
	default:
		return fmt.Errorf("restore: this is a dump of %s, not of %s", name, engine)
	}
	err = s.load(ctx, prepare)
	if err != nil && s.touched {
		return fmt.Errorf("restore: %w; the target now holds a part of the dump", err)
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// load runs the dump's items; prepare comes before the first statement.
func (s *loading) load(ctx context.Context, prepare func(context.Context) error) error {
	prepared := false
	for {
		item, err := s.dump.Next()
		if err == io.EOF {
			return s.check()
		}
		if err != nil {
			return err
		}
		if item.Kind == script.Comment {
			if err := s.note(item.Text); err != nil {
				return fmt.Errorf("line %d: %w", item.Line, err)
			}
			continue
		}
		if !prepared {
			if err := prepare(ctx); err != nil {
				return err
			}
			prepared, s.touched = true, true
		}
		if err := s.run(ctx, item); err != nil {
			return fmt.Errorf("line %d: %w", item.Line, err)
		}
	}
}

// A loading is one Load under way.
type loading struct {
	*Loader
	dump     *script.Reader
	conn     *pgx.Conn
	loaded   []int64 // rows that the server took of each COPY, in the order of the stream
	manifest dump.Manifest

	databases []string // that a dump of a cluster makes or fills
	touched   bool     // something of the target is not as it was
}

func (s *loading) disconnect(ctx context.Context) {
	if s.conn != nil {
		s.conn.Close(context.WithoutCancel(ctx))
	}
}

// use goes on in another database.
func (s *loading) use(ctx context.Context, database string) (err error) {
	s.disconnect(ctx)
	s.conn, _, err = connect(ctx, s.Loader.conn, database)
	return err
}

// note keeps what a comment of the dump tells.
func (s *loading) note(text string) error {
	if quoted, ok := strings.CutPrefix(text, databasePrefix); ok {
		name, err := strconv.Unquote(quoted)
		s.databases = append(s.databases, name)
		return err
	}
	t, ok, err := dump.ParseTable(text)
	if ok {
		s.manifest = append(s.manifest, t)
	}
	return err
}

// run does what one item of the dump says.
func (s *loading) run(ctx context.Context, item script.Item) error {
	switch item.Kind {
	case script.Connect:
		return s.use(ctx, item.Text)
	case script.Copy:
		rows := &keepingError{r: item.Data}
		tag, err := s.conn.PgConn().CopyFrom(ctx, rows, item.Text)
		switch { // the server only hears that there are no more rows, and says so
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case rows.err != nil:
			err = rows.err
		}
		if err != nil {
			return statementError(item.Text, err)
		}
		s.loaded = append(s.loaded, tag.RowsAffected())
		return nil
	default:
		err := execAll(ctx, s.conn.PgConn(), item.Text)
		if err != nil && !alreadyThere(item.Text, err) {
			return statementError(item.Text, err)
		}
		return nil
	}
}

// alreadyThere tells whether a statement failed for a tablespace that exists.
// As with a role it is taken as it is: its folder may have another path on this
// server, and is to be made beforehand.
func alreadyThere(statement string, err error) bool {
	var pe *pgconn.PgError
	return strings.HasPrefix(statement, "CREATE TABLESPACE ") && errors.As(err, &pe) && pe.Code == "42710" // duplicate_object
}

// keepingError keeps what went wrong with reading r.
type keepingError struct {
	r   io.Reader
	err error
}

func (k *keepingError) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	if err != nil && err != io.EOF {
		k.err = err
	}
	return n, err
}

// check compares the rows that the server took with the manifest, which lists
// the tables in the order of their COPY statements.
func (s *loading) check() error {
	if len(s.loaded) != len(s.manifest) {
		return fmt.Errorf("the manifest lists %d tables, the dump had rows for %d", len(s.manifest), len(s.loaded))
	}
	var errs []error
	for i, t := range s.manifest {
		if got := s.loaded[i]; got != t.Rows {
			errs = append(errs, fmt.Errorf("table %s has %d rows, the dump's manifest says %d", t.Name, got, t.Rows))
		}
	}
	return errors.Join(errs...)
}

// statementError says which statement failed and adds where within its rows.
func statementError(statement string, err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		// The server quotes the row it was at; a row has no place in a log.
		where, _, _ := strings.Cut(pe.Where, `: "`)
		for _, more := range []string{pe.Detail, where, pe.Hint} {
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
