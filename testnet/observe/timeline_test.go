package observe

import (
	"testing"
	"time"
)

const ms = time.Millisecond

func acksAt(at ...time.Duration) []Ack {
	acks := make([]Ack, len(at))
	for i, a := range at {
		acks[i] = Ack{At: a, Took: ms}
	}
	return acks
}

func TestSilence_IsTheGapThatTheFaultTore(t *testing.T) {
	acks := acksAt(10*ms, 20*ms, 220*ms, 230*ms, 9000*ms)
	if from, lasted := Silence(acks, 50*ms, 100*ms); from != 20*ms || lasted != 200*ms {
		t.Errorf("from %v, %v long", from, lasted)
	}
	if from, lasted := Silence(acks, 12*ms, 15*ms); from != 10*ms || lasted != 10*ms {
		t.Errorf("the gap before a longer one: from %v, %v long", from, lasted)
	}
	if _, lasted := Silence(nil, 0, 300*ms); lasted != 0 {
		t.Errorf("nothing was acknowledged, but the silence lasted %v", lasted)
	}
}

func TestNextAck_IsTheFirstOneNotBefore(t *testing.T) {
	acks := acksAt(10*ms, 20*ms)
	if at, ok := NextAck(acks, 11*ms); !ok || at != 20*ms {
		t.Errorf("%v, %v", at, ok)
	}
	if _, ok := NextAck(acks, 21*ms); ok {
		t.Error("there is none")
	}
}

func TestRecovered_CountsOnlyWhatWasSubmittedAfterTheFault(t *testing.T) {
	acks := []Ack{{At: 10 * ms, Took: ms}, {At: 30 * ms, Took: 25 * ms}, {At: 50 * ms, Took: 20 * ms}}
	if at, ok := Recovered(acks, 20*ms); !ok || at != 50*ms {
		t.Errorf("%v, %v; what was under way at 20 ms was acknowledged at 30 ms and shows nothing", at, ok)
	}
	if _, ok := Recovered(acks, 31*ms); ok {
		t.Error("nothing was submitted since")
	}
}

func TestThroughput_ComparesWithThePartBeforeTheFault(t *testing.T) {
	got := Throughput(acksAt(250*ms, 500*ms, 900*ms), 500*ms, time.Second)
	if got.OpsPerSecond != 3 || got.Baseline != 4 || got.Ratio != 0.75 {
		t.Errorf("%+v", got)
	}
	if got := Throughput(nil, 0, 0); got.OpsPerSecond != 0 || got.Ratio != 0 {
		t.Errorf("nothing done: %+v", got)
	}
}
