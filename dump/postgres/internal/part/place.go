package part

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// existing is what a database has, by the groups and names of this package: of relations the word,
// and of a sequence the table that it goes with. Partitions are told of whose they are.
const existing = `
	SELECT 'relation' AS group, n.nspname::text AS schema, c.relname::text AS name,
	       CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS word,
	       c.oid, coalesce(CASE WHEN c.relkind = 'S' THEN (SELECT d.refobjid FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
	          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i') LIMIT 1)
	         WHEN c.relispartition THEN (SELECT inhparent FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid LIMIT 1) END, 0::pg_catalog.oid) AS goes
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	UNION ALL SELECT 'type', n.nspname::text, t.typname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
	WHERE t.typtype <> 'p' AND t.typisdefined AND (t.typrelid = 0 OR (SELECT relkind FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid) = 'c') AND n.nspname !~ '^pg_'
	UNION ALL SELECT DISTINCT 'function', n.nspname::text, p.proname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT DISTINCT 'operator', n.nspname::text, o.oprname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'operator class', n.nspname::text, o.opcname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'operator family', n.nspname::text, o.opfname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_opfamily o JOIN pg_catalog.pg_namespace n ON n.oid = o.opfnamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'collation', n.nspname::text, o.collname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'conversion', n.nspname::text, o.conname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_conversion o JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'text search parser', n.nspname::text, o.prsname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_ts_parser o JOIN pg_catalog.pg_namespace n ON n.oid = o.prsnamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'text search template', n.nspname::text, o.tmplname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_ts_template o JOIN pg_catalog.pg_namespace n ON n.oid = o.tmplnamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'text search dictionary', n.nspname::text, o.dictname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_ts_dict o JOIN pg_catalog.pg_namespace n ON n.oid = o.dictnamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'text search configuration', n.nspname::text, o.cfgname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_ts_config o JOIN pg_catalog.pg_namespace n ON n.oid = o.cfgnamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'index', n.nspname::text, c.relname::text, '', c.oid, i.indrelid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_'
	UNION ALL SELECT 'schema', '', nspname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_namespace
	UNION ALL SELECT 'extension', '', extname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_extension
	UNION ALL SELECT 'available', '', name::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_available_extensions
	UNION ALL SELECT 'language', '', lanname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_language
	UNION ALL SELECT 'foreign data wrapper', '', fdwname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_foreign_data_wrapper
	UNION ALL SELECT 'server', '', srvname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_foreign_server
	UNION ALL SELECT 'access method', '', amname::text, '', 0::pg_catalog.oid, 0::pg_catalog.oid FROM pg_catalog.pg_am
	UNION ALL SELECT 'cast', '', pg_catalog.format('(%s AS %s)', pg_catalog.format_type(castsource, NULL), pg_catalog.format_type(casttarget, NULL)), '', 0::pg_catalog.oid, 0::pg_catalog.oid
	FROM pg_catalog.pg_cast WHERE oid >= 16384`

// A found is an object of the target.
type found struct {
	Group, Schema, Name, Word string
	OID                       uint32 `db:"oid"`
	Goes                      uint32 // the table that it goes with when that is dropped
}

func (f found) at() name { return name{f.Schema, f.Name} }

// A drop is a relation that is dropped.
type drop struct {
	word string
	name name
}

func (d drop) String() string { return lower(d.word) + " " + d.name.String() }

