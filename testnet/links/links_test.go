package links

import (
	"bytes"
	"math/bits"
	"reflect"
	"testing"
	"time"

	"tagma/pbft/wire"
)

func TestPass_TheZeroLinkDeliversAtOnce(t *testing.T) {
	f := commit(0, 1, 0, 1)
	if got := policy(4, Link{}).Pass(5*ms, f); !reflect.DeepEqual(got, []Delivery{{Frame: f}}) {
		t.Errorf("%+v", got)
	}
}

func TestPass_DelayAndJitterBoundArrival(t *testing.T) {
	p := policy(4, Link{Delay: 10 * ms, Jitter: 5 * ms})
	least, most := time.Hour, time.Duration(0)
	for i := range 500 {
		now := time.Duration(i) * time.Second
		d := p.Pass(now, commit(0, 1, 0, 1))
		least, most = min(least, d[0].After), max(most, d[0].After)
	}
	if least < 10*ms || most > 15*ms || most-least < 4*ms {
		t.Errorf("arrived after %v to %v, not 10ms to 15ms", least, most)
	}
}

func TestPass_ALinkIsFirstInFirstOutInSpiteOfJitter(t *testing.T) {
	p := policy(4, Link{Delay: ms, Jitter: 50 * ms})
	var last time.Duration
	for i := range 1000 {
		now := time.Duration(i) * ms
		at := now + p.Pass(now, commit(0, 1, 0, wire.Seq(i)))[0].After
		if at < last {
			t.Fatalf("frame %d arrives at %v, the one before at %v", i, at, last)
		}
		last = at
	}
}

func TestPass_OnlyWhatIsDrawnToReorderIsOvertaken(t *testing.T) {
	p := policy(4, Link{Delay: ms, Reorder: 0.1})
	overtaken, highest := 0, time.Duration(0)
	for i := range 1000 {
		now := time.Duration(i) * ms
		at := now + p.Pass(now, commit(0, 1, 0, wire.Seq(i)))[0].After
		if want := now + ms; at > want {
			overtaken++
			continue
		} else if at < highest {
			t.Fatalf("frame %d overtook one that was not held back", i)
		}
		highest = at
	}
	if overtaken < 60 || overtaken > 140 {
		t.Errorf("%d of 1000 frames were held back at a probability of 0.1", overtaken)
	}
	if got := p.Fired()[Network]; got != overtaken {
		t.Errorf("counted %d, saw %d", got, overtaken)
	}
}

func TestPass_LossAndDuplicatesComeAsOftenAsTheyShould(t *testing.T) {
	p := policy(4, Link{Loss: 0.3, Duplicate: 0.2})
	lost, twice := 0, 0
	for range 10_000 {
		switch len(p.Pass(0, commit(0, 1, 0, 1))) {
		case 0:
			lost++
		case 2:
			twice++
		}
	}
	if lost < 2800 || lost > 3200 || twice < 1250 || twice > 1550 {
		t.Errorf("of 10000 frames %d were lost and %d came twice; 3000 and 1400 were to be", lost, twice)
	}
	if got := p.Fired()[Network]; got != lost+twice {
		t.Errorf("counted %d frames, not %d", got, lost+twice)
	}
}

func TestPass_BandwidthMakesFramesWaitForEachOther(t *testing.T) {
	p := policy(4, Link{Bandwidth: 1000, Delay: ms})
	f := Frame{From: 0, To: 1, Bytes: make([]byte, 100)}
	for i, want := range []time.Duration{101 * ms, 201 * ms, 301 * ms} {
		if got := p.Pass(0, f)[0].After; got != want {
			t.Errorf("frame %d arrives after %v, not %v", i, got, want)
		}
	}
	if got := p.Pass(0, Frame{From: 0, To: 2, Bytes: make([]byte, 100)})[0].After; got != 101*ms {
		t.Errorf("another link had to wait too: %v", got)
	}
	if got := p.Pass(time.Second, f)[0].After; got != 101*ms {
		t.Errorf("an idle link arrives after %v", got)
	}
}

func TestPass_TheSameDiceMakeTheSameRun(t *testing.T) {
	run := func() (all []Delivery) {
		p := policy(4, Link{Delay: ms, Jitter: ms, Loss: 0.2, Duplicate: 0.2, Reorder: 0.2})
		for i := range 300 {
			all = append(all, p.Pass(time.Duration(i)*ms, commit(0, 1, 0, wire.Seq(i)))...)
		}
		return all
	}
	if !reflect.DeepEqual(run(), run()) {
		t.Error("two runs differ")
	}
}

func TestPass_WhatIsSentToOneselfIsNobodysMatter(t *testing.T) {
	p := policy(4, Link{Loss: 1})
	p.isolate("i", Both, 0)
	p.add(Rule{ID: "r", Action: Drop})
	if !passes(p, 0, 0) || len(p.Fired()) != 0 {
		t.Error("it was touched")
	}
}

func TestCorrupted_TurnsOneBitOfACopy(t *testing.T) {
	p := policy(4, Link{})
	p.add(Rule{ID: "r", Action: Corrupt})
	f := commit(0, 1, 0, 1)
	before := bytes.Clone(f.Bytes)
	got := p.Pass(0, f)
	if len(got) != 1 || got[0].Message != nil || !bytes.Equal(f.Bytes, before) {
		t.Fatalf("%+v", got)
	}
	turned := 0
	for i := range before {
		turned += bits.OnesCount8(before[i] ^ got[0].Bytes[i])
	}
	if turned != 1 {
		t.Errorf("%d bits were turned", turned)
	}
}
