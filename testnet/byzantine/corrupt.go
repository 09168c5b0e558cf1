package byzantine

import "tagma/pbft"

// corrupt sends what does not hold: bad signatures (S2), digests of nothing (§4.2), wrong answers (C4).
var corrupt = Behaviour{
	Name:    "corrupt",
	Model:   Byzantine,
	Bound:   "as primary at most one view change; as a backup none; throughput ≥ 90 %",
	Summary: "flips bits in what it sends: in signatures, in the digests it votes for, or in its replies to clients",
	Parameters: []Parameter{
		{"what", "signature", "signature: of every signed message; digest: of its votes and proposals, well signed; reply: results and view"},
		{"from_seq", "0", "it begins when it first speaks of this sequence number"},
	},
	build: newCorrupter,
}

type corrupter struct {
	honest
	onset
	seat
	what string
}

func newCorrupter(v values, at seat) (Core, error) {
	c := &corrupter{seat: at}
	var err error
	if c.what, err = v.oneOf("what", "signature", "digest", "reply"); err != nil {
		return nil, err
	}
	if c.from, err = v.seq("from_seq"); err != nil {
		return nil, err
	}
	return at.speaks(c), nil
}

func (c *corrupter) twists(m pbft.Message) bool {
	return c.reached(seqOf(m)) && c.spoil(m) != nil
}

func (c *corrupter) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	return []pbft.Effect{pbft.Send{To: to, Msg: c.spoil(m)}}
}

// spoil returns a spoiled copy of a message, nil if there is nothing in it to spoil.
func (c *corrupter) spoil(m pbft.Message) pbft.Message {
	switch c.what {
	case "signature":
		return withSignature(m, func(s pbft.Signature) pbft.Signature { s[0] ^= 0x01; return s })
	case "digest":
		// Only what it says itself: with others' signatures it would be the first case again.
		if !c.mine(m) {
			return nil
		}
		bad := withDigest(m, func(d pbft.Digest) pbft.Digest { d[0] ^= 0x01; return d })
		if bad != nil {
			pbft.Sign(c.cfg, bad, c.sign)
		}
		return bad
	default:
		return nil
	}
}

// answer spoils the results, and the hint where the primary is. Of a reply without results nothing else is believed
// either: it says that it has one.
func (c *corrupter) answer(r *pbft.Reply) []pbft.Effect {
	if !c.reached(r.Seq) || c.what != "reply" {
		return c.honest.answer(r)
	}
	lie := *r
	lie.View++
	if r.ResultDigest != nil { // the digest stands for the results
		digest := *r.ResultDigest
		digest[0] ^= 0x01
		lie.ResultDigest = &digest
		return c.honest.answer(&lie)
	}
	lie.Results = make([][]byte, max(1, len(r.Results)))
	for i := range r.Results {
		lie.Results[i] = append([]byte(nil), r.Results[i]...)
		if last := len(lie.Results[i]) - 1; last >= 0 {
			lie.Results[i][last] ^= 0x01
		} else {
			lie.Results[i] = []byte{0x01}
		}
	}
	return c.honest.answer(&lie)
}
