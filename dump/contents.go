package dump

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Contents are what a dump's manifest says of it: what rows it holds, and where in the stream
// everything is.
type Contents struct {
	Tables Manifest
	Parts  Parts // empty in a dump that was made before there were any, and in an archive of mongodump's
}

// join gives the parts what the manifest says of their rows.
func (c *Contents) join() {
	tables := make(map[string]Table, len(c.Tables))
	for _, t := range c.Tables {
		tables[t.Name] = t
	}
	for i := range c.Parts {
		if p := &c.Parts[i]; p.Kind == Rows {
			p.Rows, p.Hash = tables[p.Name].Rows, tables[p.Name].Hash
		}
	}
}

// sumPrefix begins the last line of a manifest that stands by itself, outside of a SQL dump. It
// goes before the hash of all the lines before.
const sumPrefix = "-- breaking-backups sum "

// Encode writes the contents as the lines of a manifest that stands by itself, as it does behind an
// archive, where it is no part of the stream that the hash of a SQL dump's last line is of.
func (c *Contents) Encode() []byte {
	var b bytes.Buffer
	b.WriteString(manifestHead)
	b.Write(c.Parts.append(nil))
	c.Tables.WriteTo(&b) // a Buffer's writes succeed
	fmt.Fprintf(&b, "%s%016x\n", sumPrefix, xxhash.Sum64(b.Bytes()))
	return b.Bytes()
}

// ParseContents reads what Encode has written.
func ParseContents(manifest []byte) (*Contents, error) {
	at := bytes.LastIndex(manifest, []byte("\n"+sumPrefix)) + 1
	if at == 0 || string(manifest[at:]) != fmt.Sprintf("%s%016x\n", sumPrefix, xxhash.Sum64(manifest[:at])) {
		return nil, fmt.Errorf("the manifest: %w", ErrDamaged)
	}
	c := new(Contents)
	if _, err := c.parse(string(manifest[:at])); err != nil {
		return nil, err
	}
	c.join()
	return c, nil
}

// parse reads the lines of a manifest up to the last one, which it returns.
func (c *Contents) parse(lines string) (last string, err error) {
	for line := range strings.Lines(strings.TrimPrefix(lines, manifestHead)) {
		line = strings.TrimSuffix(line, "\n")
		if last != "" {
			return "", fmt.Errorf("manifest line %s: it should not be there", shortened(last))
		}
		if ok, err := c.Parts.parse(line); ok || err != nil {
			if err != nil {
				return "", err
			}
			continue
		}
		t, ok, err := ParseTable(line)
		switch {
		case err != nil:
			return "", err
		case ok:
			c.Tables = append(c.Tables, t)
		default:
			last = line
		}
	}
	return last, nil
}

// IsManifest tells whether a line can be one of a manifest's, the last line of a dump among them.
func IsManifest(line string) bool {
	for _, begin := range []string{partPrefix, manifestPrefix, trailerPrefix} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return line+"\n" == manifestHead
}

// ContentsOf reads a SQL dump's manifest from the lines that IsManifest has told of behind the last
// statement, without their ends. The error is ErrTruncated where the dump's last line is not the
// last of them. Parts there are none in a dump from before there were any.
func ContentsOf(lines []string) (*Contents, error) {
	if len(lines) == 0 || !strings.HasPrefix(lines[len(lines)-1], trailerPrefix) {
		return nil, ErrTruncated
	}
	return parseToTrailer(strings.Join(lines, "\n"))
}

// parseToTrailer reads a SQL dump's manifest, the dump's last line included.
func parseToTrailer(lines string) (*Contents, error) {
	c := new(Contents)
	last, err := c.parse(lines)
	if err != nil {
		return nil, err
	}
	trailer, ok, err := ParseTrailer(last)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("manifest line %s: it should not be there", shortened(last))
	}
	c.join()
	return c, c.Tables.Compare(trailer)
}

// ErrNoManifest is returned for a dump that does not say at its end where its parts are: one from
// before there were any, or an archive that is not compressed, which has no place for it. It has to
// be read through.
var ErrNoManifest = errors.New("the dump does not say where its parts are")

const (
	// tailSize is how much of a dump ReadContents reads at first: that has the manifest of some
	// hundred tables.
	tailSize = 64 << 10
	// maxManifest bounds what it reads at most. A million tables with long names take less.
	maxManifest = 512 << 20
)

// ReadContents reads the manifest at the end of a SQL dump of so many bytes, and little else. It
// does not vouch for the dump: whether that is whole is known only when it was read to its end.
//
// The error is ErrNoManifest where there is none that has parts, and ErrTruncated where the dump's
// last line is not there.
func ReadContents(r io.ReaderAt, size int64) (*Contents, error) {
	for n := int64(tailSize); ; n *= 8 {
		n = min(n, size, maxManifest)
		tail := make([]byte, n)
		if _, err := r.ReadAt(tail, size-n); err != nil && err != io.EOF {
			return nil, fmt.Errorf("read the dump's manifest: %w", err)
		}
		at := bytes.LastIndexByte(bytes.TrimSuffix(tail, []byte("\n")), '\n') + 1
		if !bytes.HasSuffix(tail, []byte("\n")) || !bytes.HasPrefix(tail[at:], []byte(trailerPrefix)) {
			return nil, ErrTruncated
		}
		from, all := manifestIn(tail[:at])
		switch {
		case from >= 0:
			c, err := parseToTrailer(string(tail[from:]))
			if at := size - n + int64(from); err == nil && (len(c.Parts) == 0 || c.Parts[len(c.Parts)-1].End() != at) {
				err = fmt.Errorf("the manifest's parts do not add up to the %d bytes before it: %w", at, ErrDamaged)
			}
			return c, err
		case !all || n == size || n == maxManifest:
			return nil, ErrNoManifest
		}
	}
}

// manifestIn returns where the head line of the manifest is that lines end with, or -1. all tells
// that there are no other lines than a manifest's, so that its head may come before them.
func manifestIn(lines []byte) (head int, all bool) {
	for end := len(lines); ; {
		begin := bytes.LastIndexByte(lines[:max(end-1, 0)], '\n') + 1
		line := lines[begin:end]
		switch {
		case begin == 0: // it may begin before that
			return -1, true
		case string(line) == manifestHead:
			return begin, true
		case !bytes.HasPrefix(line, []byte(partPrefix)) && !bytes.HasPrefix(line, []byte(manifestPrefix)):
			return -1, false
		}
		end = begin
	}
}
