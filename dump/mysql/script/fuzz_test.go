package script

import (
	"testing"
)

// FuzzReader holds a Reader against the reference, whatever its buffer.
func FuzzReader(f *testing.F) {
	for _, tt := range scripts {
		f.Add(tt.script, byte(tt.mode), byte(0))
		f.Add(tt.script, byte(tt.mode|MySQL), byte(40))
	}
	f.Fuzz(func(t *testing.T, script string, mode, buffer byte) {
		if err := difference(script, Mode(mode&7), int(buffer)+1); err != nil {
			t.Error(err)
		}
	})
}
