package load

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// Rehearse reads a dump's items to their end, as Verify does, and looks at what a Run of them would
// meet. It changes nothing.
func Rehearse(ctx context.Context, cfg Config, items iter.Seq2[dump.Item, error]) (dump.Rehearsal, error) {
	s := &loading{cfg: cfg, fail: func(error) {}}
	defer s.disconnect()
	r := rehearsal{loading: s, needs: newNeeds()}
	contents, err := s.read(items, r.see, func(err error) bool {
		r.Obstacles = append(r.Obstacles, err)
		return r.dump.Form == script.OneDatabase || r.dump.Form == script.RowsAlone || r.dump.Form == script.Cluster
	})
	if err != nil {
		return dump.Rehearsal{}, err
	}
	r.list(contents)
	if len(r.Obstacles) == 0 { // the dump is not for there
		err = r.look(ctx)
	}
	if err != nil {
		return dump.Rehearsal{}, fmt.Errorf("rehearse: %w", err)
	}
	return r.Rehearsal, nil
}

// A rehearsal is one Rehearse under way.
type rehearsal struct {
	*loading
	dump.Rehearsal
	needs         *needs
	makesSchemas  bool
	makesInPublic bool
}

// see takes in a statement that the load would run.
func (r *rehearsal) see(sql string) {
	r.needs.see(sql)
	if strings.HasPrefix(sql, "CREATE ") {
		head := sql[:min(len(sql), 100)]
		r.makesSchemas = r.makesSchemas || strings.HasPrefix(head, "CREATE SCHEMA ")
		r.makesInPublic = r.makesInPublic || strings.HasPrefix(head, "CREATE TABLE public.") || strings.HasPrefix(head, "CREATE SEQUENCE public.") || strings.HasPrefix(head, "CREATE FUNCTION public.")
	}
}

// list says what would be loaded.
func (r *rehearsal) list(contents *dump.Contents) {
	sizes := map[string]int64{}
	for _, p := range contents.Parts {
		if p.Kind == dump.Rows {
			sizes[p.Name] += p.Bytes
		}
	}
	r.Tables = contents.Tables
	r.Bytes = make([]int64, len(r.Tables))
	for i, t := range r.Tables {
		r.Bytes[i] = sizes[t.Name]
	}
}

// look looks at the server and at the target. The error is of a server that was not reached.
func (r *rehearsal) look(ctx context.Context) error {
	first := r.cfg.Conn.Database
	if r.dump.Form == script.Cluster {
		first = firstOfCluster
	}
	if err := r.use(ctx, first); err != nil {
		if server.HasCode(err, "3D000", "42501", "55000") { // it is the database that is not
			r.Obstacles = append(r.Obstacles, err)
			return nil
		}
		return err
	}
	srv := r.workers.first.srv
	r.To = fmt.Sprintf("PostgreSQL %d.%d", srv.Major(), srv.Version%10000)
	missing, err := r.needs.missing(ctx, r.workers.first)
	if err != nil {
		return err
	}
	r.Missing = missing
	if srv.Standby {
		r.Obstacles = append(r.Obstacles, errors.New("the server follows another one and takes no writes"))
	}
	if err := r.lookAtRights(ctx); err != nil {
		return err
	}
	p, err := r.place(ctx)
	r.Target = p.target
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && r.conn.IsClosed():
		return err
	case err != nil:
		r.Obstacles = append(r.Obstacles, err)
	}
	return nil
}

// lookAtRights looks for what the role needs to begin with in a database that it finds there, and
// for the tables that rows alone go into. What a part needs its own Place finds, which knows what
// is there already.
func (r *rehearsal) lookAtRights(ctx context.Context) error {
	if r.dump.Form == script.Cluster {
		return nil
	}
	if r.dump.Form == script.RowsAlone {
		return r.lookForTables(ctx)
	}
	if r.cfg.Part != nil {
		return nil
	}
	var database, public bool
	err := r.conn.QueryRow(ctx, `SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
		NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public') OR pg_catalog.has_schema_privilege((SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'public'), 'CREATE')`).Scan(&database, &public)
	if err != nil {
		return fmt.Errorf("look for the role's rights: %w", err)
	}
	role, name := r.workers.first.srv.RoleName, server.Ident(r.cfg.Conn.Database)
	if !database && (r.makesSchemas || r.cfg.Clean) {
		r.Obstacles = append(r.Obstacles, fmt.Errorf("the role may not make schemas in database %s: GRANT CREATE ON DATABASE %[1]s TO %s", name, role))
	}
	if !public && r.makesInPublic && !r.cfg.Clean {
		r.Obstacles = append(r.Obstacles, fmt.Errorf("the role may not make anything in the schema public of database %s: GRANT CREATE ON SCHEMA public TO %s", name, role))
	}
	return nil
}

// lookForTables names the tables that rows are to go into and that are not there.
func (r *rehearsal) lookForTables(ctx context.Context) error {
	names := make([]string, len(r.Tables))
	for i, t := range r.Tables {
		names[i] = t.Name
	}
	type row struct{ Name string }
	rows, err := server.Query[row](ctx, r.conn, `SELECT name FROM pg_catalog.unnest($1::pg_catalog.text[]) n(name) WHERE pg_catalog.to_regclass(name) IS NULL`, names)
	if errors.As(err, new(*pgconn.PgError)) && !r.conn.IsClosed() { // a name that is none
		return nil
	}
	for _, t := range rows {
		r.Missing = append(r.Missing, "table "+t.Name)
	}
	return err
}

// Reach connects to the server and ends the connection again. A *dump.NotReadyError says that it is
// worth waiting. A configuration of several databases may name none that is there: their dump
// begins in another.
func Reach(ctx context.Context, cfg Config) error {
	conn, _, err := server.Connect(ctx, cfg.Conn, cfg.Conn.Database, server.ForLoading(0))
	switch {
	case err == nil:
		server.HangUp(conn)
		return nil
	case ctx.Err() == nil && server.IsNotReady(err):
		return &dump.NotReadyError{Err: err}
	case cfg.Several && cfg.Named == "" && server.HasCode(err, "3D000"): // invalid_catalog_name
		return nil
	}
	return err
}
