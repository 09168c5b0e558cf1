package driver

import (
	"fmt"
	"slices"
	"testing"

	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// A listener gets the steps of a slot through the protocol, in order, with the votes that caused them. When a primary is
// cut off, it gets the expired timers and the replicas that suspected the primary.
func TestTrace_TellsOfSlotsAndViewChanges(t *testing.T) {
	l := newLab(t, 4000)
	slots := map[string][]string{} // by replica and sequence number
	var views []trace.View
	counts := map[string]int{}
	l.trace = func(e trace.Event) {
		at := trace.Of(e)
		if at.Event != e.Kind() || at.At != l.now.Microseconds() || at.Replica < 0 || at.Replica > 3 {
			t.Errorf("a %s is stamped %+v", e.Kind(), at)
		}
		counts[e.Kind()]++
		slot := func(seq wire.Seq, what string) {
			key := fmt.Sprintf("r%d s%d", at.Replica, seq)
			slots[key] = append(slots[key], what)
		}
		switch e := e.(type) {
		case *trace.Phase:
			if e.Phase != trace.PrePrepared && (e.Votes != 3 || e.Quorum != 3) {
				t.Errorf("%s with %d votes of %d", e.Phase, e.Votes, e.Quorum)
			}
			slot(e.Seq, e.Phase)
		case *trace.Executed:
			slot(e.Seq, "executed")
		case *trace.View:
			views = append(views, *e)
		}
	}
	l.story()

	want := []string{trace.PrePrepared, trace.Prepared, trace.Committed, "executed"}
	for id := range 4 {
		if got := slots[fmt.Sprintf("r%d s1", id)]; !slices.Equal(got, want) {
			t.Errorf("replica %d went through %v with slot 1", id, got)
		}
	}
	suspected := slices.IndexFunc(views, func(v trace.View) bool { return v.Step == trace.Suspected })
	asked := slices.IndexFunc(views, func(v trace.View) bool { return v.Step == trace.AskedFor })
	entered := slices.IndexFunc(views, func(v trace.View) bool { return v.Step == trace.Entered })
	if suspected < 0 || asked < suspected || entered < asked {
		t.Fatalf("the steps of the view change are %+v", views)
	}
	if v := views[suspected]; v.View != 0 || v.Cause != trace.Timer {
		t.Errorf("the first suspicion is %+v", v)
	}
	if v := views[asked]; v.View != 1 || v.Cause != "suspect" || len(v.Suspects) != 2 {
		t.Errorf("the first one to ask for a view is %+v", v)
	}
	for _, kind := range []string{"received", "dropped", "synced", "checkpoint"} {
		if counts[kind] == 0 {
			t.Errorf("nothing was told of what is %s", kind)
		}
	}
}

// steady is a core that returns the same effects for every event.
type steady struct{ effects []port.Effect }

func (s steady) Step(port.Event) []port.Effect { return s.effects }
func (s steady) Anchor() []wire.Record         { return nil }

// turner returns a function that performs a turn in which one vote arrives, as in most turns.
func turner(observers ...Observer) func() error {
	vote := &wire.Prepare{View: 1, Seq: 2, Replica: 2}
	events := []port.Event{port.Received{From: port.Source{Replica: 2}, Msg: wire.Own(vote)}, port.Tick{}}
	core := steady{[]port.Effect{port.Dropped{Msg: vote, Why: port.ReasonDuplicate}}}
	s := &script{}
	d := New(configOf(1, 4), core, Ports{Journal: s, Signer: s, Transport: s, Machine: s, Observers: observers})
	return func() error { return d.Turn(events) }
}

func TestTrace_CostsNothingWhereNobodyListens(t *testing.T) {
	heard := 0
	tap := trace.NewTap(1, 3, func() int64 { return 0 }, nil)
	turn := turner(Ignore{}, tap)
	if n := testing.AllocsPerRun(100, func() { _ = turn() }); n > 0 {
		t.Errorf("a turn of which nobody hears allocates %v times", n)
	}
	stop := tap.Listen(func(trace.Event) { heard++ })
	if err := turn(); err != nil || heard == 0 {
		t.Errorf("whoever begins to listen hears %d events, %v", heard, err)
	}
	stop()
	heard = 0
	if n := testing.AllocsPerRun(100, func() { _ = turn() }); n > 0 || heard > 0 {
		t.Errorf("a turn of which nobody hears any more allocates %v times; heard %d", n, heard)
	}
}

// BenchmarkTurn compares a turn without listeners with one whose events are made and thrown away.
func BenchmarkTurn(b *testing.B) {
	run := func(observers ...Observer) func(b *testing.B) {
		return func(b *testing.B) {
			turn := turner(observers...)
			b.ReportAllocs()
			for range b.N {
				if err := turn(); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("unheard", run(Ignore{}))
	b.Run("tapped", run(Ignore{}, trace.NewTap(1, 3, func() int64 { return 0 }, nil)))
	b.Run("heard", run(trace.NewTap(1, 3, func() int64 { return 0 }, func(trace.Event) {})))
}
