package restictest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/scrypt"
)

// CheapKey has the repository be opened in no time. Its password leads to the same key as before,
// but by a derivation that costs nothing; restic's own is made to take half a second of a
// processor, each time that any command opens it.
func (r Repository) CheapKey(t testing.TB, password string) {
	t.Helper()
	salt := make([]byte, 64)
	_, _ = rand.Read(salt)
	derived, err := scrypt.Key([]byte(password), salt, 2, 1, 1, 64)
	if err != nil {
		t.Fatal(err)
	}
	var user key
	user.Encrypt, user.MAC.K, user.MAC.R = derived[:32], derived[32:48], derived[48:]
	sealed := user.seal(t, bytes.TrimSpace(r.Run(t, "cat", "masterkey", "--no-lock")))
	r.editKey(t, map[string]any{"N": 2, "r": 1, "p": 1, "salt": salt, "data": sealed})
}

// YoungKey has the repository's key be one that was just made.
func (r Repository) YoungKey(t testing.TB) {
	t.Helper()
	r.editKey(t, map[string]any{"created": time.Now()})
}

// editKey gives fields of the repository's only key file other values.
func (r Repository) editKey(t testing.TB, fields map[string]any) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.Folder, "keys", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("keys %q, %v; want one", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	maps.Copy(file, fields)
	if text, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	if err := os.WriteFile(filepath.Join(r.Folder, "keys", hex.EncodeToString(sum[:])), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
}

// key is what restic encrypts and signs with.
type key struct {
	MAC struct {
		K []byte `json:"k"`
		R []byte `json:"r"`
	} `json:"mac"`
	Encrypt []byte `json:"encrypt"`
}

// seal encrypts and signs a file with the repository's own key.
func (r Repository) seal(t testing.TB, text []byte) []byte {
	t.Helper()
	var master key
	if err := json.Unmarshal(r.Run(t, "cat", "masterkey", "--no-lock"), &master); err != nil {
		t.Fatal(err)
	}
	return master.seal(t, text)
}

// seal encrypts and signs as restic does (its design document, "Keys, Encryption and MAC"): a
// nonce, the text under AES-256 in counter mode, and a Poly1305-AES tag of that.
func (k key) seal(t testing.TB, text []byte) []byte {
	t.Helper()
	nonce := make([]byte, aes.BlockSize)
	_, _ = rand.Read(nonce)
	block, err := aes.NewCipher(k.Encrypt)
	if err != nil {
		t.Fatal(err)
	}
	sealed := make([]byte, len(text))
	cipher.NewCTR(block, nonce).XORKeyStream(sealed, text)

	mac, err := aes.NewCipher(k.MAC.K)
	if err != nil {
		t.Fatal(err)
	}
	pad := make([]byte, aes.BlockSize)
	mac.Encrypt(pad, nonce)
	return slices.Concat(nonce, sealed, poly1305(k.MAC.R, pad, sealed))
}

// poly1305 is the tag of RFC 8439, 2.5, whose key's halves are r and s.
func poly1305(r, s, text []byte) []byte {
	r = bytes.Clone(r)
	for i, mask := range []byte{0xff, 0xff, 0xff, 0x0f, 0xfc, 0xff, 0xff, 0x0f, 0xfc, 0xff, 0xff, 0x0f, 0xfc, 0xff, 0xff, 0x0f} {
		r[i] &= mask
	}
	number := func(b []byte) *big.Int {
		b = bytes.Clone(b)
		slices.Reverse(b)
		return new(big.Int).SetBytes(b)
	}
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 130), big.NewInt(5))
	sum := new(big.Int)
	for part := range slices.Chunk(text, 16) {
		sum.Add(sum, number(append(bytes.Clone(part), 1)))
		sum.Mul(sum, number(r))
		sum.Mod(sum, prime)
	}
	sum.Add(sum, number(s))
	tag := sum.FillBytes(make([]byte, 32))
	slices.Reverse(tag)
	return tag[:16]
}
