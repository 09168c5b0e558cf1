package transfer

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"tagma/internal/alone"
)

// sampleQueries and sampleAnswers have every kind of item and part, at the limits of their sizes.
func sampleQueries() []Query {
	full := Known{Bitmap: 0xffff}
	for i := range full.Prefixes {
		full.Prefixes[i] = uint16(i * 4000)
	}
	deep := keyPath(sum("deep"))
	odd := Path{}.child(3).child(15).child(9)
	long := Query{ID: 7}
	below := Path{packed: deep.packed, depth: maxDepth - 1}
	below.packed[31] &= 0xf0
	for range MaxItems {
		long.Items = append(long.Items, Item{Kind: AskCompare, Path: below, Known: full})
	}
	return []Query{
		{Items: []Item{{Kind: AskPath}}},
		{ID: 1<<32 - 1, Items: []Item{
			{Kind: AskPath, Path: deep},
			{Kind: AskPath, Path: odd},
			{Kind: AskChunk, Key: sum("k"), Offset: 1<<64 - 1},
			{Kind: AskCompare, Path: odd, Known: Known{Bitmap: 0x8001, Prefixes: [16]uint16{1, 15: 0xffff}}},
		}},
		long,
	}
}

func sampleAnswers() []Answer {
	node := &Node{Present: 0b111101, Same: 0b100001, Entries: 0b1100}
	node.Digest[4], node.Digest[5] = sum("4"), [32]byte{}
	node.Entry[2] = Entry{Key: []byte("key"), Value: []byte{}}
	node.Entry[3] = Entry{Key: []byte{}, Value: bytes.Repeat([]byte("v"), 300)}
	page := make([]Entry, MaxPage)
	for i := range page {
		page[i] = Entry{Key: []byte{byte(i)}, Value: []byte("v")}
	}
	later := Answer{ID: 3}
	for range MaxItems {
		later.Parts = append(later.Parts, Part{Kind: IsLater})
	}
	return []Answer{
		{Parts: []Part{{Kind: IsNode, Node: &Node{}}}},
		{ID: 1<<32 - 1, Parts: []Part{
			{Kind: IsNode, Node: node},
			{Kind: IsPage, Page: page},
			{Kind: IsLater},
			{Kind: IsChunk, Chunk: []byte{}},
			{Kind: IsLong, Long: Long{Key: make([]byte, MaxKey), Length: 1<<64 - 1, Hash: sum("v")}},
			{Kind: IsChunk, Chunk: make([]byte, ChunkSize)},
		}},
		later,
	}
}

func TestEncodings_ComeBackAsTheyWere(t *testing.T) {
	for i, q := range sampleQueries() {
		b := q.Encode()
		if got, err := DecodeQuery(b); err != nil || !reflect.DeepEqual(got, q) {
			t.Errorf("query %d comes back as another, or not: %v", i, err)
		}
		if len(b) > MaxQuery {
			t.Errorf("query %d has %d bytes, above MaxQuery", i, len(b))
		}
	}
	for i, a := range sampleAnswers() {
		if got, err := DecodeAnswer(a.Encode()); err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("answer %d comes back as another, or not: %v", i, err)
		}
	}
}

// If bytes can be decoded, encoding the result gives the same bytes. So each query and each answer has only one
// encoding.
func TestEncodings_HaveOneForm(t *testing.T) {
	alone.Test(t)
	r := rand.New(rand.NewPCG(1, 1))
	queries := len(sampleQueries())
	for i, encoded := range encodedSamples() {
		for range 1000 {
			b := bytes.Clone(encoded)
			for range 1 + r.IntN(3) {
				// The first bytes of an encoding are its lengths and kinds. Most mistakes are possible there, so most
				// changes are made there.
				at := r.IntN(min(len(b), 1+r.IntN(len(b))))
				b[at] ^= byte(1 << r.IntN(8))
			}
			wantCanonical(t, b)
		}
		other := [][]byte{append(bytes.Clone(encoded), 0)}
		for _, cut := range []int{0, 1, 4, 5, 6, 7, 8, len(encoded) / 2, len(encoded) - 1} {
			other = append(other, encoded[:cut])
		}
		for _, b := range other {
			_, err := DecodeAnswer(b)
			if i < queries {
				_, err = DecodeQuery(b)
			}
			if err == nil {
				t.Errorf("sample %d decodes from %d of %d bytes", i, len(b), len(encoded))
			}
		}
	}
}

