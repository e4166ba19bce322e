package rows

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/catalog"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/value"
)

// A longValue is one that the server keeps in a variable of the session, to be read from there in
// slices.
type longValue struct {
	*rowReading
	column   catalog.Column
	variable string
	length   int64 // bytes
}

// each hands the value's slices to use, which may keep none of them.
func (v *longValue) each(ctx context.Context, use func([]byte) error) error {
	size := max((v.length+slicesOfValue-1)/slicesOfValue, shortSlice)
	for at := int64(0); at < v.length; at += size {
		if err := v.slice(ctx, at, min(size, v.length-at), use); err != nil {
			return err
		}
	}
	return nil
}

func (v *longValue) slice(ctx context.Context, at, length int64, use func([]byte) error) (err error) {
	rows, err := v.query(ctx, fmt.Sprintf("SELECT SUBSTRING(%s, %d, %d)", v.variable, at+1, length), 1)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, rows.Close()) }()
	values := make([]driver.Value, 1)
	if err := rows.Next(values); err != nil && err != io.EOF {
		return err
	}
	text, _ := values[0].([]byte)
	if int64(len(text)) != length {
		return fmt.Errorf("column %s: the server sent %d bytes of %d", v.column.Name, len(text), length)
	}
	return use(text)
}

// bytes is the value as a whole.
func (v *longValue) bytes(ctx context.Context) ([]byte, error) {
	text := make([]byte, 0, v.length)
	err := v.each(ctx, func(slice []byte) error {
		text = append(text, slice...)
		return nil
	})
	return text, err
}

var errNotSo = errors.New("the value cannot be written so")

// through passes the value through the appender, and what comes out to use, which may not keep it.
// It returns false where the value cannot be written so.
func (v *longValue) through(ctx context.Context, through value.Appender, use func([]byte) error) (bool, error) {
	var begun, out []byte
	ok := true
	err := v.each(ctx, func(slice []byte) error {
		for part := range slices.Chunk(slice, bufferSize) {
			if len(begun) > 0 {
				part = append(begun, part...)
			}
			var left int
			if out, left, ok = through(out[:0], part); !ok {
				return errNotSo
			}
			begun = slices.Clone(part[len(part)-left:])
			if err := use(out); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errNotSo) {
		return false, nil
	}
	return ok && len(begun) == 0, err
}

// writeTo writes the value as column.append writes one that is there as a whole. What that decides
// by all of a text takes a reading of its own.
func (v *longValue) writeTo(ctx context.Context, w *wideRow) error {
	before, part, after := "0x", value.Appender(value.AppendHexadecimal), ""
	text := value.Appender(nil)
	switch v.column.Form {
	case value.Hex:
		if v.length >= value.LongBinary {
			before, part, after = "_binary '", value.AppendOctets, "'"
		}
	case value.Legacy:
		before, text = v.column.Charset.Introducer()+before, v.column.Charset.AppendLetters
	default:
		text = value.AppendUTF8
	}
	if text != nil {
		ok, err := v.through(ctx, text, func([]byte) error { return nil })
		if err != nil {
			return err
		}
		if ok {
			before, part, after = "'", text, "'"
		}
	}
	if err := w.write(ctx, []byte(before)); err != nil {
		return err
	}
	ok, err := v.through(ctx, part, func(b []byte) error { return w.write(ctx, b) })
	if err == nil && !ok {
		err = fmt.Errorf("column %s: the server sent two values for one", v.column.Name)
	}
	if err != nil {
		return err
	}
	return w.write(ctx, []byte(after))
}
