package demo

import (
	"testing"
	"time"
)

const ms = time.Millisecond

func acksAt(at ...time.Duration) []ack {
	acks := make([]ack, len(at))
	for i, a := range at {
		acks[i] = ack{at: a, took: ms}
	}
	return acks
}

func TestSilence_IsTheGapThatTheFaultTore(t *testing.T) {
	acks := acksAt(10*ms, 20*ms, 220*ms, 230*ms, 9000*ms)
	if from, lasted := silence(acks, 50*ms, 100*ms); from != 20*ms || lasted != 200*ms {
		t.Errorf("from %v, %v long", from, lasted)
	}
	if from, lasted := silence(acks, 12*ms, 15*ms); from != 10*ms || lasted != 10*ms {
		t.Errorf("the gap before a longer one: from %v, %v long", from, lasted)
	}
	if _, lasted := silence(nil, 0, 300*ms); lasted != 0 {
		t.Errorf("nothing was acknowledged, but the silence lasted %v", lasted)
	}
}

func TestNextAck_IsTheFirstOneNotBefore(t *testing.T) {
	acks := acksAt(10*ms, 20*ms)
	if at, ok := nextAck(acks, 11*ms); !ok || at != 20*ms {
		t.Errorf("%v, %v", at, ok)
	}
	if _, ok := nextAck(acks, 21*ms); ok {
		t.Error("there is none")
	}
}

func TestThroughput_ComparesWithThePartBeforeTheFault(t *testing.T) {
	got := throughput(acksAt(250*ms, 500*ms, 900*ms), 500*ms, time.Second)
	if got.OpsPerSecond != 3 || got.Baseline != 4 || got.Ratio != 0.75 {
		t.Errorf("%+v", got)
	}
	if got := throughput(nil, 0, 0); got.OpsPerSecond != 0 || got.Ratio != 0 {
		t.Errorf("nothing done: %+v", got)
	}
}

func TestMostViewChanges_AreBoundedUnlessTheMachineWasSeenToStarve(t *testing.T) {
	r := &run{Options: Defaults(), watch: new(watcher)}
	if most, want := r.mostViewChanges(); most != 1 || want != 1 {
		t.Errorf("at most %d, told as %v; one liar costs one", most, want)
	}
	r.paused = r.ViewTimeout/4 + 1
	if most, want := r.mostViewChanges(); most <= 1 || want == 1 {
		t.Errorf("at most %d, told as %v, although processes had to wait for %v", most, want, r.paused)
	}
}
