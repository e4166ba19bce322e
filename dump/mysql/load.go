package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/script"
)

// LoadConfig says where a dump goes.
type LoadConfig struct {
	Server
	// Database is the one that a dump of one database goes into. It must exist.
	// A dump of several makes them by their names, and Database must be empty.
	Database string
	// Clean drops everything in the target databases first. Without it a
	// database that is not empty is refused.
	Clean bool
	// LockTimeout bounds the wait for whoever holds something locked that Clean
	// has to drop. 0 means the server's own bound.
	LockTimeout time.Duration
	// Warn is told what an operator should know of a load that succeeded.
	// nil means nobody.
	Warn func(string)
}

// A Loader loads a dump into databases. It holds no connection between loads.
type Loader struct {
	cfg  LoadConfig
	conn *mysql.Config
}

// NewLoader reads the configuration and connects to nothing. An error is one of
// configuration and names the setting.
func NewLoader(cfg LoadConfig) (*Loader, error) {
	cc, err := cfg.Server.connConfig()
	if err != nil {
		return nil, fmt.Errorf("mysql settings: %w", err)
	}
	if isSystemSchema(cfg.Database) {
		return nil, fmt.Errorf("mysql settings: database %s is the server's own", cfg.Database)
	}
	if cfg.Warn == nil {
		cfg.Warn = func(string) {}
	}
	return &Loader{cfg: cfg, conn: cc}, nil
}

var (
	// ErrNotEmpty is returned for a target database that holds something and
	// may not be cleaned.
	ErrNotEmpty = errors.New("the database is not empty")
	// ErrSeveral is returned when a dump that makes its databases itself is to
	// go into one named database.
	ErrSeveral = errors.New("the dump makes its databases by their own names, and goes into a server and not into one database")
	// ErrNoName is returned when a dump of one database is to go into a server.
	ErrNoName = errors.New("the dump is of one database and does not name it; name the one that it goes into")
	// ErrOtherFamily is returned for a dump of MariaDB that is to go into MySQL,
	// or the reverse.
	ErrOtherFamily = errors.New("MySQL and MariaDB do not take each other's dumps")
)

