package tamper

import (
	"bytes"
	"iter"
	"sync"

	"tagma/statemachine"
)

// Flipper is a machine that can flip a bit in the value of a key, as faulty memory does. Nothing shows this: the result
// of the operation is the same as on every replica. A Flipper belongs to one process. If another process executes the
// same operation, no bit is flipped there.
type Flipper struct {
	statemachine.Machine
	mu   sync.Mutex
	due  []string // keys, first come first
	done int
}

// Flip flips a bit of a later value: the next one that is the last write of an operation and is written under this key.
// If the key is "", it may be any key. Flip may be called from any goroutine.
func (f *Flipper) Flip(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.due = append(f.due, key)
}

// Flips returns how many values were changed so far.
func (f *Flipper) Flips() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done
}

// wants are the keys whose next values will be changed.
func (f *Flipper) wants() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.due
}

// Unwrap lets the service find what else the machine implements.
func (f *Flipper) Unwrap() statemachine.Machine { return f.Machine }

// Apply implements statemachine.Machine.
func (f *Flipper) Apply(tx statemachine.Txn, op []byte) []byte {
	due := f.wants()
	if len(due) == 0 {
		return f.Machine.Apply(tx, op)
	}
	late := &lateTxn{Txn: tx}
	result := f.Machine.Apply(late, op)
	turned := late.held && len(late.value) > 0 && bytes.HasSuffix(late.key, []byte(due[0])) // behind a machine's prefix
	if turned {
		late.value[len(late.value)-1] ^= 1
	}
	late.settle()
	if turned { // writing it did not panic
		f.mu.Lock()
		defer f.mu.Unlock()
		f.due, f.done = f.due[1:], f.done+1
	}
	return result
}

// lateTxn delays the last write until another write follows or the value is read. So it can change the value of the last
// write without extra cost, because the cost of an operation must be the same on all replicas.
type lateTxn struct {
	statemachine.Txn
	held       bool
	key, value []byte
}

func (t *lateTxn) settle() {
	if t.held {
		t.held = false
		t.Txn.Put(t.key, t.value)
	}
}

// Put implements statemachine.Txn.
func (t *lateTxn) Put(key, value []byte) {
	t.settle()
	t.held, t.key, t.value = true, bytes.Clone(key), bytes.Clone(value)
}

// Delete implements statemachine.Txn.
func (t *lateTxn) Delete(key []byte) {
	t.settle()
	t.Txn.Delete(key)
}

// Get implements statemachine.Reader.
func (t *lateTxn) Get(key []byte) (value []byte, found bool) {
	if bytes.Equal(key, t.key) {
		t.settle()
	}
	return t.Txn.Get(key)
}

// Range and RangeDown implement statemachine.Reader. Their loops see writes ahead of their positions.
func (t *lateTxn) Range(start, end []byte) iter.Seq2[[]byte, []byte] {
	return t.settled(t.Txn.Range(start, end))
}

func (t *lateTxn) RangeDown(start, end []byte) iter.Seq2[[]byte, []byte] {
	return t.settled(t.Txn.RangeDown(start, end))
}

func (t *lateTxn) settled(all iter.Seq2[[]byte, []byte]) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		t.settle()
		for key, value := range all {
			if !yield(key, value) {
				return
			}
			t.settle()
		}
	}
}
