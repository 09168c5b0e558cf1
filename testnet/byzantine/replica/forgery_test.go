package replica

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

func TestS3_ForgedCertificatesAreAllRefused(t *testing.T) {
	for _, how := range []string{"repeated", "mixed", "old-view", "all"} {
		t.Run(how, func(t *testing.T) {
			tr := begin(t, 3, "forged-certificates,how="+how)
			ids := tr.load(20, 100*time.Millisecond)
			for _, kind := range []wire.Type{wire.TypeCertifiedBody, wire.TypeStableNotice, wire.TypeViewChange} {
				forged, refused := 0, 0
				for _, p := range tr.bad {
					if wire.TypeOf(p.msg) == kind {
						refused++
					}
				}
				for _, p := range tr.sent { // apart from its lies the liar is honest, so it also sends valid certificates
					if c, ok := p.msg.(*wire.CertifiedBody); p.from == 3 && wire.TypeOf(p.msg) == kind && !(ok && !c.Body.IsNull()) {
						forged++
					}
				}
				if stable := kind == wire.TypeStableNotice; forged == 0 && !(stable && how == "old-view") || refused < forged && !stable {
					t.Errorf("of %d forged %ss %d were refused", forged, kind, refused)
				} else if stable && how != "old-view" && refused == 0 {
					t.Error("no forged stable certificate was refused")
				}
			}
			tr.mustMask(ids...)
			tr.mustAnswer(ids...)
			tr.mustEnter()
			tr.mustConvict()
		})
	}
}

func TestReplay_ChangesNoState(t *testing.T) {
	for _, what := range []string{"all", "recorded", "streams", "cluster"} {
		t.Run(what, func(t *testing.T) {
			quiet := begin(t, 3, "send-omission,types=request")
			tr := begin(t, 3, "replay,what="+what)
			for _, run := range []*trial{quiet, tr} {
				ids := run.load(12, 100*time.Millisecond)
				run.mustMask(ids...)
				run.mustAnswer(ids...)
				run.mustEnter()
				run.mustConvict()
			}
			if tr.nodes[0].root != quiet.nodes[0].root {
				t.Error("the state is another one than without it")
			}
			if what == "recorded" && (tr.drops(port.ReasonNotSender) == 0 || len(tr.bad) != 0) {
				t.Errorf("recorded votes: %d dropped, %d refused", tr.drops(port.ReasonNotSender), len(tr.bad))
			}
			if what == "streams" && tr.drops(port.ReasonUnexpected) == 0 {
				t.Error("no message of another stream was dropped")
			}
			if what == "cluster" && len(tr.bad) == 0 {
				t.Error("no vote for another cluster was refused")
			}
		})
	}
}

// After a view change all messages of the earlier view are old, including the proposals and votes of the former primary.
func TestReplay_OfOldViewsIsDropped(t *testing.T) {
	tr := begin(t, 3, "replay,what=recorded,rate=20")
	ids := tr.load(3, 50*time.Millisecond)
	tr.cut[0] = true
	ids = append(ids, tr.submit(4))
	tr.depose(0, ids[3])
	tr.pass(time.Second)
	if tr.drops(port.ReasonOldView) == 0 {
		t.Error("nothing of an old view was dropped")
	}
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

func TestK1_LyingCheckpointsMakeNothingStable(t *testing.T) {
	for _, how := range []string{"wrong", "only", "two", "far"} {
		t.Run(how, func(t *testing.T) {
			const liar = 1 // no checkpoint is stable before replica 2 votes, so the others compare both digests
			tr := begin(t, liar, "lying-checkpoint,how="+how)
			ids := tr.load(13, 100*time.Millisecond)
			lies := 0
			for _, p := range tr.sent {
				if m, ok := p.msg.(*wire.Checkpoint); ok && p.from == liar && (m.Seq > 1000 || m.Digest != checkpointOf(tr, m.Seq)) {
					lies++
				}
			}
			if lies == 0 {
				t.Error("every checkpoint was true")
			}
			tr.mustMask(ids...)
			tr.mustEnter()
			for i := range 4 {
				if in := tr.nodes[i].replica.Inspect(); in.Stable != 12 || in.Diverged {
					t.Errorf("replica %d: stable at %d, diverged %v", i, in.Stable, in.Diverged)
				}
			}
			if how == "two" {
				tr.mustConvict(liar)
			} else {
				tr.mustConvict()
			}
			if far := tr.drops(port.ReasonAboveWindow); (how == "far") != (far > 0) {
				t.Errorf("%d checkpoints above the window", far)
			}
		})
	}
}

// checkpointOf returns the digest that replica 0 announced for the state after a sequence number.
func checkpointOf(tr *trial, seq wire.Seq) wire.Digest {
	for _, p := range tr.sent {
		if m, ok := p.msg.(*wire.Checkpoint); ok && p.from == 0 && m.Seq == seq {
			return m.Digest
		}
	}
	return wire.Digest{}
}

// Replicas answer a Status with what its sender lacks. The liar often asks every replica for everything, and gets a
// bounded amount.
func TestLyingStatus_BringsNobodyToMoreThanABoundedAnswer(t *testing.T) {
	for how, why := range map[string]port.Reason{"lacks": port.ReasonTooOften, "ahead": port.ReasonTooOften} {
		t.Run(how, func(t *testing.T) {
			honest := begin(t, 3, "lying-reply")
			tr := begin(t, 3, "lying-status,how="+how)
			var toLiar [2]int
			for i, run := range []*trial{honest, tr} {
				ids := run.load(20, 100*time.Millisecond)
				run.mustMask(ids...)
				run.mustAnswer(ids...)
				run.mustEnter()
				run.mustConvict()
				for _, p := range run.sent {
					if p.to == 3 {
						toLiar[i]++
					}
				}
			}
			if tr.drops(why) == 0 {
				t.Error("it was never told that it asks too often")
			}
			// In a timeout each of three replicas gives 16 answers. Each answer has a window of slots, with a few
			// messages for each slot.
			if most := toLiar[0] + 3*16*2*(3*8*3+8); toLiar[1] > most {
				t.Errorf("it was sent %d messages, more than %d; an honest one was sent %d", toLiar[1], most, toLiar[0])
			}
		})
	}
}
