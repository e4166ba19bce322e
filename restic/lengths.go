package restic

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// indexes lists the repository's indexes, which say of up to 50,000 blobs each what pack they are
// in, and how long they are.
func (c *Client) indexes(ctx context.Context) ([]string, error) {
	out := limited{most: mostAnswer}
	if err := c.program().Run(ctx, process.Command{Op: "list index", Args: []string{"list", "--no-lock", "index"}, Stdout: &out}); err != nil {
		return nil, err
	}
	return strings.Fields(out.String()), nil
}

// ends returns for each of the file's blobs which byte of the file is the one behind it. How long
// they are is said in indexes alone, and in which of them nobody knows before, so all are read,
// until no blob is left; where there are more than it is worth, none is, and nil returned. In
// memory there is only what is asked for, 6 MB for a file of 100 GB.
func (f *File) ends(ctx context.Context, worth func(indexes int) bool) ([]int64, error) {
	indexes, err := f.client.indexes(ctx)
	if err != nil || !worth(len(indexes)) {
		return nil, err
	}
	lengths := make(map[blobID]int64, len(f.blobs))
	for _, id := range f.blobs {
		lengths[id] = -1
	}
	var mu sync.Mutex
	unknown := len(lengths)
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(catsAtOnce)
	for _, index := range indexes {
		g.Go(func() error {
			mu.Lock()
			done := unknown == 0
			mu.Unlock()
			if done {
				return nil
			}
			return f.client.index(group, index, func(id blobID, length int64) {
				mu.Lock()
				defer mu.Unlock()
				if before, wanted := lengths[id]; wanted && before < 0 {
					lengths[id] = length
					unknown--
				}
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	ends := make([]int64, len(f.blobs))
	var end int64
	for i, id := range f.blobs {
		if lengths[id] < 0 {
			return nil, fmt.Errorf("cat index: blob %.8s of snapshot %.8s is in none of the repository's %d indexes", id, f.snapshot, len(indexes))
		}
		end += lengths[id]
		ends[i] = end
	}
	if end != f.Size {
		return nil, fmt.Errorf("cat index: the blobs of %s are %d bytes long, and the file %d", f.path, end, f.Size)
	}
	return ends, nil
}

// index reads an index and tells the length of each of its blobs.
func (c *Client) index(ctx context.Context, id string, tell func(id blobID, length int64)) error {
	r, w := io.Pipe()
	var parsing sync.WaitGroup
	var bad error
	parsing.Go(func() {
		bad = parseIndex(r, tell)
		r.CloseWithError(bad)
	})
	err := c.cat(ctx, w, "index", id)
	w.CloseWithError(err) // nil: io.EOF
	parsing.Wait()
	if err == nil && bad != nil {
		err = fmt.Errorf("cat index: restic's answer: %w", bad)
	}
	return err
}

// overhead is what a blob is longer by as it is stored, where it is not compressed: a nonce and a
// signature.
const overhead = 32

// parseIndex reads an index as restic prints it, to its end. It may be many megabytes long: what is
// in memory at once is what it says of one pack.
func parseIndex(r io.Reader, tell func(id blobID, length int64)) error {
	d := json.NewDecoder(r)
	if err := skipTo(d, "packs"); err != nil {
		return err
	}
	for d.More() {
		var pack struct {
			Blobs []struct {
				ID           blobID `json:"id"`
				Length       int64  `json:"length"`
				Uncompressed int64  `json:"uncompressed_length"` // 0: it is not compressed
			} `json:"blobs"`
		}
		if err := d.Decode(&pack); err != nil {
			return err
		}
		for _, blob := range pack.Blobs {
			length := blob.Uncompressed
			if length == 0 {
				length = blob.Length - overhead
			}
			if length < 0 || length > mostBlob {
				return fmt.Errorf("blob %.8s is said to be %d bytes long", blob.ID, length)
			}
			tell(blob.ID, length)
		}
	}
	_, err := io.Copy(io.Discard, io.MultiReader(d.Buffered(), r))
	return err
}

// skipTo reads the beginning of an object up to that of the array that is the value of key.
func skipTo(d *json.Decoder, key string) error {
	if _, err := d.Token(); err != nil {
		return err
	}
	for {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if name == key {
			_, err := d.Token()
			return err
		}
		var other json.RawMessage
		if err := d.Decode(&other); err != nil {
			return fmt.Errorf("%s expected: %w", key, err)
		}
	}
}
