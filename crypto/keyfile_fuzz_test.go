package crypto

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzKeyFile: whatever a key file holds, decoding returns an error or a key, and a key that was decoded encodes to
// the same file again.
func FuzzKeyFile(f *testing.F) {
	good := encodeKey(FromSeed([32]byte{1}))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(good[:70])
	f.Add([]byte(keyHeader + "\n"))
	f.Add(bytes.Replace(good, []byte("none"), []byte("scrypt"), 1))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := decodeKey(text)
		if err != nil {
			if k != nil {
				t.Error("an error came with a key")
			}
			return
		}
		canonical := strings.ToLower(strings.TrimSuffix(string(text), "\n"))
		if again := string(encodeKey(k)); again != canonical+"\n" {
			t.Errorf("decoded %q, encoded %q", text, again)
		}
	})
}
