package check

import (
	"testing"

	"tagma/pbft/wire"
)

func results(j *Monitor) map[string]Result {
	byID := map[string]Result{}
	for _, r := range j.Results() {
		byID[r.ID] = r
	}
	return byID
}

func read(journals ...[]wire.Record) *Monitor {
	j := NewMonitor(&wire.Config{Cluster: wire.Digest{1}, Members: make([]wire.PublicKey, 4)}, everybody, nil)
	for i, records := range journals {
		j.Read(wire.ReplicaID(i), records)
	}
	return j
}

func commits(seq wire.Seq, d byte) wire.CommitCert {
	return wire.CommitCert{Seq: seq, Digest: wire.Digest{d}}
}

func sentPrepare(view wire.View, seq wire.Seq, d byte) wire.Record {
	return &wire.Sent{Msg: &wire.Prepare{View: view, Seq: seq, Digest: wire.Digest{d}}}
}

func sentViewChange(view wire.View) wire.Record {
	return &wire.Sent{Msg: &wire.ViewChange{View: view}}
}

func TestI1_OneDigestASequenceNumber(t *testing.T) {
	mustHold(t, results(read(
		[]wire.Record{&wire.Committed{Cert: commits(1, 7)}},
		[]wire.Record{&wire.Certified{Cert: commits(1, 7)}, &wire.Committed{Cert: commits(2, 8)}},
	))["I1"], 3)
	mustFail(t, results(read(
		[]wire.Record{&wire.Committed{Cert: commits(1, 7)}},
		[]wire.Record{&wire.Certified{Cert: commits(1, 8)}},
	))["I1"])
}

func TestI1_IsRememberedWhenTheJournalForgets(t *testing.T) {
	j := read([]wire.Record{&wire.Committed{Cert: commits(1, 7)}})
	j.Read(0, []wire.Record{&wire.Committed{Cert: commits(2, 7)}})
	j.Read(1, []wire.Record{&wire.Committed{Cert: commits(1, 9)}})
	mustFail(t, results(j)["I1"])
}

func TestI2_NoTwoVotesContradict(t *testing.T) {
	mustHold(t, results(read([]wire.Record{
		sentPrepare(0, 1, 7), sentPrepare(0, 1, 7), sentPrepare(1, 1, 8), sentPrepare(0, 2, 9),
	}))["I2"], 3)
	mustFail(t, results(read([]wire.Record{sentPrepare(0, 1, 7), sentPrepare(0, 1, 8)}))["I2"])
	mustFail(t, results(read([]wire.Record{
		&wire.Sent{Msg: &wire.Checkpoint{Seq: 4, Digest: wire.Digest{1}}},
		&wire.Sent{Msg: &wire.Checkpoint{Seq: 4, Digest: wire.Digest{2}}},
	}))["I2"])
	mustFail(t, results(read([]wire.Record{
		sentViewChange(1), &wire.Sent{Msg: &wire.ViewChange{View: 1, Stable: wire.StableCert{Seq: 4}}},
	}))["I2"])
}

func TestI2_NoVoteInAViewThatWasLeft(t *testing.T) {
	honest := []wire.Record{
		&wire.Head{}, sentPrepare(0, 1, 7), sentViewChange(1), &wire.Activated{NewView: &wire.NewView{View: 1}},
		&wire.Head{View: 1, Active: true}, sentPrepare(0, 1, 7), sentPrepare(1, 1, 7), // an anchor repeats the first one
	}
	mustHold(t, results(read(honest))["I2"], 3)
	mustFail(t, results(read(append(honest, sentPrepare(0, 2, 7))))["I2"])
	mustFail(t, results(read([]wire.Record{&wire.Head{}, sentViewChange(1), sentPrepare(0, 2, 7)}))["I2"])

	j := read(honest)
	j.Read(0, append(honest, sentPrepare(0, 3, 7)))
	mustFail(t, results(j)["I2"])
}

func TestI2_VotesOfUnknownAgeInAnAnchorPass(t *testing.T) {
	anchored := []wire.Record{&wire.Head{View: 1}, sentViewChange(1), sentPrepare(0, 5, 7)}
	mustHold(t, results(read(anchored))["I2"], 2)
	j := read([]wire.Record{&wire.Head{}, sentViewChange(1)})
	j.Read(0, anchored) // the older segments were deleted before they were read
	mustHold(t, results(j)["I2"], 2)
	mustFail(t, results(read(append(anchored, &wire.Head{View: 1}, sentPrepare(0, 6, 7))))["I2"])
}

func TestI5_OneStateACheckpoint(t *testing.T) {
	sent := &wire.Sent{Msg: &wire.Checkpoint{Seq: 4, Digest: wire.Digest{1}}}
	mustHold(t, results(read(
		[]wire.Record{sent, &wire.Stable{Cert: wire.StableCert{Seq: 4, Digest: wire.Digest{1}}}},
		[]wire.Record{&wire.Stable{Cert: wire.StableCert{Seq: 8, Digest: wire.Digest{2}}}},
	))["I5"], 2) // one fact for each replica and sequence number
	mustFail(t, results(read(
		[]wire.Record{sent},
		[]wire.Record{&wire.Stable{Cert: wire.StableCert{Seq: 4, Digest: wire.Digest{2}}}},
	))["I5"])
}

func TestViews_CountsEachActiveViewOnce(t *testing.T) {
	entered := &wire.Activated{NewView: &wire.NewView{View: 1}}
	j := read([]wire.Record{entered, entered}, []wire.Record{&wire.Sent{Msg: &wire.NewView{View: 1}}})
	if got := j.Views(); len(got) != 1 || got[0] != 1 {
		t.Errorf("views %v became active, not just view 1", got)
	}
}
