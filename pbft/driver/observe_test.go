package driver

import (
	"fmt"
	"slices"
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// callRecorder is an observer that records what it is told.
type callRecorder struct {
	Ignore
	lines []string
}

func (d *callRecorder) note(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *callRecorder) Proposing(s wire.Seq)               { d.note("proposes %d", s) }
func (d *callRecorder) Executing(s wire.Seq, rs, ops int)  { d.note("executes %d: %d %d", s, rs, ops) }
func (d *callRecorder) Suspected(v wire.View, why string)  { d.note("suspects %d: %s", v, why) }
func (d *callRecorder) Entered(v wire.View, why string)    { d.note("enters %d: %s", v, why) }
func (d *callRecorder) Split(s wire.Seq, as []wire.Digest) { d.note("split %d: %v", s, as) }
func (d *callRecorder) Forgot(s string, by wire.ReplicaID) { d.note("forgot %s: %d", s, by) }
func (d *callRecorder) Diverged(own wire.Digest, c wire.StableCert) {
	d.note("diverged %d: %v %v", c.Seq, own, c.Digest)
}

func TestTell_SaysInPlainFactsWhatAStepBrings(t *testing.T) {
	suspect := port.Received{Msg: wire.Own(&wire.Suspect{View: 3})}
	body := &wire.Body{Requests: []*wire.Request{{Ops: make([][]byte, 2)}, {Ops: make([][]byte, 3)}}}
	for _, c := range []struct {
		ev      port.Event
		effects []port.Effect
		want    []string
	}{
		{port.Tick{}, []port.Effect{port.Broadcast{Msg: &wire.Suspect{View: 3}}}, []string{"suspects 3: timer"}},
		{suspect, []port.Effect{port.Broadcast{Msg: &wire.Suspect{View: 3}}}, []string{"suspects 3: suspect"}},
		{suspect, []port.Effect{port.Entered{View: 4}, port.Accuse{}}, []string{"enters 4: evidence"}},
		{suspect, []port.Effect{port.Broadcast{Msg: &wire.PrePrepare{Seq: 5}}}, []string{"proposes 5"}},
		{suspect, []port.Effect{port.Execute{Seq: 5, Body: body}}, []string{"executes 5: 2 5"}},
		{suspect, []port.Effect{port.Split{Seq: 8, Votes: []wire.Checkpoint{
			{Replica: 0, Digest: wire.Digest{1}}, {Replica: 2, Digest: wire.Digest{2}},
		}}}, []string{"split 8: [01000000 00000000 02000000]"}},
		{suspect, []port.Effect{port.Forgot{
			Said: wire.Statement{Type: wire.TypeCommit, View: 1, Seq: 2, Digest: wire.Digest{3}}, Witness: 2,
		}}, []string{"forgot commit v1 s2 03000000: 2"}},
		{suspect, []port.Effect{port.Diverged{Own: wire.Digest{1}, Cert: wire.StableCert{Seq: 4, Digest: wire.Digest{2}}}}, []string{
			"diverged 4: 01000000 02000000",
		}},
	} {
		d := new(callRecorder)
		Tell(d, c.ev, c.effects)
		if !slices.Equal(d.lines, c.want) {
			t.Errorf("%+v tells %q, want %q", c.effects, d.lines, c.want)
		}
	}
}

// The guard's list of keys is bounded by the number of statements that it holds, however many it has forgotten.
func TestGuard_KeepsNoKeysOfWhatItForgot(t *testing.T) {
	cfg := configOf(1, 4)
	g := NewGuard(cfg, nil)
	for seq := wire.Seq(1); seq < 4000; seq++ {
		if err := g.Admit(cfg, &wire.Commit{View: 1, Seq: seq, Replica: 1}); err != nil {
			t.Fatal(err)
		}
		if seq > 8 {
			g.Forget(seq - 8)
		}
	}
	if n := len(g.order); n > 2*len(g.signed)+maxSpare {
		t.Errorf("%d keys are listed of %d", n, len(g.signed))
	}
	for _, seq := range g.tidied() {
		if seq < 3992 {
			t.Errorf("%d is kept", seq)
		}
	}
}
