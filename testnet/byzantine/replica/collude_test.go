package replica

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/wire"
)

// Two of seven replicas work together. With their votes, the first batch commits at the replicas to which it was
// proposed. The other replicas must execute the same batch.
func TestI1_ConspiratorsCommitOneBatchAtMost(t *testing.T) {
	const choice = "collude,with=0+6,from_seq=3"
	tr := beginWith(t, 7, map[int]string{0: choice, 6: choice})
	ids := tr.load(2, 100*time.Millisecond)
	tr.mustMask(ids...)
	tr.mustEnter()
	ids = append(ids, tr.load(1, 50*time.Millisecond)...)

	for liar, kinds := range map[wire.ReplicaID][]wire.Type{
		0: {wire.TypePrePrepare, wire.TypeCommit}, 6: {wire.TypePrepare, wire.TypeCommit},
	} {
		for _, kind := range kinds {
			told := tr.lies(liar, kind, 0, 3)
			if len(told[1]) == 0 || len(told[5]) == 0 || told[1][0] == told[5][0] {
				t.Errorf("replica %d told replicas 1 and 5 the same %s: %v", liar, kind, told)
				continue
			}
			for _, to := range []wire.ReplicaID{1, 2, 3, 4, 5} {
				if slices.ContainsFunc(told[to], func(d wire.Digest) bool { return d != told[to][0] }) {
					t.Errorf("replica %d contradicted itself towards replica %d", liar, to)
				}
			}
		}
	}
	first := tr.lies(0, wire.TypePrePrepare, 0, 3)[1][0]
	if tr.nodes[1].executed[3] != first {
		t.Error("the first batch did not commit where it was told: the conspiracy is not at its worst")
	}
	ids = append(ids, tr.load(12, 300*time.Millisecond)...)
	tr.mustVerify()
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	tr.mustEnter(1)
	tr.mustConvict(0, 6)
	if tr.nodes[5].executed[3] != first {
		t.Error("I17: another batch was chosen for it")
	}
}

// If the primary is honest, a colluding replica behaves like an honest backup.
func TestCollude_AnAccompliceOfNobodyIsHonest(t *testing.T) {
	tr := beginWith(t, 7, map[int]string{6: "collude,with=0+6"})
	ids := tr.load(9, 200*time.Millisecond)
	tr.mustMask(ids...)
	tr.mustEnter()
	tr.mustConvict()
	if sent, _ := tr.from(wire.TypePrepare); sent == 0 {
		t.Error("it never voted")
	}
}

func TestCollude_AloneOfFourIsAnEquivocator(t *testing.T) {
	tr := begin(t, 0, "collude,with=0")
	ids := tr.load(9, 300*time.Millisecond)
	tr.mustVerify()
	tr.mustMask(ids...)
	tr.mustEnter(1)
	tr.mustConvict(0)
}
