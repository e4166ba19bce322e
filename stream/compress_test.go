package stream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/klauspost/compress/zstd"
)

func compress(t testing.TB, data []byte, options CompressOptions, pieces ...int) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := Compress(t.Context(), &b, options, func(_ context.Context, w io.Writer) error {
		rest := data
		for turn := 0; len(rest) > 0; turn++ {
			piece := rest
			if len(pieces) > 0 {
				piece = piece[:min(len(piece), pieces[turn%len(pieces)])]
			}
			if n, err := w.Write(piece); n != len(piece) || err != nil {
				return fmt.Errorf("%d of %d bytes, %w", n, len(piece), err)
			}
			rest = rest[len(piece):]
		}
		return nil
	})
	if n != int64(len(data)) || err != nil {
		t.Fatalf("compress: %d bytes of %d, %v", n, len(data), err)
	}
	return b.Bytes()
}

func decompress(r io.Reader) ([]byte, error) {
	d, err := Decompress(r)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return io.ReadAll(d)
}

func samples() map[string][]byte {
	return map[string][]byte{
		"nothing":     {},
		"one byte":    {7},
		"a cut's end": make([]byte, maxFrame),
		"two":         make([]byte, maxFrame+1),
		"zeros":       make([]byte, 5<<20),
		"random":      random(1, 3<<20),
		"rows":        rows(1, 2<<20),
		"words":       words(1, 2<<20),
	}
}

func TestCompress(t *testing.T) {
	for name, data := range samples() {
		packed := compress(t, data, CompressOptions{})
		if !Compressed(packed) {
			t.Errorf("%s: not taken for compressed", name)
		}
		if got, err := decompress(bytes.NewReader(packed)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(data), err)
		}
		if got, err := decompress(iotest.HalfReader(bytes.NewReader(packed))); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s in small reads: %d bytes of %d, %v", name, len(got), len(data), err)
		}
	}
}

// zstd itself reads what we write, and we what it writes.
func TestZstd(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: needs zstd")
	}
	zstd := func(in []byte, args ...string) []byte {
		cmd := exec.Command("zstd", args...)
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.Output()
		if errors.Is(err, exec.ErrNotFound) {
			t.Fatal("zstd is not installed; as root: apt-get install -y --no-install-recommends zstd")
		}
		if err != nil {
			t.Fatalf("zstd %v: %v", args, err)
		}
		return out
	}
	for name, data := range samples() {
		if !bytes.Equal(zstd(compress(t, data, CompressOptions{}), "-dc"), data) {
			t.Errorf("%s: zstd reads something else", name)
		}
		if ours, theirs := len(compress(t, data, CompressOptions{})), len(zstd(data, "-3", "-c")); name == "rows" && ours > theirs {
			t.Errorf("%s: %d bytes, zstd -3 makes %d", name, ours, theirs)
		}
		for _, args := range [][]string{{"-3"}, {"-12", "--long=27"}, {"-1", "--no-check"}} {
			packed := zstd(data, append(args, "-c")...)
			if got, err := decompress(bytes.NewReader(packed)); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s by zstd %v: %d bytes of %d, %v", name, args, len(got), len(data), err)
			}
		}
	}
}

// The bytes do not depend on how many frames are compressed at once, nor on how the stream comes.
func TestCompressIsDeterministic(t *testing.T) {
	data := slices.Concat(rows(1, 700_000), words(1, 500_000), random(1, 500_000), make([]byte, 2<<20), rows(1, 1<<20))
	for _, level := range []int{1, 3, 7, 19} {
		if level > 3 {
			data = data[:1<<20] // they are slow
		}
		want := sha256.Sum256(compress(t, data, CompressOptions{Level: level, Concurrency: 1}))
		for _, concurrency := range []int{0, 3} {
			for _, procs := range []int{1, 2, 8} {
				before := runtime.GOMAXPROCS(procs)
				got := sha256.Sum256(compress(t, data, CompressOptions{Level: level, Concurrency: concurrency}, 100, 32<<10, 1))
				runtime.GOMAXPROCS(before)
				if got != want {
					t.Errorf("level %d, %d at once on %d processors: other bytes", level, concurrency, procs)
				}
			}
		}
	}
}

