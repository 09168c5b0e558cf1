package transfer

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// answerer returns a donor's answer to a query, or nil if the donor does not answer.
type answerer func(query []byte) []byte

// honest answers queries as a source does. It calls Prepare when the source says that it is not ready.
func honest(t testing.TB, s *Source) answerer {
	return func(query []byte) []byte {
		t.Helper()
		for range 4 {
			answer, err := s.Answer(query)
			if err == nil {
				if len(answer) > MaxAnswer {
					t.Errorf("an answer of %d bytes", len(answer))
				}
				return answer
			}
			if !errors.Is(err, ErrNotReady) {
				t.Fatalf("a correct donor does not answer: %v", err)
			}
			prepare(t, s)
		}
		t.Fatal("a source that was prepared for a query does not answer it")
		return nil
	}
}

func honestOf(t testing.TB, s state) answerer { return honest(t, sourceOf(t, s, SourceOptions{})) }

// exchange runs a receiver against several donors until the receiver is done or has taken most answers. The order is
// drawn from r. Time passes while no answer is under way. It returns the number of answers.
type exchange struct {
	t        testing.TB
	receiver *Receiver
	donors   []answerer
	random   *rand.Rand
	most     int
	now      time.Duration
	answers  int
	asked    int                        // bytes of queries
	onBad    func(donor int, err error) // called when a donor is blamed; nil: then the test fails
	mayStall bool                       // run returns when nothing can happen any more, instead of failing
	flying   []flight
}

// flight is an answer under way.
type flight struct {
	donor  int
	answer []byte
}

const patience = time.Second

func (x *exchange) run() {
	x.t.Helper()
	last, idle := 0.0, 0
	for !x.receiver.Done() && x.answers < x.most {
		for _, id := range x.random.Perm(len(x.donors)) {
			for donor := x.donors[id]; ; {
				query, ok := x.receiver.Ask(id, x.now)
				if !ok {
					break
				}
				x.asked += len(query)
				if answer := donor(query); answer != nil {
					x.flying = append(x.flying, flight{id, answer})
				}
			}
		}
		if len(x.flying) == 0 {
			x.now += patience
			x.receiver.Expire(x.now, patience)
			if idle++; idle > 100 && x.mayStall {
				return
			}
			if idle > 100 {
				x.t.Fatalf("nothing happens any more: %+v, blamed %v", x.receiver.Progress(), x.receiver.Blamed())
			}
			continue
		}
		idle = 0
		at := x.random.IntN(len(x.flying))
		f := x.flying[at]
		x.flying = slices.Delete(x.flying, at, at+1)
		x.answers++
		x.now++
		if err := x.receiver.Take(f.donor, x.now, f.answer); err != nil {
			if x.onBad == nil {
				x.t.Fatal(err)
			}
			x.onBad(f.donor, err)
		}
		open := 0
		for _, d := range x.receiver.donors {
			for _, q := range d.open {
				open += len(q.tasks)
			}
		}
		if open != x.receiver.asked {
			x.t.Fatalf("%d paths are asked for, counted as %d", open, x.receiver.asked)
		}
		share := x.receiver.Progress().Share
		if share < last || share > 1 {
			x.t.Fatalf("the share done goes from %v to %v", last, share)
		}
		last = share
	}
}

// transferAll transfers target from honest donors until the receiver is done, and checks the result.
func transferAll(t testing.TB, from, to state, donors ...answerer) *Receiver {
	t.Helper()
	stage := stageOf(t, from)
	r := NewReceiver(to.root(), stage, Options{})
	x := &exchange{t: t, receiver: r, donors: donors, random: rand.New(rand.NewPCG(1, 1)), most: 1 << 30}
	x.run()
	stage.wantEqual(to)
	if p := r.Progress(); p.Share != 1 {
		t.Errorf("done, and the share done is %v", p.Share)
	}
	return r
}
