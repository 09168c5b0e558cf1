package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// past is a naive store that keeps everything: the pairs at each revision, what each revision changed, and the revision
// after each batch.
type past struct {
	t       *testing.T
	machine kv.Machine
	store   *memstore.Store
	service *statemachine.Service
	other   *statemachine.Service // the same machine over a storage that is written at other times

	states    []map[string]kv.KeyValue // by revision; 0 is unused
	events    []kv.Event
	after     []uint64 // by sequence number
	times     []int64
	compacted uint64
	numbers   uint64
	random    *rand.Rand
}

const state2 = 2 // the version of the state

func newPast(t *testing.T, m kv.Machine, seed uint64) *past {
	p := &past{
		t: t, machine: m, store: memstore.New(), states: []map[string]kv.KeyValue{nil, {}}, after: []uint64{1}, times: []int64{0}, compacted: 1,
		random: rand.New(rand.NewPCG(seed, 52)),
	}
	p.service, p.other = p.open(p.store), p.open(memstore.New())
	return p
}

func (p *past) open(st statemachine.Storage) *statemachine.Service {
	s, err := statemachine.New(p.machine, st, statemachine.Limits{FirstVersion: state2})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *past) revision() uint64 { return uint64(len(p.states)) - 1 }

func (p *past) seq() uint64 { return uint64(len(p.after)) - 1 }

// modify makes the next revision of changes: a nil value deletes.
func (p *past) modify(seq uint64, changes []change) {
	if len(changes) == 0 {
		return
	}
	rev := p.revision() + 1
	now := maps.Clone(p.states[rev-1])
	for _, c := range changes {
		before, existed := now[c.key]
		e := kv.Event{Type: kv.EventPut, Revision: rev, Seq: seq}
		if existed {
			e.Previous = &before
		}
		if c.value == nil {
			e.Type, e.Pair = kv.EventDelete, kv.KeyValue{Key: b(c.key), ModRevision: rev}
			delete(now, c.key)
		} else {
			e.Pair = kv.KeyValue{Key: b(c.key), Value: c.value, CreateRevision: rev, ModRevision: rev, Version: 1}
			if existed {
				e.Pair.CreateRevision, e.Pair.Version = before.CreateRevision, before.Version+1
			}
			now[c.key] = e.Pair
		}
		p.events = append(p.events, e)
	}
	p.states = append(p.states, now)
}

type change struct {
	key   string
	value []byte
}

// step draws an operation, and returns it with what it does to the model.
func (p *past) step(seq uint64) (op []byte, check func(result []byte)) {
	key := func() string { return strings.Repeat(string(rune('a'+p.random.IntN(12))), 1+p.random.IntN(3)) }
	value := func() []byte { return bytes.Repeat([]byte{byte(p.random.IntN(256))}, p.random.IntN(400)) }
	state := p.states[p.revision()]
	switch d := p.random.IntN(20); {
	case d < 9:
		c := change{key(), value()}
		return kv.Put(b(c.key), c.value), func([]byte) { p.modify(seq, []change{c}) }
	case d < 12:
		start, end := key(), key()
		return kv.DeleteRange(b(start), b(end)), func([]byte) {
			p.modify(seq, p.deletes(func(k string) bool { return k >= start && k < end }))
		}
	case d < 15:
		first, second := key(), key()
		if first == second {
			second += "x"
		}
		list := []change{{second, value()}, {first, value()}}
		return kv.Txn(nil, ops(kv.Put(b(second), list[0].value), kv.Put(b(first), list[1].value)), nil), func([]byte) { p.modify(seq, list) }
	case d < 16 && p.seq() > 0:
		to, prefix := uint64(p.random.IntN(int(seq))), key()[:1]
		return kv.Revert(b(prefix), to), func(result []byte) { p.reverted(seq, prefix, to, result) }
	case d < 17:
		rev := max(p.revision(), 10) - uint64(p.random.IntN(10))
		return kv.Compact(rev), func(result []byte) { p.compact(rev, result) }
	case d < 18 && len(state) > 0:
		k := slices.Sorted(maps.Keys(state))[p.random.IntN(len(state))]
		return kv.Delete(b(k)), func([]byte) { p.modify(seq, p.deletes(func(x string) bool { return x == k })) }
	}
	return kv.Get(b(key())), func([]byte) {}
}

func (p *past) deletes(which func(string) bool) (list []change) {
	for _, k := range slices.Sorted(maps.Keys(p.states[p.revision()])) {
		if which(k) {
			list = append(list, change{key: k})
		}
	}
	return list
}

