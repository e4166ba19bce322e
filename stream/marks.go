package stream

import "encoding/binary"

// Marks are frames that zstd skips.
const (
	startMagic    = 0x184d2a5a
	startText     = "breaking-backups"
	endMagic      = 0x184d2a5b
	endSize       = 4 + 4 + 8
	boundaryMagic = 0x184d2a5c
	boundaryZeros = 64
	tailMagic     = 0x184d2a5d
)

func mark(magic uint32, content []byte) []byte {
	frame := binary.LittleEndian.AppendUint32(nil, magic)
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(content)))
	return append(frame, content...)
}

func startMark() []byte { return mark(startMagic, []byte(startText)) }

// endMark carries the length of the stream, uncompressed.
func endMark(size int64) []byte {
	return mark(endMagic, binary.LittleEndian.AppendUint64(nil, uint64(size)))
}

// boundary is where restic ends a chunk, if that has the 512 KiB that each has at least.
//
// restic's chunks have a megabyte and a half on average, and a change of one byte is a chunk to be
// stored. It cuts where the last 20 bits of the fingerprint of the 64 bytes before are zero, which
// are other places for each repository, as the polynomial of the fingerprint is. But of 64 bytes of
// zero the fingerprint is zero by any of them (github.com/restic/chunker). Without boundaries a
// second backup takes three times as much.
var boundary = mark(boundaryMagic, make([]byte, boundaryZeros))

// Of four cuts in the content one is a boundary, the same one for the same content: that is one in
// a megabyte. More would do no good, as restic passes over those that come too soon, and so would
// take longer after a change to come back to the ones it took before.
const boundaryBelow = cutBelow / 4

// endsAtBoundary tells whether a boundary follows a frame with the content raw. The hash that made
// the cut was that of its last bytes.
func endsAtBoundary(raw []byte) bool {
	if len(raw) < hashedBytes {
		return false
	}
	var hash uint64
	for _, b := range raw[len(raw)-hashedBytes:] {
		hash = hash<<1 + gear[b]
	}
	return hash < boundaryBelow
}
