package sim

import (
	"math/rand/v2"

	"tagma/checkpoint/store"
	"tagma/checkpoint/store/memory"
	"tagma/testnet/sim/disk"
)

// medium keeps a replica's state below the shipped store, and outlives the process. A crash loses what a real store may
// lose (D5): the end of the write that is under way, or any keys and parts of values in it. A write is durable when it
// has returned and the time of its sync has passed.
type medium struct {
	*memory.Disk
	flight  []store.Entry // entries of the write under way
	failure error         // the error that every write returns; nil: writes succeed
	next    *medium       // the generation that replaces this one, now or later
	gone    bool          // the medium was dropped
}

func newMedium() *medium { return &medium{Disk: memory.New()} }

// Write implements store.Engine. The entries are durable once they are settled.
func (m *medium) Write(entries []store.Entry) error {
	if m.failure != nil {
		return m.failure
	}
	m.settle()
	m.flight = append(m.flight, entries...)
	return m.Disk.Write(entries)
}

// Failure implements store.Engine.
func (m *medium) Failure() error { return m.failure }

// Next implements store.Engine.
func (m *medium) Next() (store.Engine, error) {
	m.next = newMedium()
	m.next.failure = m.failure
	return m.next, nil
}

// Drop implements store.Engine.
func (m *medium) Drop() error {
	m.gone = true
	return m.Disk.Drop()
}

// present returns the first generation that was not dropped. Its next is one that was not dropped either, or nil.
func (m *medium) present() *medium {
	for m.gone && m.next != nil {
		m = m.next
	}
	if m.next != nil && m.next.gone && m.next.next == nil {
		m.next = nil
	}
	return m
}

// copy returns a medium with the durable content of this one.
func (m *medium) copy() *medium {
	if m == nil {
		return nil
	}
	return &medium{Disk: m.Copy(), next: m.next.copy(), gone: m.gone}
}

// all calls do for every generation of the store.
func (m *medium) all(do func(*medium)) {
	for ; m != nil; m = m.next {
		do(m)
	}
}

// settle makes the writes in flight durable: their sync has ended.
func (m *medium) settle() {
	clear(m.flight)
	m.flight = m.flight[:0]
}

// crash loses what was in flight, or a part of it.
func (m *medium) crash(l disk.Loss, chance *rand.Rand) {
	flight := m.flight
	m.flight = nil
	if l == disk.Kill {
		return
	}
	kept := 0
	if l == disk.Tail {
		kept = chance.IntN(len(flight) + 1)
	}
	for i := range flight {
		if l == disk.All || l == disk.Tail && i >= kept || l == disk.Holes && chance.IntN(2) == 0 {
			m.Lose(flight[i].Key, flight[i].Version)
		}
	}
}
