package wire

import (
	"crypto/sha256"
	"encoding/binary"
)

// Digest replies (§5.1.1, C5): for each request, one replica sends the results, and the others send only the digest of
// the results.

// wholeResultBytes is the size of results, lengths included, up to which every replica sends them whole: a digest would
// save little, and without digests the client does not depend on a single replica.
const wholeResultBytes = 256

// DigestResults is the digest that stands for results in a reply. It covers the length of each result.
func DigestResults(results [][]byte) (d Digest) {
	h := sha256.New()
	h.Write(append([]byte(tagResults), FormatVersion))
	var length [lengthBytes]byte
	write := func(n int) {
		binary.BigEndian.PutUint32(length[:], uint32(n))
		h.Write(length[:])
	}
	write(len(results))
	for _, r := range results {
		write(len(r))
		h.Write(r)
	}
	h.Sum(d[:0])
	return d
}

// WholeReplier is the replica, of n, that sends the whole results of the request with this content digest. Requests fall
// on all replicas alike.
func WholeReplier(request Digest, n int) ReplicaID {
	return ReplicaID(binary.BigEndian.Uint64(request[:]) % uint64(n))
}

// Digest is the digest of the results, whether they are there or not.
func (m *Reply) Digest() Digest {
	if m.ResultDigest != nil {
		return *m.ResultDigest
	}
	return DigestResults(m.Results)
}

// Busy reports whether the outcome is only the advice to try again, which says nothing about the request.
func (o Outcome) Busy() bool { return o == OutcomeBusy }

// Shorten puts the digest in place of results that are long enough to be worth it.
func (m *Reply) Shorten() {
	if m.ResultDigest == nil && m.resultBytes() > wholeResultBytes {
		m.ResultDigest, m.Results = new(m.Digest()), nil
	}
}

// resultBytes is the encoded size of the results.
func (m *Reply) resultBytes() int { return sizeOf(m.Results) }

// sizeOf is the encoded size of the elements of a list of byte strings.
func sizeOf(list [][]byte) (size int) {
	for _, r := range list {
		size += lengthBytes + len(r)
	}
	return size
}
