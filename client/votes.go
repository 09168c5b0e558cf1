package client

import (
	"crypto/sha256"
	"encoding/binary"

	"tagma/pbft"
)

// verdict is what replicas must agree on to be believed: all of a reply but its view, which is a hint, and its request,
// which is compared on arrival. Results are kept as a hash, so that a liar's large replies cost no memory.
type verdict struct {
	outcome pbft.Outcome
	seq     pbft.Seq
	results [sha256.Size]byte
}

func judge(m *pbft.Reply) verdict {
	h := sha256.New()
	var length [8]byte
	for _, r := range m.Results {
		binary.BigEndian.PutUint64(length[:], uint64(len(r)))
		h.Write(length[:])
		h.Write(r)
	}
	v := verdict{outcome: m.Outcome, seq: m.Seq}
	h.Sum(v.results[:0])
	return v
}

// votes holds the last word of each replica on one request. No replica counts twice, however often it speaks (C4).
type votes []verdict // by replica; outcome 0: silent so far

// cast records a replica's word, in place of its earlier one, and returns how many replicas now say the same.
func (vs votes) cast(from int, v verdict) (agreeing int) {
	vs[from] = v
	for _, other := range vs {
		if other == v {
			agreeing++
		}
	}
	return agreeing
}

// busy counts the replicas whose last word is that they are overloaded.
func (vs votes) busy() (n int) {
	for _, v := range vs {
		if v.outcome == pbft.OutcomeBusy {
			n++
		}
	}
	return n
}
