package stream

import "github.com/klauspost/compress/zstd"

// A compressor compresses frames, each as if there were no other.
//
// The search of level 3 takes two thirds of the time, and on digits, identifiers and hashes it is
// in vain: the short matches that it finds there take more room than what they stand for. Level 1
// makes 5 % less of such rows in half the time, and of other data 3 to 8 % more. So the beginning
// of each frame is tried with both, which costs 5 % of the time. What is chosen depends on the
// frame alone.
type compressor struct {
	level *zstd.Encoder
	fast  *zstd.Encoder // nil: there is no choice
}

const (
	// What is tried of a frame. Half as much is wrong more often, and twice as much hardly less.
	trySize = 16 << 10
	// A gain below one in so many is taken for chance, and the level is as was asked for.
	tryGain = 128
)

// newCompressor makes one that works on as many frames at once as there are workers.
func newCompressor(level, workers int) (*compressor, error) {
	c := &compressor{}
	var err error
	asked := zstd.EncoderLevelFromZstd(level)
	if c.level, err = newEncoder(asked, workers); err != nil {
		return nil, err
	}
	if asked == zstd.SpeedDefault {
		c.fast, err = newEncoder(zstd.SpeedFastest, workers)
	}
	return c, err
}

// newEncoder makes an encoder in whose window there is room for every frame: each is one segment,
// whose size a reader knows beforehand. It keeps no more memory than one frame takes.
func newEncoder(level zstd.EncoderLevel, workers int) (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(workers), zstd.WithWindowSize(maxFrame),
		zstd.WithLowerEncoderMem(true))
}

// compress appends to packed a frame with the content raw.
func (c *compressor) compress(packed, raw []byte) []byte {
	encoder := c.level
	if c.fast != nil {
		piece, from := raw[:min(len(raw), trySize)], len(packed)
		packed = c.level.EncodeAll(piece, packed)
		asked := len(packed) - from
		packed = c.fast.EncodeAll(piece, packed[:from])
		if fast := len(packed) - from; fast < asked-asked/tryGain {
			encoder = c.fast
		}
		packed = packed[:from]
	}
	return encoder.EncodeAll(raw, packed)
}