func (p *past) reverted(seq uint64, prefix string, to uint64, result []byte) {
	_, err := kv.DecodeRevert(result)
	if errors.Is(err, kv.NotKept) {
		if p.kept(p.after[to]) && (p.machine.History == 0 || seq-1-to <= p.machine.History) {
			p.t.Fatalf("revert to %d, revision %d: not kept; the oldest is %d", to, p.after[to], p.compacted)
		}
		return
	}
	if err != nil {
		p.t.Fatal(err)
	}
	then, now := p.states[p.after[to]], p.states[p.revision()]
	keys := maps.Clone(then)
	maps.Copy(keys, now)
	var list []change
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		was, existed := then[k]
		is, exists := now[k]
		switch {
		case !strings.HasPrefix(k, prefix) || existed == exists && bytes.Equal(was.Value, is.Value):
		case existed:
			list = append(list, change{k, append([]byte{}, was.Value...)})
		default:
			list = append(list, change{key: k})
		}
	}
	p.modify(seq, list)
}

func (p *past) compact(rev uint64, result []byte) {
	_, err := kv.DecodeCompact(result)
	var gone *kv.Compacted
	switch {
	case rev > p.revision():
		if !errors.Is(err, kv.NotYetRevision) {
			p.t.Fatal("compact what is not there yet:", err)
		}
	case errors.As(err, &gone):
		if gone.Oldest < rev || gone.Oldest < p.compacted {
			p.t.Fatalf("compact %d: oldest %d, model %d", rev, gone.Oldest, p.compacted)
		}
	case err != nil:
		p.t.Fatal(err)
	default:
		p.compacted = max(p.compacted, rev)
	}
}

// kept reports whether the machine must be able to tell a revision.
func (p *past) kept(rev uint64) bool {
	k, newest := p.machine.Keep, p.revision()
	if rev < p.compacted || k.Revisions > 0 && newest-rev > k.Revisions {
		return false
	}
	if p.machine.History > 0 || k.Age > 0 {
		return rev == newest
	}
	return true
}

// batch executes some operations as one batch, on both services.
func (p *past) batch(n int) {
	seq := p.seq() + 1
	batch := statemachine.Batch{Seq: seq, Time: p.times[seq-1] + int64(p.random.IntN(5))*int64(time.Second) + 1}
	var checks []func([]byte)
	apply := func() []byte {
		replies, err := p.service.Apply(batch)
		if err != nil {
			p.t.Fatal(err)
		}
		for i, check := range checks {
			check(replies[i].Results[0])
		}
		also, err := p.other.Apply(batch)
		if err != nil {
			p.t.Fatal(err)
		}
		for i := range replies {
			if !bytes.Equal(replies[i].Results[0], also[i].Results[0]) {
				p.t.Fatalf("batch %d: two replicas answer %x and %x", seq, replies[i].Results[0], also[i].Results[0])
			}
		}
		return nil
	}
	_ = n
	op, check := p.step(seq)
	ops := [][]byte{op}
	checks = append(checks, check)
	for range n - 1 { // puts alone: the others are drawn from the state before the batch
		c := change{string(rune('a' + p.random.IntN(12))), bytes.Repeat([]byte{1}, p.random.IntN(300))}
		ops = append(ops, kv.Put(b(c.key), c.value))
		checks = append(checks, func([]byte) { p.modify(seq, []change{c}) })
	}
	for i, op := range ops {
		p.numbers++
		batch.Requests = append(batch.Requests, statemachine.Request{
			Client: [32]byte{1}, Session: 1, T: p.numbers, AckedBelow: p.numbers, Digest: [32]byte{byte(i)}, Ops: [][]byte{op},
		})
	}
	apply()
	p.after, p.times = append(p.after, p.revision()), append(p.times, batch.Time)
	if p.random.IntN(4) == 0 {
		p.must(p.service.Flush())
		p.store.Discard(seq)
	}
	if p.random.IntN(9) == 0 {
		p.must(p.other.Flush())
	}
}

func (p *past) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func same(a, b kv.KeyValue) bool {
	return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value) && a.CreateRevision == b.CreateRevision && a.ModRevision == b.ModRevision &&
		a.Version == b.Version
}

