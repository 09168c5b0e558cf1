package replica

import (
	"testing"

	"tagma/pbft/wire"
)

// A certificate has exactly the signers that a script names, in that order. Signatures are invalid where the script says
// so.
func TestScript_NamesTheSignersOfACertificate(t *testing.T) {
	s := &Script{liar: liar{cfg: &wire.Config{}}}
	have := []wire.Endorsement{{Replica: 1, Sig: wire.Signature{1}}, {Replica: 2, Sig: wire.Signature{2}}}
	mine := wire.Endorsement{Sig: wire.Signature{9}}
	votes, err := s.exactly(have, mine, &Template{Signers: []wire.ReplicaID{1, 1, 0, 2}, Bad: []wire.ReplicaID{2}})
	want := []wire.Endorsement{have[0], have[0], mine, {Replica: 2, Sig: wire.Signature{3}}}
	if err != nil || len(votes) != 4 {
		t.Fatalf("%v, %v", votes, err)
	}
	for i := range want {
		if votes[i] != want[i] {
			t.Errorf("vote %d is %+v, and not %+v", i, votes[i], want[i])
		}
	}
	if have[1].Sig[0] != 2 {
		t.Error("what was recorded was changed")
	}
	if _, err := s.exactly(have, mine, &Template{Signers: []wire.ReplicaID{3}}); err == nil {
		t.Error("a vote that nobody gave was found")
	}
}
