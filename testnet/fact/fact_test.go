package fact

import (
	"testing"

	"tagma/internal/trace"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// told returns the events that a tap of replica 2 emits while do runs.
func told(do func(*trace.Tap)) (all []trace.Event) {
	do(trace.NewTap(2, 3, func() int64 { return 0 }, func(e trace.Event) { all = append(all, e) }))
	return all
}

func TestFact_IsRecognisedInWhatAReplicaTells(t *testing.T) {
	stepped := func(ev port.Event, effects ...port.Effect) func(*trace.Tap) {
		return func(tap *trace.Tap) { driver.Tell(tap, ev, effects) }
	}
	executed := stepped(port.Executed{Seq: 5})
	sent := func(m wire.Message) func(*trace.Tap) {
		return func(tap *trace.Tap) { tap.Emit(&trace.Sent{To: 1, Message: trace.Say(m)}) }
	}
	for _, c := range []struct {
		fact string
		does func(*trace.Tap)
		is   bool
	}{
		{"replica 2 executed 5", executed, true},
		{"any replica executed", executed, true},
		{"replica 2 executed 3", executed, true}, // a transfer may skip sequence number 3, so this counts, too
		{"replica 2 executed 6", executed, false},
		{"replica 1 executed 5", executed, false},
		{"replica 2 sent view-change", sent(&wire.ViewChange{View: 1}), true},
		{"replica 2 sent view-change 1", sent(&wire.ViewChange{View: 1}), true},
		{"replica 2 sent view-change 2", sent(&wire.ViewChange{View: 1}), false},
		{"replica 2 sent commit 7", sent(&wire.Commit{View: 1, Seq: 7}), true},
		{"replica 2 sent commit 1", sent(&wire.Commit{View: 1, Seq: 7}), false},
		{"replica 2 sent prepare", sent(&wire.Commit{View: 1, Seq: 7}), false},
		{"replica 2 entered 3", stepped(port.Tick{}, port.Entered{View: 4}), true},
		{"replica 2 suspected 0", stepped(port.Tick{}, port.Broadcast{Msg: &wire.Suspect{}}), true},
		{"replica 2 prepared 4", stepped(port.Tick{}, port.Persist{Record: &wire.Prepared{Cert: wire.PreparedCert{Seq: 4}}}), true},
		{"replica 2 prepared 3", stepped(port.Tick{}, port.Persist{Record: &wire.Prepared{Cert: wire.PreparedCert{Seq: 4}}}), false},
		{"replica 2 stabilized 10", stepped(port.Tick{}, port.Persist{Record: &wire.Stable{Cert: wire.StableCert{Seq: 10}}}), true},
		{"replica 2 checkpointed 10", stepped(port.Snapshotted{Seq: 10}), true},
	} {
		f, err := Parse(c.fact, 4)
		if err != nil {
			t.Fatal(err)
		}
		w := NewWatch([]Fact{f})
		for _, e := range told(c.does) {
			w.Hear(e)
		}
		if w.Happened(f) != c.is {
			t.Errorf("%s: %t, in %v", c.fact, !c.is, w.Seen())
		}
	}
}

// A scenario that waits for no fact needs no watch.
func TestWatch_OfNothingIsNil(t *testing.T) {
	w := NewWatch(nil)
	if w.Hear(nil); w != nil || w.Seen() != nil || w.Happened(Fact{}) {
		t.Error("it has seen something")
	}
}