// Load runs a dump's statements in their order. See dump.Loader. Whatever
// stands in the way is found before anything is changed. An error after that
// says so: the target then holds a part of the dump.
//
// A dump of mysqldump or mariadb-dump is taken as well. It has no manifest, and
// its last line is all that tells a whole one.
func (l *Loader) Load(ctx context.Context, r io.Reader) error {
	s, err := l.begin(r)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer s.disconnect()
	err = s.load(ctx)
	if err != nil && s.touched {
		return fmt.Errorf("restore: %w; the target now holds a part of the dump", err)
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// begin looks at a dump's first bytes.
func (l *Loader) begin(r io.Reader) (*loading, error) {
	s := &loading{Loader: l, inserted: make(map[string]int64)}
	r, foreign, err := sniff(r)
	if err != nil {
		return nil, err
	}
	if foreign {
		s.plan = &foreignDump{loading: s}
		s.dump = script.NewReader(r, 0)
		return s, nil
	}
	vouched, name, err := dump.NewReader(r)
	if err != nil {
		return nil, err
	}
	switch {
	case name != engine && name != engineServer:
		return nil, fmt.Errorf("this is a dump of %s, not of %s", name, engine)
	case name == engine && l.cfg.Database == "":
		return nil, ErrNoName
	case name == engineServer && l.cfg.Database != "":
		return nil, fmt.Errorf("into %s: %w", l.cfg.Database, ErrSeveral)
	}
	s.plan = &ownDump{loading: s}
	s.dump = script.NewReader(vouched, 0)
	return s, nil
}

// A loading is one Load under way.
type loading struct {
	*Loader
	dump     *script.Reader
	plan     plan
	conn     *conn
	srv      server
	mode     script.Mode      // in which the session reads text
	packet   int              // the longest statement that the server takes, in bytes
	database string           // that is used
	inserted map[string]int64 // rows that the server took, by their tables
	touched  bool             // something of the target is not as it was
}

// A plan is what differs between this program's dumps and mysqldump's.
type plan interface {
	comment(text string) error
	// before is called for each statement before it is run.
	before(ctx context.Context, sql []byte) error
	// end is called when all statements were run.
	end() error
}

func (s *loading) disconnect() {
	if s.conn != nil {
		s.conn.close()
	}
}

// connect opens the session in which the statements run.
func (s *loading) connect(ctx context.Context) (err error) {
	if s.conn, s.srv, err = connect(ctx, s.Loader.conn); err != nil {
		return err
	}
	settings := []string{"SET net_read_timeout = 31536000, net_write_timeout = 31536000, wait_timeout = 31536000"}
	if s.cfg.LockTimeout > 0 {
		settings = append(settings, lockTimeout(s.cfg.LockTimeout))
	}
	if s.srv.mariadb() {
		settings = append(settings, "SET max_statement_time = 0")
	}
	for _, sql := range settings {
		if err := s.conn.exec(ctx, sql); err != nil {
			return fmt.Errorf("set up the session: %s: %w", sql, err)
		}
	}
	if err := s.conn.row(ctx, "SELECT @@max_allowed_packet", &s.packet); err != nil {
		return fmt.Errorf("read the server's max_allowed_packet: %w", err)
	}
	return nil
}

// load runs the dump's items.
func (s *loading) load(ctx context.Context) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := s.tellMode(ctx); err != nil {
		return err
	}
	for {
		item, err := s.dump.Next()
		if err == io.EOF {
			return s.plan.end()
		}
		if err != nil {
			return err
		}
		if item.Kind == script.Comment {
			err = s.plan.comment(string(item.Text))
		} else {
			err = s.statement(ctx, item)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", item.Line, err)
		}
	}
}

func (s *loading) statement(ctx context.Context, item script.Item) error {
	if err := s.plan.before(ctx, item.Text); err != nil {
		return err
	}
	for part := range script.Split(item.Text, s.packet-packetHead, s.mode) {
		if err := s.exec(ctx, string(part)); err != nil {
			return err
		}
	}
	if item.SetsMode {
		return s.tellMode(ctx)
	}
	return nil
}

// packetHead is what a statement's packet holds besides the statement, and some bytes to be safe.
const packetHead = 64

// exec runs a statement, and counts the rows of an INSERT.
func (s *loading) exec(ctx context.Context, sql string) error {
	result, err := s.conn.sql.ExecContext(ctx, sql)
	if err != nil {
		return statementError(sql, s.conn.explain(ctx, err))
	}
	if table, ok := insertInto(sql); ok {
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		if s.database != "" {
			table = ident(s.database) + "." + table
		}
		s.inserted[table] += n
	}
	return nil
}

// tellMode tells the reader how the session reads text.
func (s *loading) tellMode(ctx context.Context) error {
	var mode string
	if err := s.conn.row(ctx, "SELECT @@sql_mode", &mode); err != nil {
		return err
	}
	s.mode = script.SQLMode(mode)
	if !s.srv.mariadb() {
		s.mode |= script.MySQL
	}
	s.dump.SetMode(s.mode)
	return nil
}

// insertInto returns the quoted name of the table into which a statement inserts.
func insertInto(sql string) (string, bool) {
	rest, ok := strings.CutPrefix(sql, "INSERT INTO ")
	if !ok || !strings.HasPrefix(rest, "`") {
		return "", false
	}
	return rest[:closing(rest, 0)+1], true
}

// statementError says which statement failed.
func statementError(sql string, err error) error {
	var me *mysql.MySQLError
	if errors.As(err, &me) && me.Number == errParse {
		// The server quotes what follows; a row has no place in a log.
		short := *me
		short.Message, _, _ = strings.Cut(me.Message, " near '")
		err = &short
	}
	return fmt.Errorf("%s: %w", head(sql), err)
}

const errParse = 1064

// head shortens a statement for an error message. Rows and passwords are cut away.
func head(sql string) string {
	line, _, cut := strings.Cut(strings.TrimSpace(sql), "\n")
	for _, word := range []string{"VALUES", "IDENTIFIED", "OPTIONS"} {
		if i := strings.Index(line, word); i >= 0 {
			line, cut = line[:i+len(word)], true
		}
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

// ownDump is a dump that this program made.
type ownDump struct {
	*loading
	server    string   // family and version of the server it was made of
	databases []string // that a dump of several makes
	manifest  dump.Manifest
	prepared  bool
}

func (d *ownDump) comment(text string) error {
	text, _ = strings.CutPrefix(text, "-- ")
	if rest, ok := strings.CutPrefix(text, serverPrefix); ok && !d.prepared {
		d.server = rest
	}
	if rest, ok := strings.CutPrefix(text, databasePrefix); ok && !d.prepared {
		name, err := strconv.Unquote(rest)
		d.databases = append(d.databases, name)
		return err
	}
	t, ok, err := dump.ParseTable("-- " + text)
	if ok {
		d.manifest = append(d.manifest, t)
	}
	return err
}

func (d *ownDump) before(ctx context.Context, sql []byte) error {
	if !d.prepared {
		if err := d.prepare(ctx); err != nil {
			return err
		}
		d.prepared, d.touched = true, true
	}
	if name, ok := used(sql); ok {
		d.database = name
	}
	return nil
}

// prepare looks at every database that the dump makes or fills before anything
// is changed, and empties them if it may.
func (d *ownDump) prepare(ctx context.Context) error {
	if of, _, _ := strings.Cut(d.server, " "); of != string(d.srv.family) {
		return fmt.Errorf("a dump of %s into %s %s: %w", d.server, d.srv.family, d.srv.version, ErrOtherFamily)
	}
	if d.cfg.Database == "" {
		return d.prepareDatabases(ctx, d.databases)
	}
	return d.prepareOne(ctx, d.cfg.Database)
}

// end compares the rows that the server took with the manifest.
func (d *ownDump) end() error {
	var errs []error
	for _, t := range d.manifest {
		if got := d.inserted[t.Name]; got != t.Rows {
			errs = append(errs, fmt.Errorf("table %s has %d rows, the dump's manifest says %d", t.Name, got, t.Rows))
		}
		delete(d.inserted, t.Name)
	}
	for name := range d.inserted {
		errs = append(errs, fmt.Errorf("table %s is not in the dump's manifest", name))
	}
	return errors.Join(errs...)
}

// used returns the database that a USE statement names.
func used(sql []byte) (string, bool) {
	const use = "use "
	if len(sql) < len(use) || !bytes.EqualFold(sql[:len(use)], []byte(use)) {
		return "", false
	}
	name := strings.TrimSpace(string(sql[len(use):]))
	if strings.HasPrefix(name, "`") && strings.HasSuffix(name, "`") && len(name) > 1 {
		name = unquoted(name)
	}
	return name, true
}
