package wire

import (
	"bytes"
	"testing"
)

// fuzzForm gives bytes to one decoder. What it accepts must be canonical, and no check of it may panic (S4).
func fuzzForm(f *testing.F, recode func([]byte) ([]byte, error), seeds [][]byte) {
	for _, b := range seeds {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		kept := bytes.Clone(b)
		got, err := recode(b)
		if err == nil && !bytes.Equal(got, b) {
			t.Fatalf("%x is taken for %x", b, got)
		}
		if !bytes.Equal(b, kept) {
			t.Fatalf("decoding changed %x to %x", kept, b)
		}
	})
}

func FuzzDecode(f *testing.F) {
	c := newWireCluster(4)
	var seeds [][]byte
	for _, s := range c.samples() {
		seeds = append(seeds, Encode(s.m))
	}
	fuzzForm(f, func(b []byte) ([]byte, error) {
		recoded, err := wireRecodeMessage(b)
		if err == nil {
			m, _ := Decode(b) // decoding cannot fail, because it succeeded a moment ago
			_, _ = Verify(&c.cfg, m, wireHolds)
			Claims(&c.cfg, m)
		}
		return recoded, err
	}, seeds)
}

func FuzzDecodeRecord(f *testing.F) {
	var seeds [][]byte
	for _, s := range newWireCluster(4).records() {
		seeds = append(seeds, EncodeRecord(s.r))
	}
	fuzzForm(f, func(b []byte) ([]byte, error) {
		recoded, err := wireRecodeRecord(b)
		if err == nil {
			r, _ := DecodeRecord(b) // decoding cannot fail, because it succeeded a moment ago
			RecordSeq(r)
		}
		return recoded, err
	}, seeds)
}

func FuzzDecodeEvidence(f *testing.F) {
	c := newWireCluster(4)
	var seeds [][]byte
	for _, e := range c.evidence() {
		seeds = append(seeds, e.Encode())
	}
	fuzzForm(f, func(b []byte) ([]byte, error) {
		recoded, err := wireRecodeEvidence(b)
		if err == nil {
			e, _ := DecodeEvidence(b) // decoding cannot fail, because it succeeded a moment ago
			_ = e.Verify(&c.cfg, wireHolds)
		}
		return recoded, err
	}, seeds)
}
