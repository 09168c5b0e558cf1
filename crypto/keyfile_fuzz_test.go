package crypto

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzKeyFile: whatever a key file contains, decoding it returns an error or a key, encrypted or not. What was
// decoded encodes to the same file again. An encrypted key asks for no more memory and time than maxCost allows.
func FuzzKeyFile(f *testing.F) {
	good := encodeKey(FromSeed([32]byte{1}))
	sealed, err := sealKey(FromSeed([32]byte{1}), []byte("secret"), testCost, bytes.NewReader(make([]byte, 40)))
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range [][]byte{good, sealed} {
		f.Add(text)
		f.Add(text[:len(text)-1])
		f.Add(text[:70])
	}
	f.Add([]byte(keyHeader + "\n"))
	f.Add(bytes.Replace(good, []byte("none"), []byte("scrypt"), 1))
	f.Add(bytes.Replace(sealed, []byte("8 KiB"), []byte("4294967295 KiB"), 1))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := decodeKey(text)
		if err != nil {
			if file.key != nil || file.sealed != nil {
				t.Error("an error came with a key")
			}
			return
		}
		again := ""
		if file.sealed == nil {
			again = string(encodeKey(file.key))
		} else {
			again = string(file.sealed.encode())
			if c := file.sealed.cost; c.kibibytes > 256<<10 || c.passes > 16 || c.lanes > 16 {
				t.Errorf("a file may make us spend %s", c)
			}
		}
		// Only hex digits come in two cases, and everything else that is in upper case is part of the cost line.
		canonical := strings.ReplaceAll(strings.ToLower(strings.TrimSuffix(string(text), "\n")), " kib", " KiB")
		if again != canonical+"\n" {
			t.Errorf("decoded %q, encoded %q", text, again)
		}
	})
}
