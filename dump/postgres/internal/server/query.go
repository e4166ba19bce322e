package server

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// FirstNormal is the first OID that initdb leaves to users (FirstNormalObjectId).
const FirstNormal = 16384

// Query reads rows into structs whose fields are named as the columns.
func Query[T any](ctx context.Context, conn *pgx.Conn, sql string, args ...any) ([]T, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

// Each calls f with every row, as query reads it, while they come: of columns there may be a
// hundred thousand.
func Each[T any](ctx context.Context, conn *pgx.Conn, f func(*T) error, sql string, args ...any) error {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := pgx.RowToAddrOfStructByName[T](rows)
		if err != nil {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
	return rows.Err()
}
