package explore

import (
	"fmt"
	"time"

	"tagma/pbft/wire"
)

// kind says what a move does to a replica.
type kind uint8

const (
	deliver kind = iota // its letters arrive, in order
	fetch               // the body of a value that it lacks arrives
	expire              // its timers expire, where that does more than send a Suspect
	restart             // it crashes and starts again from its journal
	forget              // it loses all that it wrote, and asks the others
	stable              // the checkpoint at the base is stable, and its state comes from others
)

// move is one transition of one replica. It is comparable: the same move from the same local state has the same result.
type move struct {
	kind    kind
	letters [3]int32 // of deliver; absent fills it
	seq     wire.Seq // of fetch
	value   value    // of fetch
	crash   uint8    // the replica crashes after so many durable effects, and restarts; 0: it does not
}

// deliverMove is the delivery of some letters.
func deliverMove(letters ...int32) move {
	m := move{kind: deliver, letters: [3]int32{absent, absent, absent}}
	copy(m.letters[:], letters)
	return m
}

// local is a state of one replica, with the way that leads to it: a core cannot be copied, so it is made again from its
// history.
type local struct {
	parent int32 // in locals; absent for the first
	by     move
	silent bool // the timers did not expire after the move: that is a move of its own
	view   wire.View
	level  wire.View // the highest view that any move so far was about
	active bool
	slots  [maxSlots]slotState
	shown  shown

	suspects bool            // its own Suspect for its view counts
	asks     bool            // its own view change for its view was sent
	votes    bool            // it is active in its view, and may vote there
	lives    int             // lost
	asking   bool            // what it has forgotten
	heard    [replicas]int32 // then: the answers it has, as letters
	answers  [replicas]int32 // what it would answer each other one, as letters

	core   int32 // hash of the core, as a number
	counts int32 // hash of what counts of it: equal for two that behave alike from now on
	stays  int32 // hash of what outlives its view
}

// long is longer than every timeout.
const long = time.Hour

// locals are all known states of one replica and the moves between them.
type locals struct {
	a     *alphabet
	id    wire.ReplicaID
	all   []local
	index map[fingerprint]int32 // states
	moves map[step]outcome
	cores map[fingerprint]int32 // numbers of hashes

	classes map[class]int32
	faces   map[face]int32

	fails error // the first violation inside one replica
}

// outcome is what a move leads to, and how many durable effects it has.
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
		a: a, id: id, index: map[fingerprint]int32{}, moves: map[step]outcome{}, cores: map[fingerprint]int32{},
		classes: map[class]int32{}, faces: map[face]int32{},
	}
}

// begin returns the initial state.
func (ls *locals) begin() int32 {
	s := local{parent: absent, heard: nothing}
	return ls.settle(ls.fresh(&s), &s)
}

// fresh boots a replica with the ears on.
func (ls *locals) fresh(s *local) *node {
	s.shown = newShown()
	n := newNode(ls.a.world, ls.id)
	ls.listen(n, &s.shown)
	n.journal = nil // what it said in its first boot went unheard: boot again
	n.boot()
	return n
}

