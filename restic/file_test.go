package restic

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
)

// fileSize is of a file that has some thirty blobs, so that to read it from its beginning to its
// end costs more than a few of these.
const fileSize = 48 << 20

// openedFile is a file of a snapshot, its content, and what is asked of restic from now on.
func openedFile(t *testing.T, client *Client, content []byte) (*File, func() []string) {
	t.Helper()
	summary := backUp(t, client, bytes.NewReader(content))
	log := filepath.Join(t.TempDir(), "log")
	logged := *client
	logged.Binary = restictest.Script(t, `echo "$@" >>`+log+`; exec `+client.Binary+` "$@"`)
	f, err := logged.Open(t.Context(), summary.SnapshotID, "/app.sql")
	if err != nil {
		t.Fatal(err)
	}
	if f.Size != int64(len(content)) {
		t.Fatalf("the file has %d bytes, want %d", f.Size, len(content))
	}
	asked := func() []string {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		os.Truncate(log, 0)
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	asked()
	return f, asked
}

func count(asked []string, word string) int {
	n := 0
	for _, line := range asked {
		if strings.Contains(line, word) {
			n++
		}
	}
	return n
}

func noise(t *testing.T, n int64) []byte {
	t.Helper()
	content, err := io.ReadAll(restictest.Noise(n, 21))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Whatever spans are asked for, they are the file's bytes; and what is far from its beginning is
// read without what lies before.
func TestSpansOfAFile(t *testing.T) {
	once := noise(t, fileSize)
	text := bytes.Repeat([]byte("12345\tsome text of a row\n"), fileSize/25)
	for name, content := range map[string][]byte{
		"noise": once,
		"plain": slices.Concat(once[:fileSize/2], once[:fileSize/2]), // the same blobs again
		"text":  text,                                                // the same blob all over
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := newClient(t)
			if name == "plain" { // the length that is stored is not that of what it holds
				client.Env = slices.Concat(client.Env, []string{"RESTIC_COMPRESSION=off"})
			}
			f, asked := openedFile(t, client, content)
			size := f.Size
			for _, test := range []struct {
				what       string
				spans      []Span
				dumps      int
				most       int // cats of blobs
				least      int
				lengthless bool
			}{
				{what: "nothing", lengthless: true},
				{what: "all", spans: []Span{{0, size}}, dumps: 1},
				{what: "head", spans: []Span{{0, 100}}, dumps: 1, lengthless: true},
				{what: "near the beginning", spans: []Span{{10, 5 << 20}, {9 << 20, 3}}, dumps: 1, lengthless: true},
				{what: "last byte", spans: []Span{{size - 1, 1}}, least: 1, most: 1},
				{what: "far away", spans: []Span{{size - 5<<20, 1 << 20}}, least: 1, most: 3},
				{what: "three", spans: []Span{{0, 9 << 20}, {size - 9<<20, 100}, {size - 1000, 1000}}, dumps: 1, least: 2, most: 4},
				{what: "head and tail", spans: []Span{{0, 1000}, {size - 1000, 1000}}, least: 2, most: 3},
				{what: "of one blob", spans: []Span{{size - 300, 100}, {size - 200, 1}, {size - 100, 100}}, least: 1, most: 2},
			} {
				var got bytes.Buffer
				if err := f.Copy(t.Context(), &got, test.spans); err != nil {
					t.Errorf("%s: %v", test.what, err)
				}
				var want []byte
				for _, s := range test.spans {
					want = append(want, content[s.First:s.First+s.Bytes]...)
				}
				if !bytes.Equal(got.Bytes(), want) {
					t.Errorf("%s: %d bytes, want %d; or others", test.what, got.Len(), len(want))
				}
				if len(test.spans) == 0 {
					continue
				}
				asked := asked()
				if dumps, cats := count(asked, "dump "), count(asked, " blob "); dumps != test.dumps || cats < test.least || cats > test.most {
					t.Errorf("%s: %d dumps and %d blobs were read, want %d and %d to %d: %q", test.what, dumps, cats, test.dumps, test.least, test.most, asked)
				}
				if (count(asked, " index") == 0) != test.lengthless {
					t.Errorf("%s: of indexes were read: %q", test.what, asked)
				}
			}
		})
	}
}

