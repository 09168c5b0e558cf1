package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"tagma/internal/alone"
)

// longState has values of all lengths around which a value is sent in another form.
func longState(r *rand.Rand) state {
	s := randomState(r, 200)
	for i, size := range []int{
		MaxEntry - 7, MaxEntry - 6, MaxEntry - 5, ChunkSize, 3*ChunkSize - 1, 3 * ChunkSize, 3*ChunkSize + 1, 5 * ChunkSize,
		200_000, 300_000, 400_000, 400_001, 3_000_000,
	} {
		s[fmt.Sprintf("long%2d", i)] = bytes.Repeat([]byte{byte(i), byte(r.Uint32())}, (size+1)/2)[:size]
	}
	return s
}

func TestLongValuesAreTransferredInPieces(t *testing.T) {
	alone.Test(t)
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 4))
		to := longState(r)
		from := randomState(r, 200)
		if seed == 1 {
			from = longState(r)
		}
		stage := stageOf(t, from)
		receiver := NewReceiver(to.root(), stage, Options{})
		donors := []answerer{honestOf(t, to), honestOf(t, to), honestOf(t, to)}
		x := &exchange{t: t, receiver: receiver, donors: donors, random: r}
		for !receiver.Done() && x.most < 10_000 {
			x.most++
			x.run()
			if len(receiver.long) > maxLong {
				t.Fatalf("%d long values at a time", len(receiver.long))
			}
		}
		stage.wantEqual(to)
		// Then a transfer in the other direction: the long values are deleted, and those that both states have are
		// not fetched again.
		p := transferAll(t, to, from, honestOf(t, from)).Progress()
		if seed != 1 && p.Bytes > 200_000 {
			t.Errorf("%d bytes to delete long values", p.Bytes)
		}
	}
}

func TestALongValueThatIsThereElsewhereInTheTreeIsNotFetched(t *testing.T) {
	long := bytes.Repeat([]byte("long"), 1<<20)
	to, from := state{"long": long}, state{"long": long}
	for i := range 300 {
		from[fmt.Sprint(i)] = []byte("x")
	}
	if p := transferAll(t, from, to, honestOf(t, to)).Progress(); p.Bytes > 10_000 {
		t.Errorf("%d bytes are received", p.Bytes)
	}
}

// longLies are lies about values that are sent in pieces. The donor that announces a value is blamed for any wrong
// piece of it.
var longLies = map[string]lie{
	"a piece with a flipped bit": edit(func(r *rand.Rand, a *Answer) bool {
		c := a.Parts[0].Chunk
		if len(c) > 0 {
			c[r.IntN(len(c))] ^= 1
		}
		return len(c) > 0
	}),
	"a piece cut short": edit(func(_ *rand.Rand, a *Answer) bool {
		p := &a.Parts[0]
		if p.Kind == IsChunk {
			p.Chunk = p.Chunk[:len(p.Chunk)-1]
		}
		return p.Kind == IsChunk
	}),
	"an empty piece": edit(func(_ *rand.Rand, a *Answer) bool {
		was := a.Parts[0].Kind == IsChunk
		a.Parts[0].Chunk = nil
		return was
	}),
	"a node for a piece": edit(func(_ *rand.Rand, a *Answer) bool {
		was := a.Parts[0].Kind == IsChunk
		a.Parts[0] = Part{Kind: IsNode, Node: &Node{}}
		return was
	}),
	"a piece put off": edit(func(_ *rand.Rand, a *Answer) bool {
		was := a.Parts[0].Kind == IsChunk
		a.Parts[0] = Part{Kind: IsLater}
		return was
	}),
	"another hash": editLong(func(l *Long) { l.Hash[0]++ }),
	"another value throughout": func(_ *rand.Rand, query, answer []byte, other answerer) []byte {
		if a, _ := DecodeAnswer(answer); a.Parts[0].Kind == IsLong || a.Parts[0].Kind == IsChunk {
			return other(query)
		}
		return nil
	},
	"another key": editLong(func(l *Long) { l.Key = append(bytes.Clone(l.Key), 'x') }),
	"too long":    editLong(func(l *Long) { l.Length = 1 << 40 }),
	"longer":      editLong(func(l *Long) { l.Length++ }),
	"shorter":     editLong(func(l *Long) { l.Length -= 5 }),
}

