package backup

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

var update = flag.Bool("update", false, "write the golden files anew")

type state map[string]string

func (s state) root() [32]byte {
	t := merkle.New()
	for k, v := range s {
		t.Set([]byte(k), []byte(v))
	}
	return t.Root()
}

// The transfer of states only needs Get, Scan and Close of a view.
func (s state) Get(key []byte) ([]byte, bool, error) {
	v, found := s[string(key)]
	return []byte(v), found, nil
}

func (s state) Scan(_, _ []byte) iter.Seq2[statemachine.Entry, error] {
	return func(yield func(statemachine.Entry, error) bool) {
		for _, k := range slices.Sorted(maps.Keys(s)) {
			if !yield(statemachine.Entry{Key: []byte(k), Value: []byte(s[k])}, nil) {
				return
			}
		}
	}
}

// Writing a backup never calls Walk.
func (state) Walk(_, _ []byte, _ bool) iter.Seq2[statemachine.Entry, error] { panic("not asked for") }

func (state) Close() {}

func head(seq uint64, s state) Head {
	return Head{Cluster: [32]byte{1, 2, 3}, Epoch: 4, Seq: seq, Root: s.root(), Machine: "kv", Proof: []byte("proof")}
}

func since(h, before Head) Head {
	h.Since, h.SinceRoot, h.Before = before.Seq, before.Root, "before.bak"
	return h
}

func written(t testing.TB, h Head, records iter.Seq2[statemachine.Write, error]) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := Write(&b, h, records); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// small is a state with all kinds of keys and values that could be encoded wrongly: empty ones, and bytes that are no
// text.
var (
	small = state{"a": "1", "ab": "", "b\x00": "\xff\xfe", "c": strings.Repeat("long", 30), "": "empty key"}
	later = state{"a": "2", "ab": "", "c": strings.Repeat("long", 30), "d": "new", "": "empty key"}
)

func wholeAndSince(t testing.TB) (whole, more []byte) {
	h := head(8, small)
	return written(t, h, All(small)), written(t, since(head(16, later), h), Changes(small, later))
}