// listen has the node's broadcasts noted in its tables.
func (ls *locals) listen(n *node, s *shown) {
	n.says = func(to int, m wire.Message) {
		if to != everybody {
			return // retransmissions, and what the client sends anyway
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

// settle lets the timers expire and files the state that results. Expiring at once is no loss: a Suspect does not stop
// its sender from voting (V7), so whoever may send one may as well have sent it, undelivered. Where expiry does more
// than that, it becomes a move of its own.
func (ls *locals) settle(n *node, s *local) int32 {
	if !s.silent && n.core == nil {
		n.tick(long)
	}
	if !s.silent && n.core != nil {
		before := n.core.Inspect()
		n.tick(long)
		if after := n.core.Inspect(); after.View != before.View || after.Active != before.Active {
			s.silent = true
			return ls.take(s)
		}
	}
	return ls.file(n, s)
}

// take makes a state's last move again, with the ears on, and files it.
func (ls *locals) take(s *local) int32 {
	if s.parent == absent {
		return ls.file(ls.fresh(s), s)
	}
	s.shown = ls.all[s.parent].shown
	n := ls.rebuild(s.parent)
	ls.listen(n, &s.shown)
	ls.make(n, s.by)
	ls.enteredBy(n, s.by, s)
	return ls.file(n, s)
}

// file returns the number of the state that a node is in.
func (ls *locals) file(n *node, s *local) int32 {
	s.level = ls.reached(s)
	if n.core != nil {
		ls.look(n, s)
	}
	if s.asking = n.core == nil; !s.asking {
		s.heard = nothing
	}
	whole := fingerprintOf(n, everything)
	f := with(whole, s)
	k, ok := ls.index[f]
	if !ok {
		s.core = ls.numbered(whole)
		if ls.a.forgets != [replicas]bool{} { // somebody may ask
			s.answers = ls.answersOf(n)
		}
		s.counts, s.stays = ls.numbered(fingerprintOf(n, whatCounts)), ls.numbered(fingerprintOf(n, whatStays))
		k = int32(len(ls.all))
		ls.index[f] = k
		ls.all = append(ls.all, *s)
	}
	return k
}

// look notes what an active core shows of itself.
func (ls *locals) look(n *node, s *local) {
	in := n.core.Inspect()
	s.view, s.active, s.slots = in.View, in.Active, ls.a.slotsOf(n.core)
	s.suspects, s.asks, s.votes = in.Suspecting, ls.a.asksIn(n.core), in.Active && !in.Silent && in.View >= in.Since
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

// reached is the level that a state's last move came from or was about.
func (ls *locals) reached(s *local) (level wire.View) {
	if s.parent == absent {
		return 0
	}
	level = ls.all[s.parent].level
	if s.by.kind == deliver && ls.all[s.parent].asking {
		return 0
	}
	for _, k := range s.by.letters {
		if s.by.kind == deliver && k != absent && ls.a.letters[k].by != ls.a.byzantine {
			level = max(level, ls.a.letters[k].view)
		}
	}
	return level
}

func (ls *locals) numbered(f fingerprint) int32 {
	k, ok := ls.cores[f]
	if !ok {
		k = int32(len(ls.cores))
		ls.cores[f] = k
	}
	return k
}

// next makes a move from a state, once.
func (ls *locals) next(from int32, m move) outcome {
	k, ok := ls.moves[step{from, m}]
	if !ok {
		k = ls.first(from, m)
		ls.moves[step{from, m}] = k
	}
	return k
}

func (ls *locals) first(from int32, m move) outcome {
	s := local{parent: from, by: m, shown: ls.all[from].shown, lives: ls.all[from].lives, heard: ls.all[from].heard}
	s.hears(m)
	if l := m.letters[0]; m.kind == deliver && ls.a.letters[l].kind == wire.TypeHeldBy {
		s.heard[ls.a.letters[l].by] = l
	}
	n := ls.rebuild(from)
	ls.listen(n, &s.shown)
	durable := ls.make(n, m)
	ls.enteredBy(n, m, &s)
	return outcome{ls.settle(n, &s), durable}
}

// enteredBy notes the new view that a move made active, for I17.
func (ls *locals) enteredBy(n *node, m move, s *local) {
	if n.core == nil {
		return
	}
	in := n.core.Inspect()
	if !in.Active || in.View == 0 || in.View >= maxViews || s.shown.activated[in.View] != absent {
		return
	}
	if in.Primary == ls.id {
		s.shown.activated[in.View] = s.shown.newView[in.View]
		return
	}
	for _, k := range m.letters {
		if m.kind == deliver && k != absent && ls.a.letters[k].kind == wire.TypeNewView {
			s.shown.activated[in.View] = k
		}
	}
}