// Place looks into the database that the part goes into, by a session in it, and changes nothing.
// It finds what the part takes as it is there, and what is in its way: that is an error, or with
// clean what Drop drops, which it names.
func (p *Part) Place(ctx context.Context, conn *pgx.Conn, clean bool) (drops []string, err error) {
	switch {
	case p.alone:
		return nil, p.readOwners(ctx, conn)
	case p.Rules.DataOnly:
		return nil, nil
	}
	list, err := p.look(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("look into the database: %w", err)
	}
	there := map[key]found{}
	parts := map[uint32][]found{}
	for _, f := range list {
		there[key{f.Group, f.at()}] = f
		if f.Goes != 0 && f.Group == relation && f.Word != sequence {
			parts[f.Goes] = append(parts[f.Goes], f)
		}
	}
	_, p.into = there[key{schema, name{"", p.ToSchema}}]
	_, p.from = there[key{schema, name{"", p.old}}]
	for _, o := range p.objects.list {
		_, o.there = there[key{o.group, p.inTarget(o)}]
		if _, ok := there[key{"available", o.name}]; o.group == extension && !ok {
			o.lacking = true
		}
	}
	inTheWay, err := p.largeObjects(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("look into the database: %w", err)
	}
	gone := map[uint32]bool{}
	inTheWay = append(inTheWay, p.clear(there, parts, gone, clean)...)
	p.dropOwned(list, gone)
	for _, f := range list {
		p.lives = p.lives || f.Group == relation && !gone[f.OID]
		if f.Group == "index" && !gone[f.Goes] {
			p.taken[f.at()] = true
		}
	}
	if len(inTheWay) > 0 {
		return nil, fmt.Errorf("%w: it has %s", dump.ErrNotEmpty, dump.Listed(inTheWay))
	}
	p.close()
	if err := p.readGiven(ctx, conn); err != nil {
		return nil, err
	}
	if err := p.mayBeMade(ctx, conn, there, gone); err != nil {
		return nil, err
	}
	if len(p.drops) == 0 {
		return nil, nil
	}
	if err := p.tryDrop(ctx, conn); err != nil {
		return nil, p.withLateViews(err, list, gone)
	}
	for _, d := range p.drops {
		drops = append(drops, d.String())
	}
	return drops, p.tellPublished(ctx, conn, gone)
}

// clear finds what is to be made and is there: with clean it is dropped, if it is chosen or goes
// with what is, else it is in the way.
func (p *Part) clear(there map[key]found, parts map[uint32][]found, gone map[uint32]bool, clean bool) (inTheWay []string) {
	for _, o := range p.objects.list {
		if !o.chosen || !o.there || o.group != relation {
			continue
		}
		f := there[key{o.group, p.inTarget(o)}]
		switch {
		case !clean:
			inTheWay = append(inTheWay, drop{f.Word, f.at()}.String())
			continue
		case f.Word != o.word: // nobody has said that it may go
			inTheWay = append(inTheWay, drop{f.Word, f.at()}.String()+", which is a "+lower(o.word)+" in the dump")
			continue
		}
		o.there = false
		p.dropWith(f, parts, gone)
	}
	for _, f := range there {
		if gone[f.OID] && f.Group == relation && f.Word != sequence && f.Goes != 0 && !gone[f.Goes] {
			inTheWay = append(inTheWay, drop{f.Word, f.at()}.String()+", a partition of a table that would be left without it: restore that table, or detach the partition")
		}
	}
	slices.Sort(inTheWay)
	for _, o := range p.objects.list {
		if !o.chosen || o.group != relation {
			continue
		}
		for _, n := range o.identity {
			if f, ok := there[key{relation, p.place(n)}]; ok && !gone[f.Goes] && !gone[f.OID] {
				inTheWay = append(inTheWay, drop{f.Word, f.at()}.String())
			}
		}
		for _, with := range o.sequences {
			if f := there[key{relation, p.inTarget(with)}]; with.there && !gone[f.Goes] && !with.chosen {
				inTheWay = append(inTheWay, drop{f.Word, f.at()}.String())
			}
			with.there = false
		}
	}
	return inTheWay
}

