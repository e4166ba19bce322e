package postgres

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump"
)

// Dump writes the database as SQL. See dump.Source.
func (s *Source) Dump(ctx context.Context, w io.Writer) error {
	if s.several() {
		return s.dumpCluster(ctx, w)
	}
	name := engine
	if s.sel.dataOnly {
		name = engineData
	}
	d := s.newDumping(w)
	out := dump.NewWriter(d, name)
	manifest, err := d.dumpDatabase(ctx, out, s.conn.Database)
	if err != nil {
		return fmt.Errorf("dump %s: %w", s.conn.Database, err)
	}
	d.checkUsed()
	return out.End(manifest)
}

// This package's names in a dump's head: of one database, of one's rows alone, and
// of several databases or a whole cluster.
const (
	engine        = "postgres"
	engineData    = "postgres data"
	engineCluster = "postgres cluster"
)

// dumpDatabase writes one database, read in one transaction.
func (s *dumping) dumpDatabase(ctx context.Context, out *dump.Writer, database string) (dump.Manifest, error) {
	conn, srv, err := connect(ctx, s.conn, database, s.forReading)
	if err != nil {
		return nil, err
	}
	defer hangUp(conn)
	manifest, err := s.dumpConnected(ctx, conn, srv, out, database)
	return manifest, s.explain(ctx, srv, database, err)
}

func (s *dumping) dumpConnected(ctx context.Context, conn *pgx.Conn, srv server, out *dump.Writer, database string) (dump.Manifest, error) {
	if err := s.begin(ctx, conn); err != nil {
		return nil, err
	}
	c, err := readCatalog(ctx, conn, srv, s.sel, s.cfg.Warn)
	if err != nil {
		return nil, err
	}
	maps.Copy(s.used, c.used)
	if err := s.tellUnknown(ctx, c); err != nil {
		return nil, err
	}
	c.guard, c.trustOwners = s.newGuard(srv, database), s.cfg.TrustOwners
	defer c.guard.close()
	if err := c.dataObjects(ctx); err != nil {
		return nil, err
	}
	s.look(c)
	if !s.full && !s.several() {
		if len(s.there) == 0 {
			names, err := databaseNames(ctx, conn)
			if err != nil {
				return nil, err
			}
			s.there = s.instead(nil, names)
		}
		return nil, s.nothing(s.there)
	}
	return s.write(ctx, conn, c, out, inOrder(c.objects))
}

// begin starts the transaction whose snapshot is the moment of the dump.
func (s *Source) begin(ctx context.Context, conn *pgx.Conn) error {
	if err := execAll(ctx, conn.PgConn(), "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
		return fmt.Errorf("begin the dump's transaction: %w", err)
	}
	return nil
}

// write writes the objects: definitions, rows, what is made after the rows,
// then privileges, which might forbid what comes before them, and last what
// has to run in the database's final state.
func (s *Source) write(ctx context.Context, conn *pgx.Conn, c *catalog, out *dump.Writer, objects []*object) (dump.Manifest, error) {
	p := s.printer(out)
	p.preamble(c.srv)
	if s.cfg.Clean {
		p.drops(objects)
	}
	var tables []*relation
	for _, o := range objects {
		if o.rows != nil {
			tables = append(tables, o.rows)
		}
	}
	behind := behindRows(tables, objects, s.sel)
	printBehind := func(r *relation) error {
		for _, o := range behind[r] {
			p.object(o)
		}
		return p.err
	}
	var manifest dump.Manifest
	at := beforeData
	p.mark("definitions")
	for _, o := range objects {
		if o.last() || !s.sel.prints(o) || slices.Contains(behind[o.built], o) {
			continue
		}
		for ; at < o.section(); at++ {
			p.mark([...]string{"rows, with their keys and indexes", "foreign keys, triggers and what else needs rows"}[at])
		}
		if p.err != nil {
			return nil, p.err
		}
		switch o.kind {
		case kindConfigData, kindTableData: // all of them when the first comes
			if manifest != nil {
				continue
			}
			tables = slices.DeleteFunc(tables, func(r *relation) bool {
				left := p.leftWithRows(r)
				if left {
					printBehind(r)
				}
				return left
			})
			var err error
			if manifest, err = s.writeRows(ctx, conn, c, out, tables, printBehind); err != nil {
				return nil, err
			}
		case kindLargeObjectData:
			if err := p.needsLeft(o); err != nil {
				p.leave(o, err)
			} else if err := copyLargeObject(ctx, conn, p, o.oid); err != nil {
				return nil, err
			}
		default:
			p.object(o)
		}
	}
	p.mark("privileges")
	for _, o := range objects {
		if !o.silent && !o.left && s.sel.prints(o) {
			p.privileges(o)
		}
	}
	p.mark("final state")
	if slices.ContainsFunc(objects, func(o *object) bool { return o.kind == kindRefresh && s.sel.prints(o) }) {
		p.stmt("%s", strings.TrimSuffix(asOwner.sql, ";"))
	}
	for _, o := range objects {
		if o.last() && s.sel.prints(o) {
			p.object(o)
		}
	}
	return manifest, cmp.Or(p.err, ctx.Err())
}

