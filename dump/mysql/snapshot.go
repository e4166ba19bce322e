package mysql

import (
	"context"
	"fmt"
)

// beginSnapshot starts the transaction whose moment is that of the dump.
const beginSnapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

// openReaders opens n connections that see the same moment. Where the server
// does not let this account stop it for that moment, there is one, and a warning.
func (s *Source) openReaders(ctx context.Context, n int) (readers []*conn, err error) {
	defer func() {
		if err != nil {
			closeAll(readers)
			readers = nil
		}
	}()
	for range n {
		r, err := s.open(ctx)
		if err != nil {
			return readers, err
		}
		readers = append(readers, r)
	}
	for _, r := range readers {
		if err := r.exec(ctx, beginSnapshot); err != nil {
			return readers, fmt.Errorf("begin the dump's transaction: %w", err)
		}
	}
	return readers, nil
}

// open opens a session with the settings of a dump.
func (s *Source) open(ctx context.Context) (*conn, error) {
	c, srv, err := connect(ctx, s.conn)
	if err != nil {
		return nil, err
	}
	for _, sql := range s.session(srv) {
		if err := c.exec(ctx, sql); err != nil {
			c.close()
			return nil, fmt.Errorf("set up the session: %s: %w", sql, err)
		}
	}
	return c, nil
}

func closeAll(list []*conn) {
	for _, c := range list {
		c.close()
	}
}
