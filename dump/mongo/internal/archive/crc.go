package archive

import (
	"encoding/binary"
	"hash/crc64"
	"sync"
)

// The checksum is as much work as all the rest of a dump, since each of its steps waits for the one
// before. So three runs of bytes are taken at once, each as if it were the first, and put together:
// what a state becomes by a run is the state moved past as many zeros, and added to it what the run
// makes of no state.

// run is the length of one of the three, a multiple of 8.
const run = 4 << 10

var ecma = crc64.MakeTable(crc64.ECMA)

type crcTables struct {
	slices [8][256]uint64 // the step of 8 bytes at once
	past   [8][256]uint64 // for each byte of a state: what it becomes past run zeros
}

var crcTable = sync.OnceValue(func() *crcTables {
	t := &crcTables{}
	for i := range 256 {
		crc := ecma[i]
		for j := range 8 {
			t.slices[j][i] = crc
			crc = ecma[byte(crc)] ^ crc>>8
		}
	}
	var bits [64]uint64
	for i := range bits {
		crc := uint64(1) << i
		for range run {
			crc = ecma[byte(crc)] ^ crc>>8
		}
		bits[i] = crc
	}
	for j := range 8 {
		for i := range 256 {
			for bit := range 8 {
				if i>>bit&1 != 0 {
					t.past[j][i] ^= bits[8*j+bit]
				}
			}
		}
	}
	return t
})

// updateCRC adds p to a CRC-64 with the ECMA polynomial, as crc64.Update does.
func updateCRC(crc uint64, p []byte) uint64 {
	if len(p) < 3*run {
		return crc64.Update(crc, ecma, p)
	}
	t := crcTable()
	crc = ^crc
	for ; len(p) >= 3*run; p = p[3*run:] {
		a, b, c := p[:run], p[run:2*run], p[2*run:3*run]
		var crcB, crcC uint64
		for i := 0; i+8 <= run; i += 8 {
			crc ^= binary.LittleEndian.Uint64(a[i:])
			crcB ^= binary.LittleEndian.Uint64(b[i:])
			crcC ^= binary.LittleEndian.Uint64(c[i:])
			crc, crcB, crcC = t.step(crc), t.step(crcB), t.step(crcC)
		}
		crc = t.move(t.move(crc)^crcB) ^ crcC
	}
	return crc64.Update(^crc, ecma, p)
}

func (t *crcTables) step(crc uint64) uint64 {
	return t.slices[7][byte(crc)] ^ t.slices[6][byte(crc>>8)] ^ t.slices[5][byte(crc>>16)] ^ t.slices[4][byte(crc>>24)] ^
		t.slices[3][byte(crc>>32)] ^ t.slices[2][byte(crc>>40)] ^ t.slices[1][byte(crc>>48)] ^ t.slices[0][crc>>56]
}

func (t *crcTables) move(crc uint64) uint64 {
	var moved uint64
	for j := range 8 {
		moved ^= t.past[j][byte(crc>>(8*j))]
	}
	return moved
}