// A restic that is ended once it has written what was wanted says so, and nobody is told.
func TestEnoughIsSilent(t *testing.T) {
	client, _ := newClient(t)
	content := noise(t, 1<<20)
	f, _ := openedFile(t, client, content)
	f.client.Said = func(line string) { t.Errorf("said: %s", line) }
	var out bytes.Buffer
	if err := f.Copy(t.Context(), &out, []Span{{First: 5, Bytes: 100}}); err != nil || !bytes.Equal(out.Bytes(), content[5:105]) {
		t.Errorf("error %v, %d bytes", err, out.Len())
	}
}

// The end of a file is read by its last blobs alone, as much as is asked for.
func TestFileFromEnd(t *testing.T) {
	client, _ := newClient(t)
	content := noise(t, 20<<20)
	f, asked := openedFile(t, client, content)
	tail := f.FromEnd(t.Context())
	for _, test := range []struct{ n, most int }{{10, 1}, {100, 1}, {9 << 20, 19}, {len(content), 40}} {
		got := make([]byte, test.n)
		if n, err := tail.ReadAt(got, f.Size-int64(test.n)); n != test.n || err != nil || !bytes.Equal(got, content[len(content)-test.n:]) {
			t.Errorf("the last %d bytes: %d, %v; or others", test.n, n, err)
		}
		if asked := asked(); count(asked, " blob ") > test.most || count(asked, "dump")+count(asked, "index") > 0 {
			t.Errorf("the last %d bytes: %q", test.n, asked)
		}
	}
	if n, err := tail.ReadAt(make([]byte, 10), f.Size-4); n != 4 || err != io.EOF {
		t.Errorf("over the end: %d, %v", n, err)
	}
	for _, at := range []int64{-1, f.Size + 1} {
		if _, err := tail.ReadAt(make([]byte, 10), at); err == nil {
			t.Errorf("at %d: no error", at)
		}
	}
}

// Whoever holds the repository alone, keeps nobody from reading what is in it blob by blob.
func TestFileOfALockedRepository(t *testing.T) {
	client, repository := newClient(t)
	content := noise(t, 3<<20)
	summary := backUp(t, client, bytes.NewReader(content))
	repository.WriteLock(t, map[string]any{"time": time.Now(), "exclusive": true, "hostname": "other.example", "username": "me", "pid": 1})
	f, err := client.Open(t.Context(), summary.SnapshotID, "app.sql")
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(content))
	if _, err := f.FromEnd(t.Context()).ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%v; or other bytes", err)
	}
	if n := repository.Count(t, "locks"); n != 1 {
		t.Errorf("%d locks are there, want the other's", n)
	}
}

