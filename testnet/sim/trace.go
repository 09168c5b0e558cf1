package sim

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"tagma/pbft/wire"
)

// trace is a running hash over everything that happens, and its last lines for people.
type trace struct {
	x, y  uint64
	lines []line // a ring
	next  int
	out   io.Writer
	err   error // of out
}

// what names an entry of the trace. The words are for people; the order is part of the hash.
type what uint8

const (
	received what = iota + 1
	refused
	turned
	journalled
	truncated
	sent
	dropped
	responded
	executed
	snapshotted
	entered
	accused
	diverged
	started
	crashed
	stopped
	paused
	resumed
	asked
	accepted
	faulted
	delivered
)

var words = [...]string{
	received: "receives", refused: "refuses", turned: "takes a turn of", journalled: "journals", truncated: "truncates below",
	sent: "sends", dropped: "drops", responded: "replies to client", executed: "executes", snapshotted: "has a checkpoint at",
	entered: "enters view", accused: "accuses", diverged: "diverges at", started: "starts at", crashed: "crashes:",
	stopped: "stops:", paused: "pauses", resumed: "resumes", asked: "asks", accepted: "accepts",
	faulted: "fault:", delivered: "has delivered",
}

// line is one entry. It is made into text only if somebody wants to read it.
type line struct {
	at    time.Duration
	who   int // a replica, or −1 minus a client, or nobody
	what  what
	a, b  uint64
	msg   wire.Message
	words string
}

const nobody = 1 << 20

func (w *World) note(l line) {
	t := &w.trace
	l.at = w.now
	t.mix(uint64(l.at), uint64(l.who)<<8|uint64(l.what))
	t.mix(l.a, l.b)
	if l.words != "" {
		t.bytes([]byte(l.words))
	}
	if len(t.lines) > 0 {
		t.lines[t.next] = l
		if t.next++; t.next == len(t.lines) {
			t.next = 0
		}
	}
	if t.out != nil && t.err == nil {
		_, t.err = fmt.Fprintln(t.out, l.String())
	}
}

// mix takes two words. Each goes into a half of its own, and what the other half was goes into both.
func (t *trace) mix(v, u uint64) {
	t.x, t.y = fold(t.x^v, 0xd6e8feb86659fd93)+t.y, fold(t.y+u, 0xa0761d6478bd642f)^t.x
}

func (t *trace) bytes(b []byte) {
	t.mix(uint64(len(b)), 0)
	for len(b) >= 16 {
		t.mix(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]))
		b = b[16:]
	}
	var rest [16]byte
	copy(rest[:], b)
	t.mix(binary.LittleEndian.Uint64(rest[:]), binary.LittleEndian.Uint64(rest[8:]))
}

// Hash is the hash of everything that has happened: two runs with one hash are the same run.
func (w *World) Hash() string { return fmt.Sprintf("%016x%016x", w.trace.x, w.trace.y) }

// Last returns the last lines of the trace, at most so many.
func (w *World) Last(lines int) []string {
	t := &w.trace
	var out []string
	for i := range t.lines {
		if l := &t.lines[(t.next+i)%len(t.lines)]; l.what != 0 {
			out = append(out, l.String())
		}
	}
	return out[max(0, len(out)-lines):]
}

func (l *line) String() string {
	who := ""
	switch {
	case l.who == nobody:
	case l.who < 0:
		who = fmt.Sprintf("client %d ", -1-l.who)
	default:
		who = fmt.Sprintf("replica %d ", l.who)
	}
	text := fmt.Sprintf("%12s %s%s", l.at, who, words[l.what])
	switch l.what {
	case received, refused, sent, dropped, responded, accused:
		text += " " + wire.Format(l.msg)
	case turned, journalled, truncated, executed, snapshotted, entered, diverged, started:
		text += fmt.Sprintf(" %d", l.a)
	case asked, accepted:
		text += fmt.Sprintf(" %d", l.a)
	default: // the words say it
	}
	switch l.what {
	case received, refused:
		text += fmt.Sprintf(" from %s", source(l.b))
	case sent:
		text += fmt.Sprintf(" to %d", l.b)
	default: // nobody else is in it
	}
	if l.words != "" {
		text += " " + l.words
	}
	return text
}

// fromClients is the source of what comes from a client in a line: this plus its number.
const fromClients = 1 << 16

func source(b uint64) string {
	if b >= fromClients {
		return fmt.Sprintf("client %d", b-fromClients)
	}
	return fmt.Sprintf("replica %d", b)
}
