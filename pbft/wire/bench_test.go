package wire

import (
	"bytes"
	"testing"
)

// benchBody is the batch to which performance figures refer: 64 requests of 256 bytes.
func benchBody() *Body {
	c := newWireCluster(4)
	b := &Body{Time: 1}
	for t := range uint64(64) {
		b.Requests = append(b.Requests, c.request(t+1, string(bytes.Repeat([]byte{byte(t)}, 256-requestOverhead))))
	}
	return b
}

func BenchmarkEncode_Batch64x256(b *testing.B) {
	m := newWireCluster(4).prePrepare(0, 1, benchBody())
	buf := Encode(m)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendEncode(buf[:0], m)
	}
}

// Decoding also computes the digests of the batch and of every request. BenchmarkDigest measures only the hashing.
func BenchmarkDecode_Batch64x256(b *testing.B) {
	buf := Encode(newWireCluster(4).prePrepare(0, 1, benchBody()))
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest_Batch64x256(b *testing.B) {
	body := benchBody()
	b.SetBytes(int64(body.RequestBytes()))
	b.ReportAllocs()
	for b.Loop() {
		body.cache = bodyCache{}
		body.Digest()
	}
}

func BenchmarkDigest_Request256(b *testing.B) {
	r := benchBody().Requests[0]
	raw := r.cache.raw
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		r.remember(raw)
	}
}

func BenchmarkVote_DecodeCheckClaims(b *testing.B) {
	c := newWireCluster(4)
	buf := Encode(c.commit(2, 11, Digest{1}, 3))
	b.ReportAllocs()
	for b.Loop() {
		m, err := Decode(buf)
		if err != nil {
			b.Fatal(err)
		}
		if err := Check(&c.cfg, m); err != nil {
			b.Fatal(err)
		}
		if len(Claims(&c.cfg, m)) != 1 {
			b.Fatal("not one claim")
		}
	}
}
