package transfer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tagma/internal/alone"
)

func queryFor(items ...Item) []byte { return (&Query{ID: 1, Items: items}).Encode() }

func TestASourceIsPreparedInSteps(t *testing.T) {
	s := randomState(rand.New(rand.NewPCG(1, 1)), 5000)
	source := NewSource(s.tree().Snapshot(), viewOf(s), SourceOptions{})
	defer source.Close()
	for steps := 0; ; steps++ {
		if _, err := source.Answer(queryFor(Item{Kind: AskPath})); !errors.Is(err, ErrNotReady) {
			t.Fatalf("after %d steps it answers: %v", steps, err)
		}
		before := source.index.scanned
		ready, err := source.Prepare(100)
		if err != nil {
			t.Fatal(err)
		}
		if n := source.index.scanned - before; n > 100 {
			t.Fatalf("a step scans %d keys", n)
		}
		if ready {
			break
		}
		if steps > len(s) {
			t.Fatal("it is never ready")
		}
	}
	if _, err := source.Answer(queryFor(Item{Kind: AskPath})); err != nil {
		t.Fatal(err)
	}
}

func TestX2_AClosedSourceGivesBackWhatItHeld(t *testing.T) {
	s := randomState(rand.New(rand.NewPCG(1, 1)), 50)
	view, snapshot := viewOf(s), s.tree().Snapshot()
	source := NewSource(snapshot, view, SourceOptions{})
	prepare(t, source)
	source.Close()
	source.Close()
	if _, there := snapshot.Node(nil); there || !view.closed {
		t.Error("its snapshot or view is still held")
	}
	if _, err := source.Answer(queryFor(Item{Kind: AskPath})); !errors.Is(err, ErrClosed) {
		t.Errorf("it answers: %v", err)
	}
	if _, err := source.Prepare(1); !errors.Is(err, ErrClosed) {
		t.Errorf("it prepares: %v", err)
	}
}

func TestASourceWhoseKeysDoNotFitIndexesAWindow(t *testing.T) {
	alone.Test(t)
	to := state{}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 40_000 {
		to[fmt.Sprintf("%d%0*d", i, r.IntN(60), 0)] = []byte("v")
	}
	opt := SourceOptions{IndexBytes: 300 << 10}
	source := sourceOf(t, to, opt)
	if source.index.high == 1<<64-1 {
		t.Fatal("the keys fit, so the test tests nothing")
	}
	// Two receivers ask about different parts of the tree, so each moves the index window away from the part of the
	// other.
	var receivers []*Receiver
	var stages []*memStage
	for i := range 2 {
		stages = append(stages, stageOf(t, state{}))
		receivers = append(receivers, NewReceiver(to.root(), stages[i], Options{}))
	}
	donor := honest(t, source)
	for turn := 0; !receivers[0].Done() || !receivers[1].Done(); turn++ {
		x := &exchange{t: t, receiver: receivers[turn%2], donors: []answerer{donor}, random: r, most: 40}
		x.run()
		if source.Size() > opt.IndexBytes {
			t.Fatalf("the index takes %d bytes", source.Size())
		}
	}
	for _, stage := range stages {
		stage.wantEqual(to)
	}
	t.Logf("%d scans, %d allowed", source.index.moves, source.index.allowed)
}

func TestASourceIsWornAfterManyWindows(t *testing.T) {
	to := state{}
	for i := range 20_000 {
		to[fmt.Sprint(i)] = []byte("v")
	}
	source := sourceOf(t, to, SourceOptions{IndexBytes: 1})
	for turn := range 1000 {
		key := Path{}.child(15 * (turn % 2)).child(7).child(7)
		switch _, err := source.Answer(queryFor(Item{Kind: AskPath, Path: key})); {
		case errors.Is(err, ErrWorn):
			if turn < 8 {
				t.Errorf("worn after %d queries", turn)
			}
			return
		case errors.Is(err, ErrNotReady):
			prepare(t, source)
		case err != nil:
			t.Fatal(err)
		}
	}
	t.Error("a thousand scans")
}

// damaged returns the view of a state, and a view of the same state after damage of the storage, which the tree does
// not show.
func damaged(change func(state)) (from, view state) {
	from = randomState(rand.New(rand.NewPCG(4, 4)), 300)
	view = maps.Clone(from)
	change(view)
	return from, view
}

