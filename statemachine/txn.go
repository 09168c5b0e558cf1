package statemachine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// Panics that a Reader or Txn unwinds an application with. The reason is kept in the reader as well, because an
// application may recover.
var (
	errReadFailed = errors.New("the storage failed while an operation read it")
	errOverLimit  = errors.New("the operation exceeds a replicated limit")
)

// reader is a Reader over a layer and the storage view below it. It has no method that writes, so that a query cannot
// find one.
type reader struct {
	above layer
	base  StorageView
	seq   uint64
	time  int64
	first int             // of a query: the version of a state that has no record of it
	key   []byte          // scratch
	err   error           // of the storage: nothing that was executed after it counts
	stop  <-chan struct{} // closed: a query is given up; nil in a batch, which never is

	passed, mayPass int  // keys that ranges passed in this request, and how many may be; a query has time instead
	spent, maySpend int  // units of cost, likewise
	overLimit       bool // the operation fails, whatever the application makes of the panic
}

func (r *reader) Seq() uint64 { return r.seq }

func (r *reader) Time() time.Time { return time.Unix(0, r.time).UTC() }

func (r *reader) Version() int {
	r.goOn()
	r.spend(costRead, 0)
	version, err := versionAt(r.above, r.base, r.first)
	if err != nil {
		r.unread(err)
	}
	return version
}

func (r *reader) Get(key []byte) ([]byte, bool) {
	r.goOn()
	r.key = appendApplicationKey(r.key[:0], key)
	if w, ok := r.above.get(r.key); ok {
		r.spend(costRead, len(key)+len(w.Value)) // as below: which layer holds a value differs between replicas
		return w.Value, !w.Delete
	}
	value, found, err := r.base.Get(r.key)
	if err != nil {
		r.unread(err)
	}
	r.spend(costRead, len(key)+len(value))
	return value, found
}

// Range asks the layer anew at every step, so that the sequence is that of the current state even while the loop's
// body writes, and does not depend on which writes the storage holds already.
func (r *reader) Range(start, end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		from, to := appendApplicationKey(nil, start), applicationEnd(end)
		if bytes.Compare(from, to) >= 0 {
			return
		}
		r.goOn()
		m := merge{above: r.above, at: from, yield: r.passing(yield)}
		for e, err := range r.base.Scan(from, to) {
			if err != nil {
				r.unread(err)
			}
			r.goOn()
			if !m.upTo(e.Key) || !m.stored(e) {
				return
			}
		}
		m.upTo(to)
	}
}

// RangeDown is Range from the other end.
func (r *reader) RangeDown(start, end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		from, to := appendApplicationKey(nil, start), applicationEnd(end)
		if bytes.Compare(from, to) >= 0 {
			return
		}
		r.goOn()
		m := merge{above: r.above, at: to, yield: r.passing(yield)}
		for e, err := range r.base.ScanDown(from, to) {
			if err != nil {
				r.unread(err)
			}
			r.goOn()
			if !m.downTo(e.Key, false) || !m.stored(e) {
				return
			}
		}
		m.downTo(from, true)
	}
}

// passing is yield with what a key costs.
func (r *reader) passing(yield func(key, value []byte) bool) func(key, value []byte) bool {
	return func(key, value []byte) bool {
		r.pass()
		r.spend(costPass, len(key)+len(value))
		return yield(key, value)
	}
}

// pass counts a key that a range yields: a few bytes may ask for the whole state, again and again, and every replica would
// be busy with nothing else. Keys that are deleted do not count, since what is left of them differs between replicas.
func (r *reader) pass() {
	if r.mayPass == 0 {
		return
	}
	if r.passed++; r.passed > r.mayPass {
		r.exceed()
	}
}

// spend adds to what the request cost.
func (r *reader) spend(units, bytes int) {
	r.spent += units + bytes>>costShift
	if r.maySpend != 0 && r.spent > r.maySpend {
		r.exceed()
	}
}

