package commit

import (
	"bytes"
	"slices"

	"tagma/statemachine"
	"tagma/statemachine/codec"
)

// Lock is a key that a part locks: exclusively if the part writes it, shared if the part only depends on it (TX4).
type Lock struct {
	Name      []byte // chosen by the machine; of a key of its own, for instance
	Exclusive bool
}

// holders are the transactions that hold a lock.
type holders struct {
	exclusive bool
	tids      []TID // one if exclusive
}

func readHolders(r statemachine.Reader, name []byte) (h holders) {
	b, found := r.Get(key(spaceLock, name))
	if !found {
		return holders{}
	}
	return decodeHolders(b)
}

func decodeHolders(b []byte) (h holders) {
	c := codec.NewReader(b)
	h.exclusive = c.Bool()
	for n := c.Len(len(TID{})); n > 0; n-- {
		h.tids = append(h.tids, array32(c))
	}
	if c.End() != nil || len(h.tids) == 0 {
		panic("commit: a lock is malformed")
	}
	return h
}

func (h *holders) write(tx statemachine.Txn, name []byte) {
	if len(h.tids) == 0 {
		tx.Delete(key(spaceLock, name))
		return
	}
	b := codec.AppendLen(codec.AppendBool(nil, h.exclusive), len(h.tids))
	for _, tid := range h.tids {
		b = append(b, tid[:]...)
	}
	tx.Put(key(spaceLock, name), b)
}

// locked describes the first holder.
func (h *holders) locked(r statemachine.Reader) *Locked {
	rec := readRecord(r, h.tids[0])
	if rec == nil || rec.State != StatePrepared {
		panic("commit: a lock is held by a transaction that is not prepared")
	}
	return &Locked{TID: h.tids[0], Coordinator: rec.transaction().Coordinator, Deadline: rec.deadline}
}

// anyOpen reports whether any transaction is open. The first call writes that none is. It does so because a key that
// exists is found in memory, and every ordinary write reads this key.
func anyOpen(tx statemachine.Txn) bool {
	b, found := tx.Get(key(spaceSums))
	if !found {
		sums{}.write(tx)
		return false
	}
	return decodeSums(b).open > 0
}

// conflict returns a transaction that holds a lock which conflicts with one of the wanted locks, or nil.
func conflict(tx statemachine.Txn, wanted []Lock) *Locked {
	if !anyOpen(tx) {
		return nil
	}
	for _, w := range wanted {
		h := readHolders(tx, w.Name)
		if len(h.tids) > 0 && (w.Exclusive || h.exclusive || len(h.tids) >= MaxShared) {
			return h.locked(tx)
		}
	}
	return nil
}

// take locks everything that conflict found free.
func take(tx statemachine.Txn, tid TID, wanted []Lock) {
	for _, w := range wanted {
		h := readHolders(tx, w.Name)
		h.exclusive = w.Exclusive
		h.tids = append(h.tids, tid)
		h.write(tx, w.Name)
	}
}

// release releases the locks that take took.
func release(tx statemachine.Txn, tid TID, held []Lock) {
	for _, w := range held {
		h := readHolders(tx, w.Name)
		h.tids = slices.DeleteFunc(h.tids, func(other TID) bool { return other == tid })
		h.write(tx, w.Name)
	}
}

// Written returns a transaction that holds a key which an ordinary operation is about to write, or nil if there is none.
// A transaction that holds a key, even with a shared lock, must not see it change (TX4).
func Written(tx statemachine.Txn, name []byte) *Locked {
	return conflict(tx, []Lock{{Name: name, Exclusive: true}})
}

// Read is for an ordinary operation that writes and depends on the value of a key. It returns a transaction that is
// about to change this key, or nil. If the operation used the old value, it could contradict a transaction that is
// already committed in another group. Operations that only read need not ask: they see the old value (TX4).
func Read(tx statemachine.Txn, name []byte) *Locked {
	if !anyOpen(tx) {
		return nil
	}
	if h := readHolders(tx, name); h.exclusive {
		return h.locked(tx)
	}
	return nil
}

// Range is Written for all keys start ≤ name < end, whether they exist or not; a nil end means no end.
func Range(tx statemachine.Txn, start, stop []byte) *Locked {
	if !anyOpen(tx) {
		return nil
	}
	last := end(spaceLock)
	if stop != nil {
		last = key(spaceLock, stop)
	}
	for _, b := range tx.Range(key(spaceLock, start), last) {
		h := decodeHolders(bytes.Clone(b))
		return h.locked(tx)
	}
	return nil
}

// tidy sorts the locks that a machine named, and removes duplicates. A lock is exclusive if one of the duplicates is.
func tidy(locks []Lock) []Lock {
	locks = slices.Clone(locks)
	slices.SortFunc(locks, func(a, b Lock) int {
		if c := bytes.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		switch {
		case a.Exclusive == b.Exclusive:
			return 0
		case a.Exclusive:
			return -1
		}
		return 1
	})
	return slices.CompactFunc(locks, func(a, b Lock) bool { return bytes.Equal(a.Name, b.Name) })
}
