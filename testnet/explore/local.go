package explore

import (
	"fmt"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// kind says what happens to a replica in a move.
type kind uint8

const (
	start   kind = iota // the replica starts for the first time
	deliver             // messages with these letters arrive, in order
	fetch               // the body of a value that it lacks arrives
	expire              // its timers end; a move of its own only if more follows than a Suspect
	restart             // it crashes and starts again from its journal
	forget              // it loses everything that it wrote, and asks the others
	stable              // the checkpoint at the base becomes stable, and the replica fetches its state from others
)

// move is one transition of one replica. Moves can be compared: the same move from the same state of the replica has the
// same result.
type move struct {
	kind    kind
	letters [3]int32 // used in deliver: the letters, then zeros; used in stable: the other replicas
	seq     wire.Seq // set in fetch
	value   value    // set in fetch
	crash   uint8    // the replica crashes after so many effects that become durable, and restarts; 0: it does not crash
}

// local is a state of one replica, together with the moves that lead to it. A core cannot be copied, so it is rebuilt by
// repeating these moves.
type local struct {
	parent int32 // index of the state before; the first state, whose move is start, has its own index
	by     move
	silent bool // the timers did not end after the move; their end is then a move of its own
	view   wire.View
	level  wire.View // the highest view that any move so far was about
	active bool
	slots  [maxSlots]slotState
	shown  shown

	suspects bool            // the replica has a Suspect of its own for its view
	asks     bool            // the replica has sent its view change for its view
	votes    bool            // the replica is active in its view, and may vote there
	lives    int             // how often the replica has lost its memory
	asking   bool            // the replica asks what it has forgotten
	heard    [replicas]int32 // the answers that it has received while asking, as letters
	answers  [replicas]int32 // what the replica would answer to each other replica, as letters

	core   int32 // hash of the core, as a number
	counts int32 // hash of the part of the core that later moves depend on
	stays  int32 // hash of the part of the core that a change of view does not clear
}

// long is longer than every timeout.
const long = time.Hour

// locals are all known states of one replica and the moves between them.
type locals struct {
	a     *alphabet
	id    wire.ReplicaID
	all   []local
	index numbering[fingerprint] // numbers of states
	cores numbering[fingerprint] // numbers of hashes
	moves map[step]outcome

	classes numbering[class]
	faces   map[face]int32

	fails error // the first violation that concerns only one replica
}

// numbering numbers different values, from 0.
type numbering[T comparable] map[T]int32

func (n numbering[T]) of(what T) (number int32, isNew bool) {
	number, known := n[what]
	if !known {
		number = int32(len(n))
		n[what] = number
	}
	return number, !known
}

// outcome is the state after a move, and how many of the move's effects became durable.
type outcome struct {
	to      int32
	durable uint8
}

// step is a move from a local state.
type step struct {
	from int32
	move move
}

func newLocals(a *alphabet, id wire.ReplicaID) *locals {
	return &locals{
		a: a, id: id, index: numbering[fingerprint]{}, cores: numbering[fingerprint]{}, moves: map[step]outcome{},
		classes: numbering[class]{}, faces: map[face]int32{},
	}
}

// begin returns the initial state.
func (ls *locals) begin() int32 { return ls.next(0, move{kind: start}).to }

// next returns the outcome of a move from a state. The move is made only the first time; later calls return the same
// outcome.
func (ls *locals) next(from int32, m move) outcome {
	if m.kind == stable {
		m.letters = [3]int32{} // which other replicas take part makes no difference
	}
	k, ok := ls.moves[step{from, m}]
	if !ok {
		k = ls.first(from, m)
		ls.moves[step{from, m}] = k
	}
	return k
}

// first makes a move from a state for the first time, and then lets the timers end. That loses no run. If the end of the
// timers only makes the replica send a Suspect, the replica continues to vote (V7), and the Suspect need not be
// delivered. If it makes the replica change its view, the move is also made without it, and the end of the timers is a
// move of its own.
func (ls *locals) first(from int32, m move) outcome {
	s := local{parent: from, by: m}
	n, durable := ls.make(&s)
	var before, after port.Position
	if n.core != nil {
		before = n.core.Position()
	}
	if n.expire(); n.core != nil {
		after = n.core.Position()
	}
	if after.View != before.View || after.Active != before.Active {
		s.silent = true
		n, durable = ls.make(&s)
	}
	return outcome{ls.file(n, &s), durable}
}

// make makes the last move of a state with a new node, and records what the node sends.
func (ls *locals) make(s *local) (n *node, durable uint8) {
	var was local
	if s.by.kind != start {
		was = ls.all[s.parent]
	}
	s.shown, s.lives, s.heard = was.shown, was.lives, was.heard
	ls.hears(s)
	n = ls.before(s)
	ls.listen(n, &s.shown)
	durable = ls.do(n, s.by)
	ls.enters(n, s)
	return n, durable
}

// before returns a node that is in the state before a state's last move.
func (ls *locals) before(s *local) *node {
	if s.by.kind == start {
		return newNode(ls.a.world, ls.id)
	}
	return ls.rebuild(s.parent)
}

// rebuild makes the core of a state again from the moves that lead to it.
func (ls *locals) rebuild(k int32) *node {
	s := &ls.all[k]
	n := ls.before(s)
	if ls.do(n, s.by); !s.silent {
		n.expire()
	}
	return n
}

// do makes a move and returns how many of its effects became durable.
func (ls *locals) do(n *node, m move) uint8 {
	n.durable, n.stopAfter = 0, int(m.crash)
	switch m.kind {
	case start:
		n.boot()
	case deliver:
		for _, k := range m.letters {
			if k != 0 && !n.stopped {
				n.receive(port.Source{Replica: ls.a.letters[k].by}, ls.a.mail[k])
			}
		}
	case fetch:
		n.receive(port.Source{Replica: (ls.id + 1) % wire.ReplicaID(ls.a.n)}, ls.a.body(m.seq, m.value))
	case expire:
		n.expire()
	case restart:
		n.restart()
	case forget:
		n.forget()
	case stable:
		n.takeStable()
	}
	durable := uint8(n.durable)
	if n.stopped {
		n.restart()
	}
	n.stopAfter = 0
	return durable
}

// listen notes a node's broadcasts.
func (ls *locals) listen(n *node, s *shown) {
	n.says = func(to int, m wire.Message) {
		if to != everybody {
			return // these are repeated messages, or requests that the client sends anyway
		}
		l, ok := ls.a.spell(ls.id, m)
		if !ok {
			return
		}
		k, err := ls.a.number(l, func() wire.Message { return m })
		if err == nil {
			err = s.note(l, k)
		}
		if err == nil {
			err = n.whySilent(l)
		}
		if err != nil && ls.fails == nil {
			ls.fails = err
		}
	}
}

// file returns the number of the state in which a node is. If the state is new, it is added.
func (ls *locals) file(n *node, s *local) int32 {
	s.level = ls.reached(s)
	if s.asking = n.core == nil; !s.asking {
		s.heard = [replicas]int32{}
		ls.look(n, s)
	}
	whole := fingerprintOf(n, everything)
	k, isNew := ls.index.of(with(whole, s))
	if isNew {
		s.core, _ = ls.cores.of(whole)
		s.counts, _ = ls.cores.of(fingerprintOf(n, whatCounts))
		s.stays, _ = ls.cores.of(fingerprintOf(n, whatStays))
		if ls.a.forgets != [replicas]bool{} { // another replica may ask
			s.answers = ls.answersOf(n)
		}
		ls.all = append(ls.all, *s)
	}
	return k
}

// look records facts about the core for the search.
func (ls *locals) look(n *node, s *local) {
	in := n.core.Inspect()
	s.view, s.active, s.slots = in.View, in.Active, n.slotsOf()
	s.suspects, s.asks, s.votes = in.Suspecting, asksIn(n.core), in.Active && !in.Silent && in.View >= in.Since
	s.shown.based = s.shown.based || n.applied.Seq > 0
	s.level = max(s.level, in.View)
	for i, d := range n.executed {
		if i >= ls.a.slots {
			break
		}
		v := ls.a.valueOf(wire.Seq(i+1), d)
		if was := s.shown.executed[i]; was != none && was != v && ls.fails == nil {
			ls.fails = fmt.Errorf("I1: r%d executes %v at #%d, and executed %v before it forgot", ls.id, v, i+1, was)
		}
		s.shown.executed[i] = v
	}
}

// reached returns the level after a state's last move: the level before, or the highest view in the letters of correct
// replicas in the move, if that is higher.
func (ls *locals) reached(s *local) (level wire.View) {
	if s.by.kind == start || s.by.kind == deliver && ls.all[s.parent].asking {
		return 0
	}
	level = ls.all[s.parent].level
	for _, k := range s.by.letters {
		if l := &ls.a.letters[k]; s.by.kind == deliver && l.by != ls.a.byzantine {
			level = max(level, l.view)
		}
	}
	return level
}

// enters records the NewView that a state's last move made active, which I17 needs.
func (ls *locals) enters(n *node, s *local) {
	if n.core == nil {
		return
	}
	in := n.core.Position()
	if !in.Active || in.View == 0 || in.View >= maxViews || s.shown.activated[in.View] != 0 {
		return
	}
	if n.cfg.Primary(in.View) == ls.id {
		s.shown.activated[in.View] = s.shown.newView[in.View]
		return
	}
	for _, k := range s.by.letters {
		if s.by.kind == deliver && ls.a.letters[k].kind == wire.TypeNewView {
			s.shown.activated[in.View] = k
		}
	}
}
