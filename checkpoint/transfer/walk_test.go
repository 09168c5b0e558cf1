package transfer

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"tagma/internal/alone"
)

func TestX4_AnyStateBecomesAnyOther(t *testing.T) {
	alone.Test(t)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		from, to := randomState(r, r.IntN(2000)), randomState(r, r.IntN(2000))
		if seed%2 == 0 {
			to = changed(r, from, r.IntN(200))
		}
		transferAll(t, from, to, honestOf(t, to), honestOf(t, to), honestOf(t, to))
	}
}

func TestX4_EdgesOfStates(t *testing.T) {
	large := randomState(rand.New(rand.NewPCG(1, 1)), 5000)
	for name, pair := range map[string][2]state{
		"empty to empty":           {{}, {}},
		"empty to one key":         {{}, {"a": []byte("1")}},
		"one key to empty":         {{"a": []byte("1")}, {}},
		"one key to another":       {{"a": []byte("1")}, {"b": []byte("1")}},
		"empty to full":            {{}, large},
		"full to empty":            {large, {}},
		"full to one of its keys":  {large, {"key 1": large["key 1"]}},
		"one key to a full one":    {{"key 1": large["key 1"]}, large},
		"the same":                 {large, large},
		"an empty key and value":   {{"": []byte("x")}, {"": {}, "a": {}}},
		"an empty value set anew":  {{"a": {}}, {"a": []byte("x")}},
		"full to one of other key": {large, {"other": []byte("x")}},
	} {
		t.Run(name, func(t *testing.T) { transferAll(t, pair[0], pair[1], honestOf(t, pair[1])) })
	}
}

func TestX4_OnlyDifferencesAreWrittenAndDeleted(t *testing.T) {
	from := randomState(rand.New(rand.NewPCG(3, 1)), 3000)
	to := maps.Clone(from)
	deleted, set := uint64(0), uint64(0)
	for key := range from {
		switch h := sum(key); {
		case h[31]%16 == 0:
			delete(to, key)
			deleted++
		case h[31]%16 == 1:
			to[key] = []byte("changed")
			set++
		}
	}
	p := transferAll(t, from, to, honestOf(t, to)).Progress()
	if p.Written != set || p.Deleted != deleted {
		t.Errorf("%d keys written and %d deleted, want %d and %d", p.Written, p.Deleted, set, deleted)
	}
}

func TestX4_MoreDeletionsThanAreHeldAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a state of 300,000 keys")
	}
	from, to := state{}, state{}
	for i := range 300_000 {
		key := fmt.Sprint(i)
		from[key] = []byte("x")
		if h := sum(key); h[31]%2 == 0 {
			to[key] = from[key]
		}
	}
	stage := stageOf(t, from)
	r := NewReceiver(to.root(), stage, Options{})
	x := &exchange{t: t, receiver: r, donors: []answerer{honestOf(t, to)}, random: rand.New(rand.NewPCG(1, 1)), most: 1 << 30}
	flushed := false
	for !r.Done() && x.answers < 100_000 {
		x.most = x.answers + 1
		x.run()
		flushed = flushed || (!r.Done() && r.Progress().Deleted > 0)
		if len(r.deletes) > maxDeletions {
			t.Fatalf("%d deletions are held", len(r.deletes))
		}
	}
	stage.wantEqual(to)
	if !flushed {
		t.Error("all deletions wait for the end")
	}
}

// A transfer may end at any point. Everything that it wrote until then is right at its version, and the next
// transfer, to a newer state, continues from there.
func TestX7_AnInterruptedTransferGoesOnToANewerState(t *testing.T) {
	alone.Test(t)
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		from := randomState(r, 3000)
		first := changed(r, from, 2000)
		second := changed(r, first, 100)
		stage := stageOf(t, from)
		for i, target := range []state{first, second, second} {
			receiver := NewReceiver(target.root(), stage, Options{FirstID: uint32(i) << 16})
			x := &exchange{t: t, receiver: receiver, donors: []answerer{honestOf(t, target), honestOf(t, target)}, random: r}
			if x.most = r.IntN(12); i == 2 {
				x.most = 1 << 30
			}
			x.run()
			receiver.Close()
		}
		stage.wantEqual(second)
	}
}

