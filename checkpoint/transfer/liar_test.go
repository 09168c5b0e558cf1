package transfer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"tagma/internal/alone"
)

// liar answers as an honest donor, except that one in so many of its answers is a lie. It counts its lies.
func liar(r *rand.Rand, tell lie, oneIn int, donor, other answerer, told *int) answerer {
	return func(query []byte) []byte {
		answer := donor(query)
		if r.IntN(oneIn) == 0 {
			if b := tell(r, query, answer, other); b != nil {
				*told++
				return b
			}
		}
		return answer
	}
}

// lyingStates returns states between which a transfer meets nodes, inline entries and pages.
func lyingStates(r *rand.Rand) (from, to state) {
	from = randomState(r, 800)
	to = changed(r, from, 400)
	for key := range from {
		if h := sum(key); h[0] < 0x20 {
			delete(from, key)
		}
	}
	return from, to
}

// If one donor lies, in whatever way, the state is fetched from the others. Nothing false is written meanwhile. That
// donor is blamed, and no other (poison-transfer).
func TestX3_ALiarIsBlamedAndNothingItSaysIsUsed(t *testing.T) {
	for name, tell := range lies {
		t.Run(name, func(t *testing.T) {
			alone.Test(t)
			r := rand.New(rand.NewPCG(5, 5))
			from, to := lyingStates(r)
			good, other := honestOf(t, to), honestOf(t, changed(r, to, 50))
			told, unblamed := 0, 0
			for round := range 12 {
				stage := stageOf(t, from)
				stage.target = to
				receiver := NewReceiver(to.root(), stage, Options{})
				before := told
				x := &exchange{
					t: t, receiver: receiver, random: r, most: 100_000,
					donors: []answerer{good, liar(r, tell, 1+round%3, good, other, &told), good},
					onBad: func(donor int, err error) {
						if donor != 1 || !errors.Is(err, ErrBad) {
							t.Fatalf("donor %d: %v", donor, err)
						}
					},
				}
				x.run()
				stage.wantEqual(to)
				switch blamed := receiver.Blamed(); {
				case slices.Equal(blamed, []int{1}):
				case len(blamed) > 0:
					t.Fatalf("donors %v are blamed", blamed)
				case told > before:
					unblamed++
				}
			}
			// The last lie may be unnoticed: it may come after the last question, in an answer that is not needed any
			// more.
			if told == 0 || unblamed > 2 {
				t.Errorf("%d lies told, in %d of 12 transfers without blame", told, unblamed)
			}
		})
	}
}

// If no donor is correct, the transfer makes no progress, and nothing false is written.
func TestX3_ALiarAloneGetsNowhere(t *testing.T) {
	for name, tell := range lies {
		r := rand.New(rand.NewPCG(6, 6))
		from, to := lyingStates(r)
		stage := stageOf(t, from)
		stage.target = to
		receiver := NewReceiver(to.root(), stage, Options{})
		told := 0
		x := &exchange{
			t: t, receiver: receiver, random: r, most: 10_000, mayStall: true, onBad: func(int, error) {},
			donors: []answerer{liar(r, tell, 1, honestOf(t, to), honestOf(t, changed(r, to, 50)), &told)},
		}
		x.run()
		if told == 0 || len(receiver.Blamed()) == 0 || receiver.Done() {
			t.Errorf("%s: told %d times, blamed %v, done %v", name, told, receiver.Blamed(), receiver.Done())
		}
	}
}

func TestX3_ManyLiarsOneCorrectDonor(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	from, to := lyingStates(r)
	stage := stageOf(t, from)
	stage.target = to
	receiver := NewReceiver(to.root(), stage, Options{})
	good, told := honestOf(t, to), 0
	donors := []answerer{good, func([]byte) []byte { return nil }}
	for _, tell := range lies {
		donors = append(donors, liar(r, tell, 2, good, honestOf(t, changed(r, to, 50)), &told))
	}
	x := &exchange{t: t, receiver: receiver, donors: donors, random: r, most: 100_000, onBad: func(donor int, err error) {
		if donor < 2 {
			t.Fatal(fmt.Errorf("donor %d: %w", donor, err))
		}
	}}
	x.run()
	stage.wantEqual(to)
	if slices.Contains(receiver.Blamed(), 0) || told == 0 {
		t.Errorf("blamed %v after %d lies", receiver.Blamed(), told)
	}
}