// largeObjects finds those of the part that are there: nobody says by which numbers they are known.
func (p *Part) largeObjects(ctx context.Context, conn *pgx.Conn) (inTheWay []string, err error) {
	var oids []int64
	for _, s := range p.statements {
		var oid int64
		if _, err := fmt.Sscanf(s.item.Text, "SELECT pg_catalog.lo_create(%d)", &oid); s.role == large && err == nil && p.wanted(s) {
			oids = append(oids, oid)
		}
	}
	if len(oids) == 0 {
		return nil, nil
	}
	rows, err := conn.Query(ctx, "SELECT 'large object ' || oid FROM pg_catalog.pg_largeobject_metadata WHERE oid::pg_catalog.int8 = ANY ($1) ORDER BY oid", oids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// inTarget is the name that an object has there.
func (p *Part) inTarget(o *object) name {
	if p.old != "" && o.group == schema && o.name.name == p.old {
		return name{"", p.ToSchema}
	}
	return p.place(o.name)
}

// dropWith notes that a relation is dropped, and the partitions that go with it.
func (p *Part) dropWith(f found, parts map[uint32][]found, gone map[uint32]bool) {
	if gone[f.OID] {
		return
	}
	gone[f.OID] = true
	p.drops = append(p.drops, drop{f.Word, f.at()})
	for _, part := range parts[f.OID] {
		p.dropWith(part, parts, gone)
	}
}

// look reads what there is. Types are written with their schemas while no schema is searched.
func (p *Part) look(ctx context.Context, conn *pgx.Conn) ([]found, error) {
	if err := server.Exec(ctx, conn.PgConn(), "BEGIN READ ONLY; SELECT pg_catalog.set_config('search_path', '', true)"); err != nil {
		return nil, err
	}
	list, err := server.Query[found](ctx, conn, existing)
	if err != nil {
		return nil, err
	}
	return list, server.Exec(ctx, conn.PgConn(), "ROLLBACK")
}

// Drop drops what Place has named, all or with an error nothing.
func (p *Part) Drop(ctx context.Context, conn *pgx.Conn) error {
	if err := p.BeginDrop(ctx, conn); err != nil {
		return err
	}
	return server.Exec(ctx, conn.PgConn(), "COMMIT")
}

// BeginDrop drops that in a transaction, which it leaves open unless it fails. Nothing goes that
// was not named: what depends on it is in the way.
func (p *Part) BeginDrop(ctx context.Context, conn *pgx.Conn) error {
	return p.beginDrop(ctx, conn, "")
}

// beginDrop does that with settings of the transaction's own.
func (p *Part) beginDrop(ctx context.Context, conn *pgx.Conn, settings string) error {
	err := server.Exec(ctx, conn.PgConn(), "BEGIN; SELECT pg_catalog.set_config('search_path', '', true), pg_catalog.set_config('client_min_messages', 'warning', true);"+settings)
	if err == nil {
		err = p.dropAll(ctx, conn)
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("drop what is restored: %w", withDetail(server.LockRoom(err)))
	if conn.IsClosed() {
		return err
	}
	return errors.Join(err, server.Exec(ctx, conn.PgConn(), "ROLLBACK"))
}

// withDetail adds what depends on something that is to be dropped.
func withDetail(err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "2BP01" { // dependent_objects_still_exist
		return fmt.Errorf("%w; %s", err, pe.Detail)
	}
	return err
}

// dropAll drops views first, in as many rounds as they stand on each other, then tables, all at
// once, as their foreign keys may refer to each other.
func (p *Part) dropAll(ctx context.Context, conn *pgx.Conn) error {
	var views []drop
	tables := map[string]string{}
	for _, d := range p.drops {
		switch d.word {
		case view, materialized:
			views = append(views, d)
		default:
			if tables[d.word] != "" {
				tables[d.word] += ", "
			}
			tables[d.word] += ident(d.name)
		}
	}
	for len(views) > 0 {
		var stay []drop
		var last error
		for _, d := range views {
			err := server.Exec(ctx, conn.PgConn(), "SAVEPOINT one; DROP "+d.word+" "+ident(d.name)+"; RELEASE SAVEPOINT one")
			if err == nil {
				continue
			}
			if !errors.As(err, new(*pgconn.PgError)) || conn.IsClosed() {
				return err
			}
			stay, last = append(stay, d), err
			if err := server.Exec(ctx, conn.PgConn(), "ROLLBACK TO SAVEPOINT one"); err != nil {
				return err
			}
		}
		if len(stay) == len(views) {
			return last
		}
		views = stay
	}
	for _, word := range []string{foreign, table, sequence} {
		if tables[word] == "" {
			continue
		}
		if err := server.Exec(ctx, conn.PgConn(), "DROP "+word+" IF EXISTS "+tables[word]); err != nil {
			return err
		}
	}
	return nil
}