func TestX7_AClosedReceiverAsksAndWritesNothing(t *testing.T) {
	to := randomState(rand.New(rand.NewPCG(1, 1)), 100)
	stage, donor := stageOf(t, state{}), honestOf(t, to)
	r := NewReceiver(to.root(), stage, Options{})
	query, _ := r.Ask(1, 0)
	r.Close()
	if err := r.Take(1, 0, donor(query)); err != nil || stage.writes > 0 {
		t.Errorf("a late answer: %d writes, error %v", stage.writes, err)
	}
	if _, ok := r.Ask(1, 0); ok || r.Done() {
		t.Error("it asks on, or calls itself done")
	}
}

// Prefixes of one bit are used here. So almost every node has children that look equal and are not. The receiver asks
// for those again and blames no correct donor.
func TestX3_PrefixesThatFitByChanceDoNoHarm(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		from := randomState(r, 1000)
		to := changed(r, from, 300)
		stage := stageOf(t, from)
		receiver := NewReceiver(to.root(), stage, Options{})
		receiver.prefix = func(d *[32]byte) uint16 { return uint16(d[0] & 1) }
		var donors []answerer
		for range 3 {
			source := sourceOf(t, to, SourceOptions{})
			source.prefix = receiver.prefix
			donors = append(donors, honest(t, source))
		}
		x := &exchange{t: t, receiver: receiver, donors: donors, random: r, most: 100_000}
		x.run()
		stage.wantEqual(to)
		if blamed := receiver.Blamed(); len(blamed) > 0 {
			t.Fatalf("seed %d: donors %v are blamed", seed, blamed)
		}
	}
}

// brokenStage has a tree with more entries than it holds.
func brokenStage(t *testing.T, s state) *memStage {
	stage := stageOf(t, s)
	stage.merkle.Set([]byte("of the tree only"), nil)
	return stage
}

func TestX5_AStoreThatIsNotWhatItsTreeSaysIsNoticed(t *testing.T) {
	to := state{"a": []byte("1"), "b": []byte("2")}
	r := NewReceiver(to.root(), brokenStage(t, state{"a": []byte("0")}), Options{})
	x := &exchange{
		t: t, receiver: r, donors: []answerer{honestOf(t, to)}, random: rand.New(rand.NewPCG(1, 1)), most: 100, mayStall: true,
		onBad: func(_ int, err error) {
			if errors.Is(err, ErrBad) {
				t.Errorf("the donor is blamed: %v", err)
			}
		},
	}
	x.run()
	if r.Done() || !errors.Is(r.Err(), ErrDamaged) || len(r.Blamed()) > 0 {
		t.Errorf("done %v, error %v, blamed %v", r.Done(), r.Err(), r.Blamed())
	}
}

func TestAFailingStageEndsTheTransfer(t *testing.T) {
	failure := errors.New("disk full")
	for name, pair := range map[string][2]state{
		"write": {{}, {"a": []byte("1")}},
		"scan":  {{"a": []byte("1"), "b": []byte("2")}, {"b": []byte("2")}},
	} {
		stage := stageOf(t, pair[0])
		stage.fail = failure
		r := NewReceiver(pair[1].root(), stage, Options{})
		query, _ := r.Ask(1, 0)
		err := r.Take(1, 0, honestOf(t, pair[1])(query))
		if !errors.Is(err, failure) || errors.Is(err, ErrBad) || !errors.Is(r.Err(), failure) || len(r.Blamed()) > 0 {
			t.Errorf("%s: error %v, then %v, blamed %v", name, err, r.Err(), r.Blamed())
		}
		if _, ok := r.Ask(1, 0); ok {
			t.Errorf("%s: it asks on", name)
		}
	}
}

func TestShare_IsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var receiver Receiver
	// The hash space is divided at random, and its parts are counted in random order.
	depths := []int{0}
	for range 3000 {
		at := r.IntN(len(depths))
		if depth := depths[at]; depth < maxDepth {
			depths[at] = depth + 1
			for range 15 {
				depths = append(depths, depth+1)
			}
		}
	}
	r.Shuffle(len(depths), func(i, j int) { depths[i], depths[j] = depths[j], depths[i] })
	last := 0.0
	for i, depth := range depths {
		if receiver.share.complete() {
			t.Fatalf("complete after %d of %d parts", i, len(depths))
		}
		receiver.settle(depth)
		share := receiver.Progress().Share
		if share < last || (share == 1) != (i == len(depths)-1) {
			t.Fatalf("after part %d of %d: share %v, before %v", i, len(depths), share, last)
		}
		last = share
	}
	if !receiver.share.complete() || receiver.share != (share{1}) {
		t.Errorf("not complete: %v", receiver.share)
	}
}