func encodedSamples() (all [][]byte) {
	for _, q := range sampleQueries() {
		all = append(all, q.Encode())
	}
	for _, a := range sampleAnswers() {
		all = append(all, a.Encode())
	}
	return all
}

func wantCanonical(t *testing.T, b []byte) {
	t.Helper()
	if q, err := DecodeQuery(b); err == nil && !bytes.Equal(q.Encode(), b) {
		t.Fatalf("a query decodes from %x and encodes to %x", b, q.Encode())
	} else if err != nil && !errors.Is(err, ErrMalformed) {
		t.Fatalf("decoding a query fails with %v", err)
	}
	if a, err := DecodeAnswer(b); err == nil && !bytes.Equal(a.Encode(), b) {
		t.Fatalf("an answer decodes from %x and encodes to %x", b, a.Encode())
	} else if err != nil && !errors.Is(err, ErrMalformed) {
		t.Fatalf("decoding an answer fails with %v", err)
	}
}

func wantRefused(t *testing.T, b []byte) {
	t.Helper()
	if _, err := DecodeQuery(b); err == nil {
		t.Errorf("%.40x decodes as a query", b)
	}
	if _, err := DecodeAnswer(b); err == nil {
		t.Errorf("%.40x decodes as an answer", b)
	}
}

func TestEncodings_WhatTheEncoderDoesNotWriteIsRefused(t *testing.T) {
	head := func(count ...byte) []byte { return append([]byte{version, 0, 0, 0, 1}, count...) }
	with := func(b []byte, more ...byte) []byte { return append(b, more...) }
	for name, b := range map[string][]byte{
		"nothing":                           {},
		"another version":                   {version + 1, 0, 0, 0, 1, 0, 1, 5},
		"no items or parts":                 head(0, 0),
		"257 items or parts":                with(head(1, 1), bytes.Repeat([]byte{5}, 257)...),
		"65,535 items or parts, none there": head(255, 255),
		"an unknown kind":                   head(0, 1, 9),
		"a path of 65 nibbles":              with(head(0, 1, byte(AskPath), 65), make([]byte, 33)...),
		"a path with a half byte too much":  head(0, 1, byte(AskPath), 1, 0x11),
		"a comparison at a leaf's depth":    with(head(0, 1, byte(AskCompare), 64), make([]byte, 36)...),
		"a comparison with nothing":         head(0, 1, byte(AskCompare), 0, 0, 0),
		"an absent child that is the same":  head(0, 1, byte(IsNode), 0, 0, 0, 1),
		"a child given in a third way":      head(0, 1, byte(IsNode), 0, 1, 0, 0, 2),
		"a page without entries":            head(0, 1, byte(IsPage), 0, 0),
		"a page of 257":                     with(head(0, 1, byte(IsPage), 1, 1), make([]byte, 514)...),
		"a length in two forms":             head(0, 1, byte(IsChunk), 0x81, 0x00, 7),
		"a length of ten bytes":             head(0, 1, byte(IsChunk), 255, 255, 255, 255, 255, 255, 255, 255, 255, 1),
		"a length without an end":           head(0, 1, byte(IsChunk), 255),
		"a piece that is too long":          with(head(0, 1), (&Part{Kind: IsChunk, Chunk: make([]byte, ChunkSize+1)}).append(nil)...),
		"a key that is too long":            with(head(0, 1), (&Part{Kind: IsLong, Long: Long{Key: make([]byte, MaxKey+1)}}).append(nil)...),
		"an answer that is too long":        make([]byte, MaxAnswer+1),
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, b) })
	}
}

func FuzzDecodeQuery(f *testing.F) {
	for _, b := range encodedSamples() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := DecodeQuery(b); err == nil && !bytes.Equal(q.Encode(), b) {
			t.Fatalf("%x has another encoding: %x", b, q.Encode())
		}
	})
}

func FuzzDecodeAnswer(f *testing.F) {
	for _, b := range encodedSamples() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := DecodeAnswer(b); err == nil && !bytes.Equal(a.Encode(), b) {
			t.Fatalf("%x has another encoding: %x", b, a.Encode())
		}
	})
}
