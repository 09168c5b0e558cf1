package replica

import (
	"testing"

	"tagma/pbft/wire"
)

// If a reply has the digest of the results instead of the results, the digest is changed.
func TestCorrupt_ADigestReplyIsSpoiledToo(t *testing.T) {
	digest := wire.DigestResults([][]byte{[]byte("true")})
	truth := &wire.Reply{Outcome: wire.OutcomeExecuted, Seq: 1, ResultDigest: &digest}
	liar := &corrupter{What: "reply"}
	lie := liar.spoiled(truth).(*wire.Reply)
	if lie.ResultDigest == nil || *lie.ResultDigest == digest {
		t.Fatalf("the digest is the true one: %+v", lie)
	}
	if *truth.ResultDigest != digest || truth.View != 0 {
		t.Fatal("the honest half's own reply was changed")
	}
}
