package part

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/breaking-backups/breaking-backups/dump/postgres/internal/server"
)

// dropOwned notes that the sequences are dropped which go with a table that is and which the part
// does not make again: nobody else would name them.
func (p *Part) dropOwned(list []found, gone map[uint32]bool) {
	again, dumped := map[name]bool{}, map[name]*object{}
	for _, o := range p.objects.list {
		if o.group == relation {
			dumped[p.inTarget(o)] = o
		}
		if !o.chosen || o.group != relation {
			continue
		}
		for _, n := range o.identity {
			again[p.place(n)] = true
		}
		for _, with := range o.sequences {
			again[p.inTarget(with)] = true
		}
	}
	for _, f := range list {
		if f.Group != relation || f.Word != sequence || !gone[f.Goes] || again[f.at()] {
			continue
		}
		p.dropWith(f, nil, gone)
		if o := dumped[f.at()]; o != nil {
			o.there = false
		}
	}
}

// tryDrop drops what is to go, to see whether something depends on it, and takes that back. It asks
// for locks that everybody else would have to queue behind, and so does not wait: where somebody is
// using what is to go, Drop will find out, which changes nothing either then.
func (p *Part) tryDrop(ctx context.Context, conn *pgx.Conn) error {
	err := p.beginDrop(ctx, conn, "SET LOCAL lock_timeout = 100")
	if server.HasCode(err, "55P03") && !conn.IsClosed() { // lock_not_available
		p.Warn("somebody is using what is to be dropped, so that it was not looked whether something depends on it; the restore waits for them, and drops nothing if it does")
		return nil
	}
	if err != nil {
		return err
	}
	return server.Exec(ctx, conn.PgConn(), "ROLLBACK")
}