func check(files ...[]byte) error {
	c := NewChain()
	for _, f := range files {
		r, err := NewReader(bytes.NewReader(f))
		if err == nil {
			err = c.Add(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func TestBackup_ComesBackAsItWasWritten(t *testing.T) {
	whole, more := wholeAndSince(t)
	if err := check(whole, more); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(more))
	if err != nil {
		t.Fatal(err)
	}
	if want := since(head(16, later), head(8, small)); fmt.Sprint(r.Head) != fmt.Sprint(want) {
		t.Errorf("head %v, want %v", r.Head, want)
	}
	var got []string
	for {
		w, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%q=%q %v", w.Key, w.Value, w.Delete))
	}
	if want := []string{`"a"="2" false`, `"b\x00"="" true`, `"d"="new" false`}; !slices.Equal(got, want) {
		t.Errorf("records %v, want %v: what did not change is not there", got, want)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) || r.Count() != 3 {
		t.Errorf("behind the end: %v, %d records", err, r.Count())
	}
}

// Values may be longer than a frame, and a record may begin in one frame and end in the next.
func TestBackup_RecordsMayBeLongerThanAFrame(t *testing.T) {
	s := state{"k": strings.Repeat("x", maxFrame*2+7), "l": strings.Repeat("y", maxFrame-40), "m": strings.Repeat("z", 100)}
	if err := check(written(t, head(8, s), All(s))); err != nil {
		t.Error(err)
	}
}

func TestBackup_TheFormatIsThatOfTheGoldenFiles(t *testing.T) {
	whole, more := wholeAndSince(t)
	for name, data := range map[string][]byte{"whole.v1.hex": whole, "since.v1.hex": more} {
		path := filepath.Join("testdata", name)
		text := hex.EncodeToString(data) + "\n"
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(golden) != text {
			t.Errorf("%s: what is written is not what version %d is", name, Version)
		}
	}
}

// The test changes every bit of a small backup, every byte of one that adds to it, and 500 places of a larger one.
func TestBackup_NoChangedByteIsAccepted(t *testing.T) {
	whole, more := wholeAndSince(t)
	for i := range whole {
		for bit := range 8 {
			if err := check(altered(whole, i, 1<<bit)); err == nil {
				t.Errorf("byte %d of the whole backup, bit %d: accepted", i, bit)
			}
		}
	}
	for i := range more {
		if err := check(whole, altered(more, i, 0x55)); err == nil {
			t.Errorf("byte %d of the backup that adds to it: accepted", i)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	large := state{}
	for i := range 500 {
		large[fmt.Sprint("key ", i)] = strings.Repeat("v", random.IntN(6000))
	}
	file := written(t, head(8, large), All(large))
	for range 500 {
		at, by := random.IntN(len(file)), byte(1+random.IntN(255))
		if err := check(altered(file, at, by)); err == nil {
			t.Errorf("byte %d of %d changed by %#x: accepted", at, len(file), by)
		}
	}
}

func altered(file []byte, at int, by byte) []byte {
	out := bytes.Clone(file)
	out[at] ^= by
	return out
}

func TestBackup_NeitherCutNorLongerIsAccepted(t *testing.T) {
	whole, _ := wholeAndSince(t)
	for n := range whole {
		if err := check(whole[:n]); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNoBackup) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	for _, more := range []string{"\x00", "x", string(whole)} {
		if err := check(append(bytes.Clone(whole), more...)); !errors.Is(err, ErrDamaged) {
			t.Errorf("with %d bytes behind it: %v", len(more), err)
		}
	}
}

func TestBackup_AnotherVersionIsNamed(t *testing.T) {
	whole, _ := wholeAndSince(t)
	err := check(altered(whole, 9, 3))
	if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "version 2") || strings.Contains(err.Error(), "\n") {
		t.Errorf("version 2: %v", err)
	}
	if err := check([]byte("{\"some\": \"other file\"}")); !errors.Is(err, ErrNoBackup) {
		t.Errorf("another file: %v", err)
	}
}

func TestBackup_AChainHoldsInItsOrderOnly(t *testing.T) {
	whole, more := wholeAndSince(t)
	other := state{"x": "y"}
	stranger := written(t, head(8, other), All(other))
	for name, files := range map[string][][]byte{
		"nothing in front": {more}, "twice": {whole, more, more}, "reversed": {more, whole}, "two whole ones": {whole, whole},
		"another one of that sequence number in front": {stranger, more},
	} {
		if err := check(files...); !errors.Is(err, ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// K1: a file is refused if its entries do not have the root that its head names, even if every checksum holds.
func TestK1_EntriesThatAreNotTheStateAreRefused(t *testing.T) {
	for name, entries := range map[string]state{
		"one missing": {"a": "1"}, "one more": {"a": "1", "b": "2", "c": "3"}, "another value": {"a": "1", "b": "3"},
	} {
		if err := check(written(t, head(8, state{"a": "1", "b": "2"}), All(entries))); !errors.Is(err, ErrRoot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h := head(8, small)
	whole := written(t, h, All(small))
	if err := check(whole, written(t, since(head(16, later), h), Changes(small, small))); !errors.Is(err, ErrRoot) {
		t.Error("a backup that adds nothing, of a state that changed: accepted")
	}
}

func TestWrite_RefusesWhatReadersRefuse(t *testing.T) {
	one := func(list ...statemachine.Write) iter.Seq2[statemachine.Write, error] {
		return func(yield func(statemachine.Write, error) bool) {
			for _, w := range list {
				if !yield(w, nil) {
					return
				}
			}
		}
	}
	set := func(k string) statemachine.Write { return statemachine.Write{Key: []byte(k)} }
	for name, records := range map[string]iter.Seq2[statemachine.Write, error]{
		"repeated": one(set("a"), set("a")), "descending": one(set("b"), set("a")),
		"a deletion in a whole one": one(statemachine.Write{Key: []byte("a"), Delete: true}),
		"a long key":                one(set(strings.Repeat("k", maxKey+1))),
		"a failed read": func(yield func(statemachine.Write, error) bool) {
			yield(statemachine.Write{}, errors.New("the disk is gone"))
		},
	} {
		if _, err := Write(io.Discard, head(8, small), records); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	for name, h := range map[string]Head{
		"of no checkpoint": {}, "older than what it adds to": {Seq: 8, Since: 8}, "whole, with a name": {Seq: 8, Before: "x"},
		"a long proof": {Seq: 8, Proof: make([]byte, MaxHead)},
	} {
		if _, err := Write(io.Discard, h, All(small)); err == nil {
			t.Errorf("a head %s: written", name)
		}
	}
}

// S4: whatever a file holds, reading it ends in an error at worst, and takes no more memory than the file is long.
func FuzzReader(f *testing.F) {
	whole, more := wholeAndSince(f)
	f.Add(whole)
	f.Add(more)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := check(data); err == nil && !bytes.Equal(data, whole) {
			r, _ := NewReader(bytes.NewReader(data))
			if again := written(t, r.Head, func(yield func(statemachine.Write, error) bool) {
				for {
					w, err := r.Next()
					if err != nil || !yield(w, nil) {
						return
					}
				}
			}); check(again) != nil {
				t.Error("what was read is not written as it was")
			}
		}
	})
}
