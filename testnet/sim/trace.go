package sim

import (
	"encoding/binary"
	"fmt"

	"tagma/internal/trace"
)

// tape is a running hash over what happens, and the last events for people. Events are made only if somebody listens.
type tape struct {
	x, y uint64
	ring []trace.Event // the last ones
	next int
	out  func(trace.Event)
}

// mark adds to the hash that something happened: a letter for what, who did it, and two numbers.
func (w *World) mark(what byte, who int, a, b uint64) {
	w.tape.mix(uint64(w.now), uint64(who)<<8|uint64(what))
	w.tape.mix(a, b)
}

// mix takes two words. Each goes into a half of its own, and what the other half was goes into both.
func (t *tape) mix(v, u uint64) {
	t.x, t.y = fold(t.x^v, 0xd6e8feb86659fd93)+t.y, fold(t.y+u, 0xa0761d6478bd642f)^t.x
}

func (t *tape) bytes(b []byte) {
	t.mix(uint64(len(b)), 0)
	for len(b) >= 16 {
		t.mix(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]))
		b = b[16:]
	}
	var rest [16]byte
	copy(rest[:], b)
	t.mix(binary.LittleEndian.Uint64(rest[:]), binary.LittleEndian.Uint64(rest[8:]))
}

// Hash is the hash of all that was sent, written, executed and answered, and when: two runs with one hash are the same run.
func (w *World) Hash() string { return fmt.Sprintf("%016x%016x", w.tape.x, w.tape.y) }

// tap makes the events of a replica, or of none; nil if nobody listens.
func (w *World) tap(replica int) *trace.Tap {
	if w.tape.out == nil && len(w.tape.ring) == 0 {
		return nil
	}
	return trace.NewTap(replica, w.cfg.Quorum(), func() int64 { return w.now.Microseconds() }, w.tape.hear)
}

// Tap is told what is done to the world; nil if nobody listens.
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

// back returns the event that lies so many before the end, from 1 on; nil if there is none.
func (t *tape) back(n int) trace.Event { return t.ring[(t.next-n+len(t.ring))%len(t.ring)] }

// last finds the last events of a sort: how far each lies before the end, the nearest first.
func (t *tape) last(most int, is func(trace.Event) bool) (found []int) {
	for n := 1; n <= len(t.ring) && len(found) < most; n++ {
		if e := t.back(n); e != nil && is(e) {
			found = append(found, n)
		}
	}
	return found
}

// Last returns the last events of the run in words, at most so many.
func (w *World) Last(lines int) []string {
	return w.tape.lines(w.tape.last(lines, func(trace.Event) bool { return true }))
}
