package client

import (
	"slices"

	"tagma/pbft"
)

// verdict is what replicas must agree on to be believed: all of a reply but its view, which is a hint, and its request,
// which is compared on arrival. Results are kept as their digest, so that a liar's large replies cost no memory, and so
// that it does not matter who sends them whole (C5).
type verdict struct {
	outcome pbft.Outcome
	seq     pbft.Seq
	results pbft.Digest
}

func judge(m *pbft.Reply) verdict {
	v := verdict{outcome: m.Outcome, seq: m.Seq}
	if m.ResultDigest != nil {
		v.results = *m.ResultDigest
	} else {
		v.results = pbft.DigestResults(m.Results)
	}
	return v
}

// votes holds the last word of each replica on one request. No replica counts twice, however often it speaks (C4).
type votes []verdict // by replica; outcome 0: silent so far

// agreed is the final outcome that so many replicas give, if there is one.
func (vs votes) agreed(weak int) (verdict, bool) {
	for i, v := range vs {
		if v.outcome == 0 || v.outcome == pbft.OutcomeBusy || slices.Index(vs, v) < i {
			continue
		}
		count := 0
		for _, other := range vs {
			if other == v {
				count++
			}
		}
		if count >= weak {
			return v, true
		}
	}
	return verdict{}, false
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
