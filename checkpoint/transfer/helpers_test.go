package transfer

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// state is a state in memory, by key.
type state map[string][]byte

func (s state) tree() *merkle.Tree {
	tree := merkle.New()
	for key, value := range s {
		tree.Set([]byte(key), value)
	}
	return tree
}

func (s state) root() [32]byte { return s.tree().Root() }

// memView reads a state, and counts what is read.
type memView struct {
	keys   []string
	values state
	gets   int
	bytes  int
	closed bool
}

func viewOf(s state) *memView { return &memView{keys: slices.Sorted(maps.Keys(s)), values: s} }

func (v *memView) Get(key []byte) ([]byte, bool, error) {
	value, found := v.values[string(key)]
	v.gets++
	v.bytes += len(value)
	return value, found, nil
}

func (v *memView) Scan(start, end []byte) iter.Seq2[statemachine.Entry, error] {
	return func(yield func(statemachine.Entry, error) bool) {
		from, _ := slices.BinarySearch(v.keys, string(start))
		for _, key := range v.keys[from:] {
			if end != nil && key >= string(end) {
				return
			}
			if !yield(statemachine.Entry{Key: []byte(key), Value: v.values[key]}, nil) {
				return
			}
		}
	}
}

func (v *memView) Close() { v.closed = true }

// memStage is a stage in memory. It fails the test for writes that are not in order, and for those that change nothing.
type memStage struct {
	t      testing.TB
	values state
	merkle *merkle.Tree
	writes int
	fail   error // of the next write or scan
}

func stageOf(t testing.TB, s state) *memStage {
	return &memStage{t: t, values: maps.Clone(s), merkle: s.tree()}
}

func (s *memStage) Tree() *merkle.Tree { return s.merkle }

func (s *memStage) Write(writes []statemachine.Write) error {
	if s.fail != nil {
		return s.fail
	}
	if len(writes) > batchKeys {
		s.t.Errorf("%d keys in one write", len(writes))
	}
	for i, w := range writes {
		if i > 0 && bytes.Compare(writes[i-1].Key, w.Key) >= 0 {
			s.t.Errorf("keys %.20q and %.20q are written in this order", writes[i-1].Key, w.Key)
		}
		old, had := s.values[string(w.Key)]
		s.writes++
		if w.Delete {
			if !had {
				s.t.Errorf("an absent key is deleted")
			}
			delete(s.values, string(w.Key))
			s.merkle.Delete(w.Key)
			continue
		}
		if had && bytes.Equal(old, w.Value) {
			s.t.Errorf("key %.20q is written with the value that it has", w.Key)
		}
		s.values[string(w.Key)] = w.Value
		s.merkle.Set(w.Key, w.Value)
	}
	return nil
}

func (s *memStage) Scan() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if s.fail != nil {
			yield(nil, s.fail)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(s.values)) {
			if !yield([]byte(key), nil) {
				return
			}
		}
	}
}

// wantEqual fails unless the stage holds exactly a state, and its tree agrees.
func (s *memStage) wantEqual(want state) {
	s.t.Helper()
	if !maps.EqualFunc(s.values, want, bytes.Equal) || s.merkle.Root() != want.root() {
		s.t.Fatalf("the stage has %d keys and root %x, want %d keys and root %x, or other values",
			len(s.values), s.merkle.Root(), len(want), want.root())
	}
}

func sourceOf(t testing.TB, s state, opt SourceOptions) *Source {
	source := NewSource(s.tree().Snapshot(), viewOf(s), opt)
	prepare(t, source)
	t.Cleanup(source.Close)
	return source
}

func prepare(t testing.TB, s *Source) {
	t.Helper()
	for steps := 0; ; steps++ {
		ready, err := s.Prepare(997)
		if err != nil {
			t.Fatal(err)
		}
		if ready {
			return
		}
		if steps > 1_000_000 {
			t.Fatal("the source is never ready")
		}
	}
}

// answerer answers a query; nil is silence.
type answerer func(query []byte) []byte

// honest answers as a source does, and prepares it when needed.
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
			if err != ErrNotReady {
				t.Fatalf("a correct donor does not answer: %v", err)
			}
			prepare(t, s)
		}
		t.Fatal("a source that was prepared for a query does not answer it")
		return nil
	}
}

func honestOf(t testing.TB, s state) answerer { return honest(t, sourceOf(t, s, SourceOptions{})) }

// exchange runs a receiver against donors, in an order drawn from r, until it is done or most answers were taken. Time
// passes when no answer is under way. It returns the number of answers.
type exchange struct {
	t        testing.TB
	receiver *Receiver
	donors   []answerer
	random   *rand.Rand
	most     int
	now      time.Duration
	answers  int
	asked    int                         // bytes of queries
	onBad    func(donor int, err error) // nil: a lie fails the test
}

const patience = time.Second

func (x *exchange) run() {
	x.t.Helper()
	type flight struct {
		donor  int
		answer []byte
	}
	var flying []flight
	last, idle := 0.0, 0
	for !x.receiver.Done() && x.answers < x.most {
		for id, donor := range x.donors {
			for {
				query, ok := x.receiver.Ask(id, x.now)
				if !ok {
					break
				}
				x.asked += len(query)
				if answer := donor(query); answer != nil {
					flying = append(flying, flight{id, answer})
				}
			}
		}
		if len(flying) == 0 {
			x.now += patience
			x.receiver.Expire(x.now, patience)
			if idle++; idle > 100 {
				x.t.Fatalf("nothing happens any more: %+v, blamed %v", x.receiver.Progress(), x.receiver.Blamed())
			}
			continue
		}
		idle = 0
		at := x.random.IntN(len(flying))
		f := flying[at]
		flying = slices.Delete(flying, at, at+1)
		x.answers++
		x.now++
		if err := x.receiver.Take(f.donor, x.now, f.answer); err != nil {
			if x.onBad == nil {
				x.t.Fatal(err)
			}
			x.onBad(f.donor, err)
		}
		share := x.receiver.Progress().Share
		if share < last || share > 1 {
			x.t.Fatalf("the share done goes from %v to %v", last, share)
		}
		last = share
	}
}

// transferAll runs a transfer to its end against honest donors of the target, and looks at the result.
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

// randomState draws a state of about n keys, some of them with values in common with other drawn states.
func randomState(r *rand.Rand, n int) state {
	s := state{}
	for range n {
		s[fmt.Sprintf("key %d", r.IntN(2*n+1))] = fmt.Appendf(nil, "value %d", r.IntN(3))
	}
	return s
}

// changed returns a copy of a state with some keys set, some deleted and some added.
func changed(r *rand.Rand, s state, changes int) state {
	out := maps.Clone(s)
	keys := slices.Sorted(maps.Keys(s))
	for i := range changes {
		switch kind := r.IntN(3); {
		case kind == 0 || len(keys) == 0:
			out[fmt.Sprintf("new %d %d", i, r.IntN(1000))] = []byte("new")
		case kind == 1:
			delete(out, keys[r.IntN(len(keys))])
		default:
			out[keys[r.IntN(len(keys))]] = fmt.Appendf(nil, "changed %d", r.IntN(1000))
		}
	}
	return out
}

func sum(s string) [32]byte { return sha256.Sum256([]byte(s)) }
