package crypto

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// testCost is the least that argon2 takes.
var testCost = cost{kibibytes: 8, passes: 1, lanes: 1}

func sealedText(t *testing.T) string {
	t.Helper()
	text, err := sealKey(FromSeed([32]byte{1}), []byte("secret"), testCost, bytes.NewReader(make([]byte, 40)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSeal_OpensWithItsPassphraseOnly(t *testing.T) {
	file, err := decodeKey([]byte(sealedText(t)))
	if err != nil {
		t.Fatal(err)
	}
	k, err := file.sealed.open([]byte("secret"))
	if err != nil || k.Seed() != [32]byte{1} {
		t.Errorf("another key came back (%v)", err)
	}
	for _, wrong := range []string{"", "Secret", "secret ", "secret\x00"} {
		if _, err := file.sealed.open([]byte(wrong)); !errors.Is(err, ErrWrongPassphrase) {
			t.Errorf("%q: %v, want %v", wrong, err, ErrWrongPassphrase)
		}
	}
}

func TestSeal_HoldsNoSecretInClear(t *testing.T) {
	if text := sealedText(t); strings.Contains(text, "01000000000000") || strings.Contains(text, seedPrefix) {
		t.Errorf("the seed is in the file:\n%s", text)
	}
}

// Every line of the file is authenticated: a file whose public key, salt or cost was changed does not open.
func TestSeal_NothingCanBeChanged(t *testing.T) {
	good := sealedText(t)
	for _, line := range []string{saltPrefix, noncePrefix, sealedPrefix, publicPrefix} {
		at := strings.Index(good, line) + len(line)
		digit := byte('0')
		if good[at] == digit {
			digit = '1'
		}
		wantUnopened(t, good[:at]+string(digit)+good[at+1:])
	}
	wantUnopened(t, strings.Replace(good, "1 passes", "2 passes", 1))
	wantUnopened(t, strings.Replace(good, "8 KiB", "9 KiB", 1)) // argon2 rounds this cost to the same memory
}

func wantUnopened(t *testing.T, text string) {
	t.Helper()
	file, err := decodeKey([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if _, err := file.sealed.open([]byte("secret")); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("%v, want %v, for\n%s", err, ErrWrongPassphrase, text)
	}
}

func TestSeal_SaltAndNonceAreFresh(t *testing.T) {
	k := FromSeed([32]byte{1})
	one, errOne := sealKey(k, []byte("secret"), testCost, nil)
	two, errTwo := sealKey(k, []byte("secret"), testCost, nil)
	if errOne != nil || errTwo != nil {
		t.Fatal(errOne, errTwo)
	}
	a, b := strings.Split(string(one), "\n"), strings.Split(string(two), "\n")
	for _, i := range []int{2, 4, 5} {
		if a[i] == b[i] {
			t.Errorf("line %d is the same in two files: %q", i+1, a[i])
		}
	}
}

// A key file of an attacker must not cost gigabytes or hours, and must not make argon2 panic.
func TestSeal_UnbearableCostsAreRefusedBeforeAnythingIsSpent(t *testing.T) {
	good := sealedText(t)
	for _, hostile := range []cost{
		{262145, 1, 1}, {4294967295, 1, 1}, {8, 17, 1}, {8, 4294967295, 1}, {1024, 1, 17}, {8, 0, 1}, {8, 1, 0}, {7, 1, 1}, {31, 1, 4},
	} {
		_, err := decodeKey([]byte(strings.Replace(good, testCost.String(), hostile.String(), 1)))
		if !errors.Is(err, ErrKeyCipher) {
			t.Errorf("%s: %v, want %v", hostile, err, ErrKeyCipher)
		}
	}
	for _, text := range []string{
		"", "much", "8 KiB, 1 passes, 300 lanes", "4294967296 KiB, 1 passes, 1 lanes", "08 KiB, 1 passes, 1 lanes",
		"-8 KiB, 1 passes, 1 lanes", "8 KiB, 1 passes, 1 lanes, please",
	} {
		_, err := decodeKey([]byte(strings.Replace(good, testCost.String(), text, 1)))
		if !errors.Is(err, ErrKeyDamaged) {
			t.Errorf("%q: %v, want %v", text, err, ErrKeyDamaged)
		}
	}
	for _, c := range []cost{defaultCost, maxCost, testCost} {
		if !c.bearable() {
			t.Errorf("%s is refused", c)
		}
	}
}