// halfPutOff answers one of two pieces and answers the other by IsLater, as a correct donor with little room in its
// answer may do.
func halfPutOff(donor answerer) answerer {
	return func(query []byte) []byte {
		a, _ := DecodeAnswer(donor(query))
		if len(a.Parts) > 1 && a.Parts[1].Kind == IsChunk {
			a.Parts[1] = Part{Kind: IsLater}
		}
		return a.Encode()
	}
}

func TestPiecesPutOffAreAskedForAgain(t *testing.T) {
	to := longState(rand.New(rand.NewPCG(1, 1)))
	transferAll(t, state{}, to, halfPutOff(honestOf(t, to)))
}

func editLong(change func(*Long)) lie {
	return edit(func(_ *rand.Rand, a *Answer) bool {
		was := a.Parts[0].Kind == IsLong
		if was {
			change(&a.Parts[0].Long)
		}
		return was
	})
}

func TestX3_LiesAboutLongValues(t *testing.T) {
	for name, tell := range longLies {
		t.Run(name, func(t *testing.T) {
			alone.Test(t)
			r := rand.New(rand.NewPCG(8, 8))
			to := longState(r)
			good, told, blamed := honestOf(t, to), 0, 0
			forged := maps.Clone(to)
			for key, value := range to {
				if len(value) > MaxEntry {
					forged[key] = make([]byte, len(value))
				}
			}
			other := honestOf(t, forged)
			for range 4 {
				stage := stageOf(t, state{})
				stage.target = to
				receiver := NewReceiver(to.root(), stage, Options{})
				x := &exchange{
					t: t, receiver: receiver, random: r, most: 10_000,
					donors: []answerer{good, liar(r, tell, 1, good, other, &told)},
					onBad: func(donor int, err error) {
						if donor != 1 || !errors.Is(err, ErrBad) {
							t.Fatalf("donor %d: %v", donor, err)
						}
					},
				}
				x.run()
				stage.wantEqual(to)
				if slices.Contains(receiver.Blamed(), 0) {
					t.Fatal("the correct donor is blamed")
				}
				blamed += len(receiver.Blamed())
			}
			if told == 0 || blamed == 0 {
				t.Errorf("%d lies told, blamed %d times", told, blamed)
			}
		})
	}
}

func TestX3_AValueAboveTheLongestIsRefused(t *testing.T) {
	to := state{"long": make([]byte, 2<<20), "b": nil}
	r := NewReceiver(to.root(), stageOf(t, state{}), Options{MaxValue: 1 << 20})
	x := &exchange{
		t: t, receiver: r, donors: []answerer{honestOf(t, to)}, random: rand.New(rand.NewPCG(1, 1)), most: 100, mayStall: true,
		onBad: func(int, error) {},
	}
	x.run()
	if len(r.Blamed()) != 1 || r.Done() {
		t.Errorf("blamed %v, done %v", r.Blamed(), r.Done())
	}
}

// The donor that announced a value becomes unreachable before all its pieces came, in one of two ways. The value is
// then fetched from another donor.
func TestALongValueIsFetchedFromAnotherDonorWhenItsOwnIsGone(t *testing.T) {
	to := state{"a": nil, "long": make([]byte, 4<<20)}
	for name, goAway := range map[string]func(*Receiver){
		"lapse":  func(r *Receiver) { r.Lapse(7, 2) },
		"expire": func(r *Receiver) { r.Expire(2+patience, patience) },
	} {
		for _, asked := range []bool{false, true} {
			stage := stageOf(t, state{})
			r := NewReceiver(to.root(), stage, Options{})
			first := honestOf(t, to)
			for i := 0; len(r.long) == 0; i++ {
				query, ok := r.Ask(7, 1)
				if !ok || i > 100 {
					t.Fatalf("%s: nothing was announced", name)
				}
				if err := r.Take(7, 1, first(query)); err != nil {
					t.Fatal(err)
				}
			}
			if asked {
				r.Ask(7, 2)
			}
			if goAway(r); len(r.long) > 0 {
				t.Errorf("%s: a value still waits for the donor", name)
			}
			x := &exchange{t: t, receiver: r, donors: []answerer{honestOf(t, to)}, random: rand.New(rand.NewPCG(1, 1)), most: 1000}
			x.run()
			stage.wantEqual(to)
		}
	}
}