// behindRows returns the keys and indexes of each table that can be built as soon
// as the table has its rows. They are written there, and not after the rows of
// all tables: a load that has several connections builds them while it reads on.
func behindRows(tables []*relation, objects []*object, sel *selection) map[*relation][]*object {
	behind := make(map[*relation][]*object, len(tables))
	for _, r := range tables {
		behind[r] = nil
	}
	for _, o := range objects {
		if _, filled := behind[o.built]; filled && sel.prints(o) && o.needsOwnRows() {
			behind[o.built] = append(behind[o.built], o)
		}
	}
	return behind
}

// needsOwnRows tells whether an index can be built when its own table has its
// rows and others not. A function that a user wrote, or an extension's that is
// called for each row, may read any table, whatever it was declared to be.
func (o *object) needsOwnRows() bool {
	return !slices.ContainsFunc(o.deps, func(d dependency) bool {
		switch d.to.kind {
		case kindDataEnds, kindSchema, kindType, kindCollation:
			return false
		case kindExtension: // of an operator class
			return o.computed
		}
		return d.to != o.built.object
	})
}

// prints tells whether an object is written: all of them, or of a dump of data
// only those that hold it. Large objects are made by their rows.
func (s *selection) prints(o *object) bool {
	return !s.dataOnly || o.section() == inData || o.kind == kindLargeObject || o.kind == kindRefresh
}

// last tells whether an object is made when all else is done (pg_dump's
// RESTORE_PASS_POST_ACL): a refresh reads as a role that needs its privileges,
// an event trigger would fire on what follows it.
func (o *object) last() bool { return o.kind == kindRefresh || o.kind == kindEventTrigger }

func (s *Source) printer(out *dump.Writer) *printer {
	return &printer{w: out, warn: s.cfg.Warn, noOwner: s.cfg.NoOwner, noPrivileges: s.cfg.NoPrivileges}
}

// preamble makes the loading session read the dump as it was written, psql's too, which has what its role, its
// database or the server give it: this package's sessions have set the parameters before.
func (p *printer) preamble(srv server) {
	for _, s := range parameters {
		if s.loads {
			p.stmt("%s", s.inScript())
		}
	}
	p.stmt("SET lock_timeout = 0")
	p.stmt("SET client_encoding = %s", literal(srv.encoding))
	p.stmt("SET standard_conforming_strings = on")
	p.stmt("SELECT pg_catalog.set_config('search_path', '', false)")
	// Function bodies may use what comes later in the dump.
	p.stmt("SET check_function_bodies = false")
	p.stmt("SET xmloption = content")
	p.stmt("SET lc_monetary = 'C'")
	p.stmt("SET row_security = off")
	p.stmt("SET default_tablespace = ''")
	p.stmt("SET default_table_access_method = heap")
}
