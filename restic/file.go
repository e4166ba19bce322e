package restic

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
)

// A File is a file of a snapshot that is read in part: the blobs that restic has cut it into can be
// had one by one. What comes is what was backed up: a blob is named by its hash, and those that
// come from restic one by one are held against it here as well.
//
// No lock is taken for these. A restic that prunes meanwhile keeps what a snapshot needs, but may
// put it elsewhere just when it is read; a second try finds it there. If the snapshot itself has
// been forgotten, what is met is data that has gone, which is an error and harms nobody.
//
// A File's methods may be called at once from several goroutines.
type File struct {
	Size int64

	client         *Client
	snapshot, path string
	blobs          []blobID
}

// blobID is the SHA-256 of a blob's content.
type blobID [sha256.Size]byte

func (b blobID) String() string { return hex.EncodeToString(b[:]) }

func (b *blobID) UnmarshalText(text []byte) error {
	if len(text) != 2*len(b) {
		return fmt.Errorf("%.80q: a blob's id expected", text)
	}
	_, err := hex.Decode(b[:], text)
	return err
}

// Open returns a snapshot's file, having read the folder that it is in and nothing of what it
// holds. It costs one run of restic, and memory by the size of the file, 7 MB for 100 GB. The path
// is that of [Client.Dump].
func (c *Client) Open(ctx context.Context, snapshotID, name string) (*File, error) {
	folder, base := path.Split(path.Clean("/" + name))
	of := snapshotID
	if folder != "/" {
		of += ":" + folder
	}
	out := limited{most: mostAnswer}
	if err := c.cat(ctx, &out, "tree", of); err != nil {
		return nil, err
	}
	var tree struct {
		Nodes []struct {
			Name    string   `json:"name"`
			Type    string   `json:"type"`
			Size    int64    `json:"size"`
			Content []blobID `json:"content"`
		} `json:"nodes"`
	}
	if err := json.Unmarshal(out.Bytes(), &tree); err != nil {
		return nil, fmt.Errorf("cat tree: restic's answer: %w", err)
	}
	for _, node := range tree.Nodes {
		if node.Name == base && node.Type == "file" {
			if node.Size < 0 {
				return nil, fmt.Errorf("cat tree: the size of %s in snapshot %.8s is %d", name, snapshotID, node.Size)
			}
			return &File{Size: node.Size, client: c, snapshot: snapshotID, path: name, blobs: node.Content}, nil
		}
	}
	return nil, fmt.Errorf("cat tree: snapshot %.8s has no file %s", snapshotID, name)
}

// FromEnd reads the file backwards from its end, whole blobs, up to what is asked for, and keeps
// what it has read. It is for a reader of the last few bytes, and needs none of the lengths that
// reading elsewhere has to know. It is not to be used from several goroutines.
func (f *File) FromEnd(ctx context.Context) io.ReaderAt {
	var tail [][]byte // the last blob first
	var has int64     // bytes of it
	left := f.blobs
	return readerAt(func(p []byte, at int64) (int, error) {
		if at < 0 || at > f.Size {
			return 0, fmt.Errorf("read byte %d of a file of %d: %w", at, f.Size, io.ErrUnexpectedEOF)
		}
		for at < f.Size-has {
			if len(left) == 0 {
				return 0, fmt.Errorf("snapshot %.8s: the blobs of %s are %d bytes long, and the file %d", f.snapshot, f.path, has, f.Size)
			}
			blob, err := f.blob(ctx, left[len(left)-1])
			if err != nil {
				return 0, err
			}
			tail, left, has = append(tail, blob), left[:len(left)-1], has+int64(len(blob))
		}
		n := 0
		begins := f.Size - has // of the blob, in the file
		for _, blob := range slices.Backward(tail) {
			if from := at + int64(n) - begins; from < int64(len(blob)) {
				n += copy(p[n:], blob[from:])
			}
			begins += int64(len(blob))
		}
		if n < len(p) {
			return n, io.EOF
		}
		return n, nil
	})
}

type readerAt func(p []byte, at int64) (int, error)

func (r readerAt) ReadAt(p []byte, at int64) (int, error) { return r(p, at) }

// mostBlob is more than any blob has: restic cuts at 8 MiB at the latest. mostAnswer is more than
// it says of a folder with a file of 3 TB, or of the indexes of any repository.
const (
	mostBlob   = 64 << 20
	mostAnswer = 256 << 20
)

var errLongAnswer = errors.New("restic goes on for longer than what was asked for can be")

// blob reads one of the file's blobs.
func (f *File) blob(ctx context.Context, id blobID) ([]byte, error) {
	out := limited{most: mostBlob}
	err := f.client.cat(ctx, &out, "blob", id.String())
	if errors.As(err, new(*Error)) && ctx.Err() == nil {
		out.Reset()
		err = f.client.cat(ctx, &out, "blob", id.String())
	}
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(out.Bytes()) != id {
		return nil, fmt.Errorf("cat blob: restic's answer of %d bytes is not blob %.8s", out.Len(), id)
	}
	return out.Bytes(), nil
}

// limited takes so many bytes at most.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > l.most {
		return 0, errLongAnswer
	}
	return l.Buffer.Write(p)
}

// cat writes to w what restic prints of one of the repository's things.
func (c *Client) cat(ctx context.Context, w io.Writer, what, id string) error {
	return c.program().Run(ctx, process.Command{Op: "cat " + what, Args: []string{"cat", "--no-lock", what, id}, Stdout: w, Long: true})
}