// check compares a revision, a batch and the changes since a revision with the model.
func (p *past) check() {
	p.t.Helper()
	rev := 1 + uint64(p.random.IntN(int(p.revision())))
	start, end := string(rune('a'+p.random.IntN(6))), string(rune('g'+p.random.IntN(6)))
	result, err := p.service.Query(kv.AtRevision(rev, kv.Range(b(start), b(end), 0)), p.seq())
	p.must(err)
	p.pairs(rev, start, end, result, p.kept(rev))
	key := strings.Repeat(string(rune('a'+p.random.IntN(12))), 1+p.random.IntN(3))
	result, err = p.service.Query(kv.AtRevision(rev, kv.Get(b(key))), p.seq())
	p.must(err)
	if got, err := kv.DecodeGet(result); err == nil {
		want, found := p.states[rev][key]
		if found != (got.Pair != nil) || found && !same(*got.Pair, want) {
			p.t.Fatalf("%s at revision %d: %v, want %v", key, rev, got.Pair, want)
		}
	}
	at := uint64(p.random.IntN(int(p.seq()) + 1))
	switch result, err = p.service.Query(kv.Range(b(start), b(end), 0), at); {
	case err == nil:
		if at > 0 {
			p.pairs(p.after[at], start, end, result, true)
		}
	case !errors.Is(err, statemachine.ErrNotRetained) || p.kept(p.after[at]) && (p.machine.History == 0 || p.seq()-at <= p.machine.History):
		p.t.Fatalf("after %d of %d, revision %d of %d: %v", at, p.seq(), p.after[at], p.revision(), err)
	}
	p.follow(rev)
}

func (p *past) pairs(rev uint64, start, end string, result []byte, kept bool) {
	p.t.Helper()
	got, err := kv.DecodeRange(result)
	var gone *kv.Compacted
	if errors.As(err, &gone) && !kept && gone.Oldest > rev {
		return
	}
	p.must(err)
	var want []kv.KeyValue
	for _, k := range slices.Sorted(maps.Keys(p.states[rev])) {
		if k >= start && k < end {
			want = append(want, p.states[rev][k])
		}
	}
	if got.Revision != rev || !slices.EqualFunc(got.Pairs, want, same) {
		p.t.Fatalf("[%s, %s) at revision %d of %d: revision %d, %v; want %v", start, end, rev, p.revision(), got.Revision, got.Pairs, want)
	}
}

// follow compares the changes after a revision with the model, if they are kept.
func (p *past) follow(after uint64) {
	p.t.Helper()
	p.must(p.service.Follow(nil, func(r statemachine.Reader, m statemachine.Followed) {
		newest, oldest, kept := m.Head(r)
		if !kept || newest != p.revision() || p.kept(after) && oldest > after {
			p.t.Fatalf("the head is %d, %d, %v; at revision %d, compacted %d", newest, oldest, kept, p.revision(), p.compacted)
		}
		if after < oldest {
			return
		}
		i, _ := slices.BinarySearchFunc(p.events, after, func(e kv.Event, after uint64) int {
			if e.Revision > after {
				return 1
			}
			return -1
		})
		for c := range m.Changes(r, after) {
			want := p.events[i]
			e, err := kv.DecodeEvent(c.Event)
			p.must(err)
			ok := c.Revision == want.Revision && bytes.Equal(c.Key, want.Pair.Key) && e.Type == want.Type && e.Seq == want.Seq && same(e.Pair, want.Pair)
			if !ok || (e.Previous == nil) != (want.Previous == nil) || e.Previous != nil && !same(*e.Previous, *want.Previous) {
				p.t.Fatalf("change %d after revision %d: %+v, want %+v", i, after, e, want)
			}
			i++
		}
		if i != len(p.events) {
			p.t.Fatalf("after revision %d: %d changes are missing", after, len(p.events)-i)
		}
	}))
}

// Every revision and every batch that is kept is told as it was, with the changes after it; what is not kept is refused,
// and two replicas that write at different times have the same state.
func TestLog_TellsWhatANaiveStoreRemembers(t *testing.T) {
	for name, m := range map[string]kv.Machine{
		"all":       {Keep: kv.Keep{All: true}},
		"revisions": {Keep: kv.Keep{Revisions: 25}},
		"batches":   {History: 12},
		"age":       {Keep: kv.Keep{Age: 30 * time.Second}},
		"all three": {History: 12, Keep: kv.Keep{Revisions: 25, Age: time.Minute}},
	} {
		for seed := range uint64(6) {
			t.Run(fmt.Sprint(name, "/", seed), func(t *testing.T) {
				p := newPast(t, m, seed)
				for range 250 {
					p.batch(1 + p.random.IntN(4))
					p.check()
				}
				p.must(p.service.Flush())
				p.must(p.other.Flush())
				root, err := p.service.Checkpoint(p.seq())
				p.must(err)
				also, err := p.other.Checkpoint(p.seq())
				p.must(err)
				if root != also {
					t.Error("two replicas have different states")
				}
				p.must(p.service.Load(p.seq()))
				for range 20 {
					p.check()
				}
			})
		}
	}
}
