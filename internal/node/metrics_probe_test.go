package node

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// script is a core that returns the next effects of a list for each event.
type script struct {
	driver.Core
	next []port.Effect
}

func (s *script) Step(port.Event) []port.Effect { return s.next }

// observed is the content of the probe's histograms and counters, as counts by name and labels.
func observed(t *testing.T, m *metrics) map[string]float64 {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, f := range families {
		for _, one := range f.GetMetric() {
			name := f.GetName()
			for _, l := range one.GetLabel() {
				name += " " + l.GetValue()
			}
			if h := one.GetHistogram(); h != nil {
				out[name], out[name+" sum"] = float64(h.GetSampleCount()), h.GetSampleSum()
			} else if c := one.GetCounter(); c != nil {
				out[name] = c.GetValue()
			}
		}
	}
	return out
}

// trial is a probe around a script, in the virtual time of synctest.
type trial struct {
	*probe
	core *script
}

func newTrial() trial {
	core := &script{}
	return trial{newProbe(&wire.Config{LogWindow: 8}, core, newMetrics()), core}
}

// after lets time pass, and then gives the core an event.
func (tr trial) after(d time.Duration, ev port.Event, effects ...port.Effect) {
	<-time.After(d)
	tr.core.next = effects
	tr.Step(ev)
	driver.Tell(tr.probe, ev, effects)
	driver.Tell(tr.metrics, ev, effects)
}

func (tr trial) reply(d time.Duration, seq wire.Seq) {
	<-time.After(d)
	tr.responded(&wire.Reply{Seq: seq})
}

func prePrepare(seq wire.Seq) port.Effect {
	return port.Persist{Record: &wire.Accepted{PrePrepare: &wire.PrePrepare{Seq: seq}}}
}

func certificate(seq wire.Seq) port.Effect {
	return port.Persist{Record: &wire.Prepared{Cert: wire.PreparedCert{Seq: seq}}}
}

func execution(seq wire.Seq, requests ...*wire.Request) port.Effect {
	return port.Execute{Seq: seq, Body: &wire.Body{Requests: requests}}
}

func TestProbe_TimesEachPhaseOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial()
		for _, first := range []port.Effect{prePrepare(1), port.Broadcast{Msg: &wire.PrePrepare{Seq: 2}}} {
			seq := wire.Seq(1)
			if _, own := first.(port.Broadcast); own {
				seq = 2
			}
			tr.after(0, port.Tick{}, first)
			tr.after(time.Second, port.Tick{}, certificate(seq), certificate(seq))
			tr.after(2*time.Second, port.Tick{}, execution(seq, &wire.Request{Ops: make([][]byte, 3)}, &wire.Request{Ops: make([][]byte, 1)}))
			tr.after(3*time.Second, port.Executed{Seq: seq})
			tr.reply(4*time.Second, seq)
			tr.reply(time.Second, seq) // another one of the batch
		}
		want(t, tr.metrics, map[string]float64{
			"tagma_phase_seconds prepare": 2, "tagma_phase_seconds prepare sum": 2,
			"tagma_phase_seconds commit": 2, "tagma_phase_seconds commit sum": 4,
			"tagma_phase_seconds execute": 2, "tagma_phase_seconds execute sum": 6,
			"tagma_phase_seconds reply": 2, "tagma_phase_seconds reply sum": 8,
			"tagma_batch_seconds": 2, "tagma_batch_seconds sum": 20,
			"tagma_batch_requests": 2, "tagma_batch_requests sum": 4, "tagma_operations_total": 8, "tagma_replies_total": 4,
		})
	})
}

// N7: a batch that is executed because of its certificate was never prepared at this replica.
func TestProbe_CountsNoPhaseItDidNotSee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial()
		tr.after(0, port.Tick{}, execution(5))
		tr.after(time.Second, port.Executed{Seq: 5})
		tr.after(0, port.Tick{}, prePrepare(5)) // late
		tr.reply(time.Second, 5)
		tr.after(0, port.Tick{}, prePrepare(6), execution(6)) // not prepared
		tr.after(0, port.Tick{}, execution(6+16))             // this batch has the same place in the ring
		tr.reply(0, 6)                                        // a reply that is sent again much later
		tr.after(0, port.Executed{})                          // an answer without a batch
		want(t, tr.metrics, map[string]float64{
			"tagma_phase_seconds prepare": 0, "tagma_phase_seconds commit": 0, "tagma_phase_seconds execute": 1,
			"tagma_phase_seconds execute sum": 1, "tagma_phase_seconds reply": 1, "tagma_batch_seconds": 0,
		})
	})
}

func TestProbe_CountsDropsEvidenceAndBusyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial()
		tr.after(0, port.Tick{}, port.Dropped{Why: port.ReasonConflict}, port.Dropped{Why: "unheard of"}, port.Accuse{})
		tr.responded(&wire.Reply{Outcome: wire.OutcomeBusy})
		want(t, tr.metrics, map[string]float64{
			"tagma_dropped_total " + string(port.ReasonConflict): 1, "tagma_dropped_total other": 1,
			"tagma_dropped_total " + string(port.ReasonDuplicate): 0, "tagma_evidence_total": 1, "tagma_replies_total": 0,
		})
		if n := observed(t, tr.metrics)["tagma_busy_answers_total"]; n != 1 {
			t.Errorf("%v busy answers", n)
		}
	})
}

func TestProbe_StallsWhileTheCoreIsNotToldTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial()
		tr.after(time.Minute, port.Executed{Seq: 1})
		if s := tr.stalled(); s != time.Minute {
			t.Errorf("stalled for %v", s)
		}
		tr.after(0, port.Tick{})
		if s := tr.stalled(); s != 0 {
			t.Errorf("stalled for %v after a tick", s)
		}
	})
}

func want(t *testing.T, m *metrics, values map[string]float64) {
	t.Helper()
	got := observed(t, m)
	for name, v := range values {
		if has, there := got[name]; !there || fmt.Sprintf("%.6f", has) != fmt.Sprintf("%.6f", v) {
			t.Errorf("%s = %v (%t), want %v", name, has, there, v)
		}
	}
}

// BenchmarkProbe measures what the probe costs for one batch of 64 requests, from its pre-prepare to its replies.
func BenchmarkProbe(b *testing.B) {
	tr := newTrial()
	body := &wire.Body{}
	for range 64 {
		body.Requests = append(body.Requests, &wire.Request{Ops: make([][]byte, 1)})
	}
	b.ReportAllocs()
	for i := range b.N {
		seq := wire.Seq(i + 1)
		tr.reached(seq, proposed)
		tr.reached(seq, prepared)
		driver.Tell(tr.probe, port.Tick{}, []port.Effect{port.Execute{Seq: seq, Body: body}})
		tr.reached(seq, executed)
		for range 64 {
			tr.responded(&wire.Reply{Seq: seq})
		}
	}
}
