package archive

import (
	"hash/crc64"
	"math/rand/v2"
	"testing"
)

func TestCRC(t *testing.T) {
	p := make([]byte, 20*run)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(p)
	for _, n := range []int{0, 1, 7, 8, run, 3*run - 1, 3 * run, 3*run + 1, 6*run + 9, len(p)} {
		for _, crc := range []uint64{0, 1, ^uint64(0), random.Uint64()} {
			if got, want := updateCRC(crc, p[:n]), crc64.Update(crc, ecma, p[:n]); got != want {
				t.Errorf("%d bytes behind %x: %x, want %x", n, crc, got, want)
			}
		}
	}
}

func BenchmarkCRC(b *testing.B) {
	p := make([]byte, 512<<10)
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			updateCRC(0, p)
		}
	})
	b.Run("hash-crc64", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			crc64.Update(0, ecma, p)
		}
	})
}