// What a compressor has seen before does not show, even when its count of it starts anew, after 2
// GiB.
func TestCompressorForgets(t *testing.T) {
	parts := [][]byte{rows(1, 300<<10), rows(2, 70<<10), rows(1, 310<<10), random(1, 100), make([]byte, maxFrame), rows(3, 1000), words(1, 200<<10)}
	for _, level := range []int{1, 3} {
		var want [][]byte
		for _, part := range parts {
			want = append(want, testCompressor(t, level).compress(nil, part))
		}
		used := testCompressor(t, level)
		var got []byte
		for i := range 4500 {
			k := i * 7 % len(parts)
			if i%300 > 6 {
				k = 5 // each frame counts for as much as the largest, however short it is
			}
			if got = used.compress(got[:0], parts[k]); !bytes.Equal(got, want[k]) {
				t.Fatalf("level %d: frame %d, of %d bytes, has other bytes than by itself", level, i, len(parts[k]))
			}
		}
	}
}

func testCompressor(t testing.TB, level int) *compressor {
	t.Helper()
	c, err := newCompressor(level, 1)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What is asked for is what words get. Rows with hashes in them are no larger than with the faster
// of the two, nor than with zstd's own.
func TestCompressChooses(t *testing.T) {
	for name, data := range map[string][]byte{"rows": rows(1, 2<<20), "words": words(1, 2<<20), "random": random(1, 2<<20)} {
		c := testCompressor(t, 3)
		for len(data) > 0 {
			frame := data[:min(len(data), 300<<10)]
			data = data[len(frame):]
			want := c.level.EncodeAll(frame, nil)
			if name == "rows" {
				if want = c.fast.EncodeAll(frame, nil); len(want) >= len(c.level.EncodeAll(frame, nil)) {
					t.Errorf("%s: the faster level makes more of it", name)
				}
			}
			if got := c.compress([]byte("before"), frame); !bytes.Equal(got, append([]byte("before"), want...)) {
				t.Errorf("%s: %d bytes, want %d", name, len(got), len(want))
			}
		}
	}
}

// A change of the data changes the frames that it is in, and no more.
func TestCompressIsLocal(t *testing.T) {
	data := rows(1, 8<<20)
	changed := slices.Concat(data[:3<<20], []byte("a new row\n"), data[3<<20:])
	a, b := compress(t, data, CompressOptions{}), compress(t, changed, CompressOptions{})
	var same int
	for same < len(a) && a[same] == b[same] {
		same++
	}
	a, b = a[same:len(a)-endSize], b[same:len(b)-endSize]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(b) > maxFrame {
		t.Errorf("%d bytes are new", len(b))
	}
}

// A boundary stands behind one cut of four, always the same ones, and before the last bytes. At
// other places they would be another stream.
func TestBoundaries(t *testing.T) {
	data := random(1, 16<<20)
	packed := compress(t, data, CompressOptions{})
	before, last, _ := cutLast(packed, boundary)
	if got, err := io.ReadAll(mustDecoder(t, last)); err != nil || !bytes.Equal(got, data[len(data)-lastSize:]) {
		t.Errorf("behind the last boundary: %d bytes, %v", len(got), err)
	}
	var at []int
	for {
		var found bool
		if before, _, found = cutLast(before, boundary); !found {
			break
		}
		content, err := io.ReadAll(mustDecoder(t, before))
		if err != nil {
			t.Fatal(err)
		}
		at = append([]int{len(content)}, at...)
	}
	want := []int{
		392014, 1075591, 1150389, 1684052, 3003303, 4661348, 4793401, 5669574, 9277076,
		9548692, 10165834, 11252917, 11647082, 12022272, 14468011, 14900635, 15494813, 15627949,
	}
	if !slices.Equal(at, want) {
		t.Errorf("boundaries at %v, want %v", at, want)
	}
}

func cutLast(packed, mark []byte) (before, after []byte, found bool) {
	at := bytes.LastIndex(packed, mark)
	if at < 0 {
		return packed, nil, false
	}
	return packed[:at], packed[at+len(mark):], true
}

func mustDecoder(t *testing.T, packed []byte) io.Reader {
	t.Helper()
	d, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestCompressLevel(t *testing.T) {
	for _, level := range []int{-1, 23} {
		if _, err := Compress(t.Context(), io.Discard, CompressOptions{Level: level}, produce(nil, nil)); err == nil {
			t.Errorf("level %d: no error", level)
		}
	}
	data := words(1, 1<<20)
	seen := map[[32]byte]int{}
	for _, level := range []int{1, 3, 7, 19} {
		sum := sha256.Sum256(compress(t, data, CompressOptions{Level: level}))
		if other, ok := seen[sum]; ok {
			t.Errorf("levels %d and %d give the same bytes", other, level)
		}
		seen[sum] = level
	}
}

// Whatever fails, it is told as it is, produce hears of it, and what was written does not pass for
// whole.
func TestCompressFails(t *testing.T) {
	data := rows(1, 6<<20)
	errWrite := errors.New("disk full")

	t.Run("producer", func(t *testing.T) {
		for _, n := range []int{0, 1, 100 << 10, 6 << 20} {
			var b bytes.Buffer
			_, err := Compress(t.Context(), &b, CompressOptions{}, produce(data[:n], errDump))
			if !errors.Is(err, errDump) {
				t.Errorf("after %d bytes: %v", n, err)
			}
			wantTruncated(t, b.Bytes())
		}
	})
	t.Run("writer", func(t *testing.T) {
		for _, n := range []int{0, 1, 1 << 20} {
			w := &failingWriter{left: n, err: errWrite}
			_, err := Compress(t.Context(), w, CompressOptions{}, func(ctx context.Context, w io.Writer) error {
				for {
					if _, err := w.Write(data); err != nil {
						if ctx.Err() == nil {
							t.Errorf("after %d bytes: the context lives", n)
						}
						return fmt.Errorf("wrapped: %w", err)
					}
				}
			})
			if !errors.Is(err, errWrite) {
				t.Errorf("after %d bytes: %v", n, err)
			}
			wantTruncated(t, w.Bytes())
		}
	})
	t.Run("writer, of the end", func(t *testing.T) {
		w := &failingWriter{left: len(compress(t, data, CompressOptions{})) - 1, err: errWrite}
		if _, err := Compress(t.Context(), w, CompressOptions{}, produce(data, nil)); !errors.Is(err, errWrite) {
			t.Error(err)
		}
		wantTruncated(t, w.Bytes())
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		var b bytes.Buffer
		_, err := Compress(ctx, &b, CompressOptions{}, func(_ context.Context, w io.Writer) error {
			_, _ = w.Write(data)
			cancel(errDump)
			return nil // it has not noticed
		})
		if !errors.Is(err, errDump) {
			t.Error(err)
		}
		wantTruncated(t, b.Bytes())
	})
	t.Run("cancelled while the writer is stuck", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			pr, pw := io.Pipe()
			go func() {
				synctest.Wait() // until nothing moves
				cancel()
				synctest.Wait()
				_ = pr.Close()
			}()
			_, err := Compress(ctx, pw, CompressOptions{Concurrency: 2}, func(_ context.Context, w io.Writer) error {
				_, err := w.Write(data)
				return err
			})
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	})
}

func wantTruncated(t *testing.T, packed []byte) {
	t.Helper()
	if len(packed) == 0 {
		return
	}
	if got, err := decompress(bytes.NewReader(packed)); err == nil {
		t.Errorf("%d bytes in %d, and no error", len(got), len(packed))
	}
}

type failingWriter struct {
	bytes.Buffer
	left int
	err  error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	w.Buffer.Write(p[:n])
	w.left -= n
	if n < len(p) {
		return n, w.err
	}
	return n, nil
}

// Beside Pipe: the consumer's end is the cause.
func TestCompressIntoPipe(t *testing.T) {
	_, err := Pipe(t.Context(), func(ctx context.Context, w io.Writer) error {
		_, err := Compress(ctx, w, CompressOptions{}, produce(random(1, 8<<20), nil))
		return err
	}, func(_ context.Context, r io.Reader) error {
		_, _ = r.Read(make([]byte, 100))
		return nil
	})
	var consume *ConsumeError
	if !errors.As(err, &consume) || !errors.Is(err, ErrUnread) {
		t.Errorf("%T %v", err, err)
	}
}

func TestDecompressDamaged(t *testing.T) {
	data := slices.Concat(rows(1, 100), random(1, 300))
	whole := compress(t, data, CompressOptions{})
	for cut := len(startMark()); cut < len(whole); cut++ {
		if got, err := decompress(bytes.NewReader(whole[:cut])); !errors.Is(err, ErrTruncated) {
			t.Errorf("cut at %d of %d: %d bytes, %v", cut, len(whole), len(got), err)
		}
		changed := bytes.Clone(whole)
		changed[cut] ^= 0x10
		if got, err := decompress(bytes.NewReader(changed)); err == nil && !bytes.Equal(got, data) {
			t.Errorf("byte %d changed: %d bytes and no error", cut, len(got))
		}
	}
	if got, err := decompress(bytes.NewReader(slices.Concat(whole, whole))); err == nil {
		t.Errorf("twice: %d bytes and no error", len(got))
	}
	big := compress(t, rows(1, 4<<20), CompressOptions{})
	for cut := len(startMark()); cut < len(big); cut += 1 + cut/50 {
		if got, err := decompress(bytes.NewReader(big[:cut])); !errors.Is(err, ErrTruncated) {
			t.Errorf("cut at %d of %d: %d bytes, %v", cut, len(big), len(got), err)
		}
	}
}

// An error of the reader below is that error, and not an end, wherever it comes.
func TestDecompressReadError(t *testing.T) {
	whole := compress(t, rows(1, 1<<20), CompressOptions{})
	for at := 0; at <= len(whole); at += 1 + at/20 {
		r := io.MultiReader(bytes.NewReader(whole[:at]), iotest.ErrReader(errDump))
		if _, err := decompress(r); !errors.Is(err, errDump) {
			t.Errorf("after %d bytes: %v", at, err)
		}
	}
}

func FuzzDecompress(f *testing.F) {
	f.Add(compress(f, rows(1, 300), CompressOptions{}))
	f.Add(startMark())
	f.Add(endMark(0))
	f.Add(testCompressor(f, 3).compress(nil, rows(1, 300)))
	f.Fuzz(func(t *testing.T, packed []byte) {
		d, err := Decompress(bytes.NewReader(packed))
		if err != nil {
			return
		}
		defer d.Close()
		n, err := io.Copy(io.Discard, io.LimitReader(d, 1<<24))
		if err == nil && n < 1<<24 && bytes.HasPrefix(packed, startMark()) && !bytes.HasSuffix(packed, endMark(n)) {
			t.Errorf("%d bytes and no error", n)
		}
	})
}

func FuzzCompress(f *testing.F) {
	f.Add(rows(1, 5000), 3, 1)
	f.Add([]byte{0}, 1, 4)
	f.Fuzz(func(t *testing.T, seed []byte, level, concurrency int) {
		if len(seed) == 0 || level < 1 || level > 5 || concurrency < 1 || concurrency > 8 {
			return
		}
		data := bytes.Repeat(seed, 1+(2<<20)/len(seed))
		packed := compress(t, data, CompressOptions{Level: level, Concurrency: concurrency})
		if !bytes.Equal(packed, compress(t, data, CompressOptions{Level: level, Concurrency: 1}, 1000)) {
			t.Error("other bytes with one at a time")
		}
		if got, err := decompress(bytes.NewReader(packed)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes of %d, %v", len(got), len(data), err)
		}
	})
}

func BenchmarkCompress(b *testing.B) {
	data := rows(1, 64<<20)
	for _, level := range []int{1, 3} {
		b.Run(fmt.Sprintf("level=%d", level), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := Compress(b.Context(), io.Discard, CompressOptions{Level: level}, produce(data, nil)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecompress(b *testing.B) {
	data := rows(1, 64<<20)
	packed := compress(b, data, CompressOptions{})
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		d, err := Decompress(bytes.NewReader(packed))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, d); err != nil {
			b.Fatal(err)
		}
		_ = d.Close()
	}
}