// A file may lie in folders, as those of others' snapshots do.
func TestOpen(t *testing.T) {
	client, _ := newClient(t)
	const content = "CREATE TABLE t ();\n"
	for _, name := range []string{"a b/c:d/app.sql", "app.sql"} {
		opt := options
		opt.Filename = name
		summary, err := client.Backup(t.Context(), opt, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		f, err := client.Open(t.Context(), summary.SnapshotID, "/"+name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(io.NewSectionReader(f.FromEnd(t.Context()), 0, f.Size))
		if string(got) != content || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if _, err := client.Open(t.Context(), summary.SnapshotID, "other.sql"); err == nil || !strings.Contains(err.Error(), "has no file other.sql") && !errors.As(err, new(*Error)) {
			t.Errorf("another: %v", err)
		}
	}
	var failed *Error
	if _, err := client.Open(t.Context(), strings.Repeat("0", 64), "app.sql"); !errors.As(err, &failed) {
		t.Errorf("of no snapshot: %v", err)
	}
}

// What cannot be read, or is not what it should be, is an error; of lengths that are not to be had,
// the file read from its beginning; and what a prune has put elsewhere is found there.
func TestFileThatFails(t *testing.T) {
	client, _ := newClient(t)
	content := noise(t, fileSize)
	f, _ := openedFile(t, client, content)
	late := []Span{{f.Size - 5<<20, 1 << 20}} // where restic cuts a file is another place in each repository; at least 512 KiB lie between
	for _, spans := range [][]Span{{{f.Size, 1}}, {{-1, 5}}, {{5, 0}}, {{5, 5}, {9, 5}}, {{0, f.Size + 1}}} {
		if err := f.Copy(t.Context(), io.Discard, spans); err == nil {
			t.Errorf("spans %v: no error", spans)
		}
	}
	full := errors.New("disk full")
	for _, spans := range [][]Span{{{0, 4 << 20}}, late} {
		if err := f.Copy(t.Context(), &failingWriter{after: 100 << 10, err: full}, spans); !errors.Is(err, full) {
			t.Errorf("spans %v: a writer's error came back as %v", spans, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := f.Copy(ctx, writer(func() { cancel(full) }), []Span{{f.Size - 20<<20, 20 << 20}}); !errors.Is(err, full) {
		t.Errorf("cancelled: %v", err)
	}

	with := func(script string) *File {
		other, broken := *f, *client
		broken.Binary = restictest.Script(t, script+"\nexec "+client.Binary+` "$@"`)
		other.client = &broken
		return &other
	}
	for what, script := range map[string]string{
		"another blob":   `case "$*" in *" blob "*) echo other; exit;; esac`,
		"no blob":        `case "$*" in *" blob "*) echo "Fatal: gone" >&2; exit 1;; esac`,
		"an endless one": `case "$*" in *" blob "*) exec cat /dev/zero;; esac`,
	} {
		if err := with(script).Copy(t.Context(), io.Discard, late); err == nil || !strings.HasPrefix(err.Error(), "cat blob: ") {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := with(script).FromEnd(t.Context()).ReadAt(make([]byte, 1), f.Size-1); err == nil || !strings.HasPrefix(err.Error(), "cat blob: ") {
			t.Errorf("%s at the end: %v", what, err)
		}
	}
	for what, script := range map[string]string{
		"a blob that moves":        `case "$*" in *" blob "*) mkdir ` + filepath.Join(t.TempDir(), "moved") + ` 2>/dev/null && { echo half; echo "Fatal: gone" >&2; exit 1; };; esac`,
		"indexes that are gone":    `case "$*" in *" index "*) echo "Fatal: gone" >&2; exit 1;; esac`,
		"half an index":            `case "$*" in *" index "*) ` + client.Binary + ` "$@" | head -c 1000; exit;; esac`,
		"indexes of nothing":       `case "$*" in *" index "*) echo '{"supersedes":["x"],"packs":[]}'; exit;; esac`,
		"indexes of nothing known": `case "$*" in *" index "*) echo '{}'; exit;; esac`,
		"many indexes":             `case "$*" in "list --no-lock index"*) yes | head -n 1000; exit;; esac`,
	} {
		var got bytes.Buffer
		err := with(script).Copy(t.Context(), &got, late)
		if want := content[late[0].First:][:late[0].Bytes]; err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %d bytes, want %d, or others; %v", what, got.Len(), len(want), err)
		}
	}
}

// What an index says of a blob's length is held against the blob: by another, no place in the file
// would be where it seems to be.
func TestBlobsOfOtherLengths(t *testing.T) {
	for what, k := range map[string]struct {
		blob  string
		whole int64
	}{
		"longer than said":  {"0123456789", 5},
		"shorter than said": {"0123456789", 15},
		"empty":             {"", 5},
	} {
		client := &Client{Binary: restictest.Script(t, "printf '"+k.blob+"'")}
		f := &File{Size: 100, client: client, path: "/app.sql", snapshot: "0", blobs: make([]blobID, 12)}
		var pieces []piece
		for i := range f.blobs {
			f.blobs[i] = sha256.Sum256([]byte(k.blob))
			pieces = append(pieces, piece{span: i, blob: i, to: min(k.whole, 5), whole: k.whole})
		}
		var got bytes.Buffer
		if err := f.catPieces(t.Context(), &got, pieces); err == nil || !strings.Contains(err.Error(), "where the index says") || got.Len() > 0 {
			t.Errorf("%s: %d bytes, %v", what, got.Len(), err)
		}
	}
}

// writer calls itself for each Write.
type writer func()

func (w writer) Write(p []byte) (int, error) {
	w()
	return len(p), nil
}
