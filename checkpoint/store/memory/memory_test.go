package memory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"tagma/checkpoint/store"
	"tagma/statemachine"
)

const longValue = 192 << 10 // a length that the store over badger and the store in memory both cut into parts

// With the same writes, stages and discards, a store over this engine and a store over badger have the same roots and
// return the same errors.
func TestD5_TheStoreIsTheSameOverBadger(t *testing.T) {
	for seed := range uint64(4) {
		chance := rand.New(rand.NewPCG(seed, 1))
		dir, disk := t.TempDir(), New()
		onBadger, err := store.Open(dir, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		both := pair{t, onBadger, store.New("memory", disk, 1<<10)}
		both.load(0)
		seq, checkpoint := uint64(0), uint64(0)
		wrote := map[uint64]statemachine.WriteSet{}
		for range 60 {
			seq++
			wrote[seq] = set(chance, seq)
			both.write(wrote[seq])
			switch chance.IntN(8) {
			case 0:
				both.discard(checkpoint)
			case 1:
				checkpoint = seq
				both.checkpoint(seq)
			case 2:
				seq += 2
				checkpoint = seq
				both.stage(set(chance, seq))
			case 3: // the process ends, and starts from its last checkpoint
				if err := both.a.Close(); err != nil {
					t.Fatal(err)
				}
				here, _, err := store.Generations(dir)
				if err == nil && !here {
					err = store.Settle(dir, true)
				}
				if err != nil {
					t.Fatal(err)
				}
				if both.a, err = store.Open(dir, store.Options{}); err != nil {
					t.Fatal(err)
				}
				disk.Discard(0)
				both.b = store.New("memory", disk, 1<<10)
				both.load(checkpoint)
				for s := checkpoint + 1; s <= seq; s++ { // executed again
					both.write(wrote[s])
				}
			}
			both.look(seq, checkpoint)
		}
		if err := both.a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// pair is two stores that must behave in the same way.
type pair struct {
	t    *testing.T
	a, b *store.Store
}

func (p *pair) same(what string, a, b any, errs ...error) {
	p.t.Helper()
	if fmt.Sprint(a) != fmt.Sprint(b) || len(errs) == 2 && (errs[0] == nil) != (errs[1] == nil) {
		p.t.Fatalf("%s: %.300s and %.300s, %v", what, fmt.Sprint(a), fmt.Sprint(b), errs)
	}
}

func (p *pair) load(at uint64) {
	a, errA := p.a.Load(at)
	b, errB := p.b.Load(at)
	p.same("load", a[:4], b[:4], errA, errB)
	p.same("the highest version", p.a.MaxVersion(), p.b.MaxVersion())
}

func (p *pair) write(s statemachine.WriteSet) {
	p.same("write", nil, nil, p.a.Write([]statemachine.WriteSet{s}), p.b.Write([]statemachine.WriteSet{s}))
}

func (p *pair) checkpoint(seq uint64) {
	a, errA := p.a.Checkpoint(seq)
	b, errB := p.b.Checkpoint(seq)
	p.same("checkpoint", a[:4], b[:4], errA, errB)
}

func (p *pair) discard(below uint64) {
	p.a.Discard(below)
	p.b.Discard(below)
	p.same("the floor", p.a.Floor(), p.b.Floor())
}

func (p *pair) stage(s statemachine.WriteSet) {
	for i, st := range []*store.Store{p.a, p.b} {
		begin := st.Stage
		if i == 0 && s.Seq%2 == 0 {
			begin = st.Renew // renewing in a new generation must give the same result
		}
		g, err := begin(s.Seq)
		if err == nil {
			err = g.Write(s.Writes)
		}
		if err == nil {
			_, err = g.Complete()
		}
		if err == nil {
			err = g.Adopt()
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// look compares what can be read at the newest state and at those beside it.
func (p *pair) look(seq, checkpoint uint64) {
	p.t.Helper()
	for _, at := range []uint64{checkpoint, seq - 1, seq, seq + 1} {
		a, errA := p.a.View(at)
		b, errB := p.b.View(at)
		p.same(fmt.Sprintf("view at %d", at), nil, nil, errA, errB)
		if errA != nil {
			continue
		}
		start := fmt.Appendf(nil, "key %d", seq%8)
		p.same("scan", scan(p.t, a, start), scan(p.t, b, start))
		a.Close()
		b.Close()
	}
}

func scan(t *testing.T, v statemachine.StorageView, start []byte) (found []string) {
	for e, err := range v.Scan(start, nil) {
		if err != nil {
			t.Fatal(err)
		}
		got, there, err := v.Get(e.Key)
		if err != nil || !there || !slices.Equal(got, e.Value) {
			t.Fatalf("%q is scanned and not got: %v, %v", e.Key, there, err)
		}
		found = append(found, fmt.Sprintf("%s: %d bytes %.20q", e.Key, len(e.Value), e.Value))
	}
	i := len(found)
	for e, err := range v.Walk(start, nil, true) {
		if e.Deleted {
			continue
		}
		if i--; err != nil || i < 0 || found[i] != fmt.Sprintf("%s: %d bytes %.20q", e.Key, len(e.Value), e.Value) {
			t.Fatalf("going down %q is key %d of %q, %v", e.Key, i, found, err)
		}
	}
	if i != 0 {
		t.Fatalf("going down %d keys of %q are left out", i, found)
	}
	return found
}

func set(chance *rand.Rand, seq uint64) statemachine.WriteSet {
	s := statemachine.WriteSet{Seq: seq}
	for i := range 8 {
		if chance.IntN(3) > 0 {
			continue
		}
		w := statemachine.Write{Key: fmt.Appendf(nil, "key %d", i), Delete: chance.IntN(4) == 0}
		if !w.Delete {
			w.Value = fmt.Appendf(nil, "%d %d", seq, i)
			if chance.IntN(4) == 0 {
				w.Value = append(w.Value, make([]byte, chance.IntN(longValue))...)
			}
		}
		s.Writes = append(s.Writes, w)
	}
	return s
}

// When a version is lost in a crash, a view sees the version below it.
func TestLose_TheVersionBelowIsSeen(t *testing.T) {
	d := New()
	for at := uint64(1); at <= 2; at++ {
		if err := d.Write([]store.Entry{{Key: []byte("sk"), Value: fmt.Append(nil, at), Version: at}}); err != nil {
			t.Fatal(err)
		}
	}
	d.Lose([]byte("sk"), 2)
	item, err := d.At(2).Get([]byte("sk"))
	if err != nil || item == nil || d.MaxVersion() != 1 {
		t.Fatalf("%v, %v, up to %d", item, err, d.MaxVersion())
	}
	d.Lose([]byte("sk"), 1)
	if item, _ := d.At(2).Get([]byte("sk")); item != nil || d.MaxVersion() != 0 {
		t.Errorf("%v, up to %d", item, d.MaxVersion())
	}
}