// exceed ends the operation.
func (r *reader) exceed() {
	r.overLimit = true
	panic(errOverLimit)
}

// goOn ends the operation when it is to stop.
func (r *reader) goOn() {
	select {
	case <-r.stop:
		r.fail(ErrStopped)
	default:
	}
}

// unread ends the operation because the storage failed.
func (r *reader) unread(err error) {
	r.fail(fmt.Errorf("read the state at sequence number %d: %w", r.seq, err))
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	panic(errReadFailed)
}

// merge yields the entries of a storage view and of the layer above it in one sequence, ascending or descending.
type merge struct {
	above  layer
	at     []byte // the position: everything below it was yielded; descending, everything above it and the key itself
	beyond bool   // ascending: the key itself too
	yield  func(key, value []byte) bool
}

// upTo yields what the layer holds below key.
func (m *merge) upTo(key []byte) bool {
	for {
		w, ok := m.above.seek(m.at, m.beyond)
		if !ok || bytes.Compare(w.Key, key) >= 0 {
			return true
		}
		m.at, m.beyond = w.Key, true
		if !w.Delete && !m.yield(w.Key[1:], w.Value) {
			return false
		}
	}
}

// downTo yields what the layer holds above key, or from key on.
func (m *merge) downTo(key []byte, including bool) bool {
	for {
		w, ok := m.above.seekDown(m.at)
		if !ok {
			return true
		}
		if c := bytes.Compare(w.Key, key); c < 0 || c == 0 && !including {
			return true
		}
		m.at = w.Key
		if !w.Delete && !m.yield(w.Key[1:], w.Value) {
			return false
		}
	}
}

// stored yields an entry of the storage view, or what the layer holds in its place.
func (m *merge) stored(e Entry) bool {
	m.at, m.beyond = e.Key, true
	w, ok := m.above.get(e.Key)
	switch {
	case !ok:
		return m.yield(e.Key[1:], e.Value)
	case w.Delete:
		return true
	}
	return m.yield(w.Key[1:], w.Value)
}

// txn is the Txn of one operation.
type txn struct {
	reader
	writes *overlay
	limits *Limits
	size   int // bytes written by the operation
	client [32]byte
	begun  int // operations of the batch, the present one included
	random *rand.Rand
}

func (t *txn) Client() [32]byte { return t.client }

func (t *txn) Index() int { return t.begun - 1 }

// randDomain keeps the seeds apart from every other digest.
const randDomain = "tagma/statemachine/rand/1"

// Rand leaves the request's digest out: its client could try digests until the numbers suit it.
func (t *txn) Rand() *rand.Rand {
	if t.random == nil {
		b := binary.BigEndian.AppendUint64([]byte(randDomain), t.seq)
		b = binary.BigEndian.AppendUint64(b, uint64(t.Index()))
		b = binary.BigEndian.AppendUint64(b, uint64(t.time))
		t.random = rand.New(rand.NewChaCha8(sha256.Sum256(b)))
	}
	return t.random
}

func (t *txn) begin() {
	t.size, t.overLimit, t.random = 0, false, nil
	t.begun++
	t.spent += costOperation
	t.writes.beginOperation()
}

func (t *txn) Put(key, value []byte) {
	t.charge(len(key), len(value))
	t.key = appendApplicationKey(t.key[:0], key)
	t.writes.write(t.key, bytes.Clone(value), false)
}

func (t *txn) Delete(key []byte) {
	t.charge(len(key), 0)
	t.key = appendApplicationKey(t.key[:0], key)
	t.writes.write(t.key, nil, true)
}

func (t *txn) charge(key, value int) {
	t.size += key + value
	t.spend(costWrite, key+value)
	if key > t.limits.MaxKeyBytes || value > t.limits.MaxValueBytes || t.size > t.limits.MaxWriteBytes {
		t.exceed()
	}
}
