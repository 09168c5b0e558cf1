package sim

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"tagma/internal/trace"
	"tagma/pbft/wire"
)

// tape holds running hashes of all frames and of the times of events, and the last events for people. Events are made
// only if there is a listener.
type tape struct {
	frames, marks xxhash.Digest
	ring          []trace.Event // the last events
	next          int
	out           func(trace.Event)
}

// mark adds something that happened to the hash: a letter for its kind, the node, and two numbers.
func (w *World) mark(what byte, who int, a, b uint64) {
	var words [32]byte
	for i, v := range [...]uint64{uint64(w.now), uint64(who)<<8 | uint64(what), a, b} {
		binary.LittleEndian.PutUint64(words[8*i:], v)
	}
	_, _ = w.tape.marks.Write(words[:])
}

// Hash is the hash of everything that was sent, written, executed and answered, and of the times. Two runs with the same
// hash are the same run.
func (w *World) Hash() string {
	return fmt.Sprintf("%016x%016x", w.tape.frames.Sum64(), w.tape.marks.Sum64())
}

// tap returns the tap that makes the events of a replica, or of no replica (trace.None). It is nil if there is no
// listener.
func (w *World) tap(replica int) *trace.Tap {
	if w.tape.out == nil && len(w.tape.ring) == 0 {
		return nil
	}
	t := trace.NewTap(replica, w.cfg.Quorum(), func() int64 { return w.now.Microseconds() }, w.tape.hear)
	t.Of(w.opt.Cluster)
	t.Name(w.numberOf)
	return t
}

// numberOf returns a client's number, given its key.
func (w *World) numberOf(key wire.PublicKey) (int, bool) {
	i := slices.IndexFunc(w.clients, func(c *client) bool { return c.party.key == key })
	return i, i >= 0
}

// Tap returns the tap for what is done to the world. It is nil if there is no listener.
func (w *World) Tap() *trace.Tap { return w.own }

func (t *tape) hear(e trace.Event) {
	if len(t.ring) > 0 {
		t.ring[t.next] = e
		t.next = (t.next + 1) % len(t.ring)
	}
	if t.out != nil {
		t.out(e)
	}
}

// back returns the n-th event from the end, from 1 on; nil if there is none.
func (t *tape) back(n int) trace.Event { return t.ring[(t.next-n+len(t.ring))%len(t.ring)] }

// last finds the last events for which is holds, and returns their numbers from the end, the last event first.
func (t *tape) last(most int, is func(trace.Event) bool) (found []int) {
	for n := 1; n <= len(t.ring) && len(found) < most; n++ {
		if e := t.back(n); e != nil && is(e) {
			found = append(found, n)
		}
	}
	return found
}

// Last returns the last events of the run as text, at most so many.
func (w *World) Last(lines int) []string {
	return w.tape.lines(w.tape.last(lines, func(trace.Event) bool { return true }))
}
