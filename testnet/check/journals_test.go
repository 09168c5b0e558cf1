package check

import (
	"testing"

	"tagma/pbft"
)

func results(j *Journals) map[string]Result {
	byID := map[string]Result{}
	for _, r := range j.Results() {
		byID[r.ID] = r
	}
	return byID
}

func read(journals ...[]pbft.Record) *Journals {
	j := NewJournals(&pbft.Config{Cluster: pbft.Digest{1}, Members: make([]pbft.PublicKey, 4)})
	for i, records := range journals {
		j.Read(pbft.ReplicaID(i), records)
	}
	return j
}

func commits(seq pbft.Seq, d byte) pbft.CommitCert {
	return pbft.CommitCert{Seq: seq, Digest: pbft.Digest{d}}
}

func sentPrepare(view pbft.View, seq pbft.Seq, d byte) pbft.Record {
	return &pbft.Sent{Msg: &pbft.Prepare{View: view, Seq: seq, Digest: pbft.Digest{d}}}
}

func sentViewChange(view pbft.View) pbft.Record {
	return &pbft.Sent{Msg: &pbft.ViewChange{View: view}}
}

func TestI1_OneDigestASequenceNumber(t *testing.T) {
	mustHold(t, results(read(
		[]pbft.Record{&pbft.Committed{Cert: commits(1, 7)}},
		[]pbft.Record{&pbft.Certified{Cert: commits(1, 7)}, &pbft.Committed{Cert: commits(2, 8)}},
	))["I1"], 3)
	mustFail(t, results(read(
		[]pbft.Record{&pbft.Committed{Cert: commits(1, 7)}},
		[]pbft.Record{&pbft.Certified{Cert: commits(1, 8)}},
	))["I1"])
}

func TestI1_IsRememberedWhenTheJournalForgets(t *testing.T) {
	j := read([]pbft.Record{&pbft.Committed{Cert: commits(1, 7)}})
	j.Read(0, []pbft.Record{&pbft.Committed{Cert: commits(2, 7)}})
	j.Read(1, []pbft.Record{&pbft.Committed{Cert: commits(1, 9)}})
	mustFail(t, results(j)["I1"])
}

func TestI2_NoTwoVotesContradict(t *testing.T) {
	mustHold(t, results(read([]pbft.Record{
		sentPrepare(0, 1, 7), sentPrepare(0, 1, 7), sentPrepare(1, 1, 8), sentPrepare(0, 2, 9),
	}))["I2"], 3)
	mustFail(t, results(read([]pbft.Record{sentPrepare(0, 1, 7), sentPrepare(0, 1, 8)}))["I2"])
	mustFail(t, results(read([]pbft.Record{
		&pbft.Sent{Msg: &pbft.Checkpoint{Seq: 4, Digest: pbft.Digest{1}}},
		&pbft.Sent{Msg: &pbft.Checkpoint{Seq: 4, Digest: pbft.Digest{2}}},
	}))["I2"])
	mustFail(t, results(read([]pbft.Record{
		sentViewChange(1), &pbft.Sent{Msg: &pbft.ViewChange{View: 1, Stable: pbft.StableCert{Seq: 4}}},
	}))["I2"])
}

func TestI2_NoVoteInAViewThatWasLeft(t *testing.T) {
	honest := []pbft.Record{
		&pbft.Head{}, sentPrepare(0, 1, 7), sentViewChange(1), &pbft.Activated{NewView: &pbft.NewView{View: 1}},
		&pbft.Head{View: 1, Active: true}, sentPrepare(0, 1, 7), sentPrepare(1, 1, 7), // an anchor repeats the first one
	}
	mustHold(t, results(read(honest))["I2"], 3)
	mustFail(t, results(read(append(honest, sentPrepare(0, 2, 7))))["I2"])
	mustFail(t, results(read([]pbft.Record{&pbft.Head{}, sentViewChange(1), sentPrepare(0, 2, 7)}))["I2"])

	j := read(honest)
	j.Read(0, append(honest, sentPrepare(0, 3, 7)))
	mustFail(t, results(j)["I2"])
}

func TestI2_VotesOfUnknownAgeInAnAnchorPass(t *testing.T) {
	anchored := []pbft.Record{&pbft.Head{View: 1}, sentViewChange(1), sentPrepare(0, 5, 7)}
	mustHold(t, results(read(anchored))["I2"], 2)
	j := read([]pbft.Record{&pbft.Head{}, sentViewChange(1)})
	j.Read(0, anchored) // older segments are gone by now, and what they held was never read
	mustHold(t, results(j)["I2"], 2)
	mustFail(t, results(read(append(anchored, &pbft.Head{View: 1}, sentPrepare(0, 6, 7))))["I2"])
}

func TestI5_OneStateACheckpoint(t *testing.T) {
	sent := &pbft.Sent{Msg: &pbft.Checkpoint{Seq: 4, Digest: pbft.Digest{1}}}
	mustHold(t, results(read(
		[]pbft.Record{sent, &pbft.Stable{Cert: pbft.StableCert{Seq: 4, Digest: pbft.Digest{1}}}},
		[]pbft.Record{&pbft.Stable{Cert: pbft.StableCert{Seq: 8, Digest: pbft.Digest{2}}}},
	))["I5"], 2) // one fact a replica and sequence number
	mustFail(t, results(read(
		[]pbft.Record{sent},
		[]pbft.Record{&pbft.Stable{Cert: pbft.StableCert{Seq: 4, Digest: pbft.Digest{2}}}},
	))["I5"])
}

func TestViews_CountsEachActiveViewOnce(t *testing.T) {
	entered := &pbft.Activated{NewView: &pbft.NewView{View: 1}}
	j := read([]pbft.Record{entered, entered}, []pbft.Record{&pbft.Sent{Msg: &pbft.NewView{View: 1}}})
	if got := j.Views(); len(got) != 1 || got[0] != 1 {
		t.Errorf("views %v became active, not just view 1", got)
	}
}