func TestX2_ADonorNoticesItsOwnDamage(t *testing.T) {
	for name, change := range map[string]func(state){
		"a value":          func(s state) { s[slices.Min(slices.Collect(maps.Keys(s)))] = []byte("rot") },
		"a key":            func(s state) { delete(s, slices.Min(slices.Collect(maps.Keys(s)))); s["other"] = nil },
		"a smaller number": func(s state) { delete(s, slices.Min(slices.Collect(maps.Keys(s)))) },
		"a larger number":  func(s state) { s["more"] = nil },
	} {
		from, view := damaged(change)
		source := NewSource(from.tree().Snapshot(), viewOf(view), SourceOptions{})
		var err error
		first := true // before anything is asked
		for ready := false; err == nil && !ready; {
			ready, err = source.Prepare(50)
		}
		if err == nil {
			first = false
			var items []Item
			for slot := range 16 {
				items = append(items, Item{Kind: AskPath, Path: Path{}.child(slot)})
			}
			_, err = source.Answer(queryFor(items...))
		}
		if !errors.Is(err, ErrDamaged) || first != strings.Contains(name, "number") {
			t.Errorf("%s: %v", name, err)
		}
		source.Close()
	}
}

// Whatever a query asks for, answering it costs no more than the package comment says.
func TestAQueryCostsABoundedAmountOfWork(t *testing.T) {
	alone.Test(t)
	r := rand.New(rand.NewPCG(1, 1))
	small, large := state{}, state{}
	for i := range 30_000 {
		small[fmt.Sprint(i)] = []byte{}
	}
	for i := range 64 {
		large[fmt.Sprint(i)] = make([]byte, 1<<20-r.IntN(1<<19))
	}
	huge := state{}
	value := make([]byte, 3<<20)
	for i := range 64 {
		huge[fmt.Sprint(i)] = value
	}
	for name, s := range map[string]state{"small": small, "large": large, "huge": huge} {
		view := viewOf(s)
		source := NewSource(s.tree().Snapshot(), view, SourceOptions{})
		prepare(t, source)
		longest := 0
		for _, value := range s {
			longest = max(longest, len(value))
		}
		keys := slices.Sorted(maps.Keys(s))
		for round := range 200 {
			q := Query{}
			for range MaxItems {
				q.Items = append(q.Items, anyItem(r, keys, round%4))
			}
			view.gets, view.bytes = 0, 0
			answer, err := source.Answer(q.Encode())
			if err != nil {
				t.Fatal(err)
			}
			if view.gets > readLimit/readCost+MaxItems || view.bytes > readLimit+longest || len(answer) > MaxAnswer {
				t.Fatalf("%s: %d values of %d bytes read for an answer of %d", name, view.gets, view.bytes, len(answer))
			}
			a, err := DecodeAnswer(answer)
			if err != nil || len(a.Parts) != MaxItems || a.Parts[0].Kind == IsLater {
				t.Fatalf("%s: no proper answer: %v", name, err)
			}
		}
		source.Close()
	}
}

func anyItem(r *rand.Rand, keys []string, kind int) Item {
	hash := sum(keys[r.IntN(len(keys))])
	path := Path{}
	for depth := range []int{2, r.IntN(5), r.IntN(64), r.IntN(3)}[kind] {
		path = path.child(int(nibble(&hash, depth)))
	}
	switch {
	case kind == 3 && r.IntN(2) == 0:
		return Item{Kind: AskChunk, Key: hash, Offset: uint64(r.IntN(9 << 20))}
	case kind == 1 && r.IntN(2) == 0:
		return Item{Kind: AskCompare, Path: path, Known: Known{Bitmap: 1}}
	case kind == 2 && r.IntN(2) == 0:
		return Item{Kind: AskPath, Path: keyPath(sum(fmt.Sprint(r.Uint64())))}
	}
	return Item{Kind: AskPath, Path: path}
}

func TestTheIndexIsSortedWhateverItsKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for name, draw := range map[string]func() uint64{
		"random":          r.Uint64,
		"one":             func() uint64 { return 7 },
		"two":             func() uint64 { return uint64(r.IntN(2)) << 40 },
		"alike but ends":  func() uint64 { return 0xabcdef<<40 | uint64(r.IntN(5000)) },
		"alike but start": func() uint64 { return uint64(r.IntN(5000))<<50 | 99 },
	} {
		slots := make([]slot, 20_000)
		for i := range slots {
			p := draw()
			slots[i] = slot{high: uint32(p >> 32), low: uint32(p), offset: uint32(i)}
		}
		want := slices.Clone(slots)
		order := func(a, b slot) int {
			return cmp.Or(cmp.Compare(a.prefix(), b.prefix()), cmp.Compare(a.offset, b.offset))
		}
		slices.SortFunc(want, order)
		todo := []span{{to: len(slots), shift: 56}}
		for steps := 0; len(todo) > 0; steps++ {
			if todo = sortSome(slots, todo, 100); steps > len(slots) {
				t.Fatalf("%s: not sorted after %d steps", name, steps)
			}
		}
		if !slices.IsSortedFunc(slots, func(a, b slot) int { return cmp.Compare(a.prefix(), b.prefix()) }) {
			t.Errorf("%s: not in order", name)
		}
		slices.SortFunc(slots, order)
		if !slices.Equal(slots, want) {
			t.Errorf("%s: other slots", name)
		}
	}
}
