package explore

import (
	"context"
	"slices"

	"tagma/pbft/wire"
)

// state is a state of the whole model: one local state for each correct replica, and how many crashes there were. The
// network and the attacker need no state: what they hold is determined by what the replicas have sent.
type state struct {
	local   [replicas]int32 // the number of each correct replica's local state
	crashes uint8
	forgets uint8
	level   wire.View // the highest view that any move was about since a life last ended or began
}

// origin says how a state was first reached: from which state, and by which move of which replica. The move is given as
// an index of choices.
type origin struct {
	from    int32
	replica uint8
	move    uint16
}

// search is the breadth-first search with one Byzantine replica.
type search struct {
	o       Options
	cast    cast
	a       *alphabet
	ids     []wire.ReplicaID // the correct replicas
	locals  []*locals
	states  []state
	origins []origin
	known   numbering[token]
	offers  offers

	transitions int
	depth       int
	fair        int                      // states whose liveness was checked, or is known from a state with the same cores
	played      map[[replicas]int32]bool // the combinations of cores for which liveness was checked
	worst       fairRun                  // the most rounds and the most views that a check took
}

func newSearch(o Options, c cast) *search {
	w := newWorld(o, c)
	s := &search{o: o, cast: c, a: newAlphabet(w), known: numbering[token]{}, played: map[[replicas]int32]bool{}}
	for id := range wire.ReplicaID(s.a.n) {
		if id != c.byzantine {
			s.ids, s.locals = append(s.ids, id), append(s.locals, newLocals(s.a, id))
		}
	}
	return s
}

// local returns the local state of the i-th correct replica within a state.
func (s *search) local(st *state, i int) *local { return &s.locals[i].all[st.local[i]] }

// run visits every state within the bounds, those reached in fewest moves first. So if a violation is found, no run with
// fewer moves leads to one. Complete is false if states are left unvisited.
func (s *search) run(ctx context.Context) (complete bool, found error) {
	s.begin()
	if err := s.playOn(0); err != nil {
		return false, err
	}
	for at, layer := 0, 1; at < len(s.states); at++ {
		if ctx.Err() != nil {
			return false, nil
		}
		if at == layer {
			s.depth++
			layer = len(s.states)
		}
		if found := s.expand(int32(at)); found != nil {
			return false, found
		}
		if len(s.states) > s.o.MaxStates {
			return false, nil
		}
		if at%4096 == 0 && s.o.Progress != nil {
			s.o.Progress(byzantineOf(s.a.byzantine), len(s.states), s.depth)
		}
	}
	return true, nil
}

// begin adds the first state to those known, and returns its number.
func (s *search) begin() int32 {
	var begin state
	for i, ls := range s.locals {
		begin.local[i] = ls.begin()
	}
	k, _ := s.visit(begin, origin{})
	return k
}

// visit returns the number of a state, and adds the state to those known if it is new.
func (s *search) visit(st state, by origin) (int32, bool) {
	k, isNew := s.known.of(s.token(&st))
	if isNew {
		s.states, s.origins = append(s.states, st), append(s.origins, by)
	}
	return k, isNew
}

// expand makes every move of every correct replica from a state.
func (s *search) expand(at int32) error {
	st := s.states[at]
	var lists [replicas][]move
	only, urgent := s.urgent(&st)
	for i := range s.ids {
		if urgent && i != only {
			continue
		}
		lists[i] = slices.Clone(s.choices(st, i))
		if m, ok := s.free(&st, i, lists[i]); ok {
			return s.try(at, i, m, lists[i][m])
		}
	}
	for i := range s.ids {
		for m, mv := range lists[i] {
			if found := s.try(at, i, m, mv); found != nil {
				return found
			}
		}
	}
	return nil
}

// try makes a move, and judges the resulting state if that is new.
func (s *search) try(at int32, i, m int, mv move) error {
	st := s.states[at]
	next, ok := s.after(st, i, mv)
	if !ok || s.wasted(i, mv, &next) || s.sorts(st, i, mv, &next) < st.level {
		return nil
	}
	s.transitions++
	k, isNew := s.visit(next, origin{at, uint8(i), uint16(m)})
	if !isNew {
		return nil
	}
	if err := s.judge(next, i); err != nil {
		return err
	}
	return s.playOn(k)
}

// playOn checks liveness from a state, if it is one of those to be checked.
func (s *search) playOn(at int32) error {
	if s.o.FairEvery == 0 || int(at)%s.o.FairEvery != 0 {
		return nil
	}
	s.fair++
	if s.a.liars()+int(s.states[at].forgets) >= s.a.weak {
		return nil // more than f replicas are faulty or amnesiac, so only safety is guaranteed (D8.1)
	}
	var cores [replicas]int32
	for i := range s.locals {
		cores[i] = s.local(&s.states[at], i).core
	}
	if s.played[cores] { // which messages were sent or lost makes no difference to liveness
		return nil
	}
	s.played[cores] = true
	run, err := s.continueFairly(at)
	s.worst.rounds, s.worst.views = max(s.worst.rounds, run.rounds), max(s.worst.views, run.views)
	return err
}

// free returns a move of a replica that makes no other move impossible, if there is one. In the last view of a search,
// no replica leaves its view. So the messages that a replica sends there for a completed quorum prevent neither its own
// later moves nor those of others. If there is such a move, only this one needs to be tried.
func (s *search) free(st *state, i int, list []move) (int, bool) {
	l := s.local(st, i)
	if s.o.Exact || s.mayAsk(st, nobody) || l.view != wire.View(s.o.Views-1) || l.level != l.view {
		return 0, false
	}
	was := st.local[i]
	for m, mv := range list {
		if mv.kind == fetch || mv.kind == deliver && mv.crash == 0 && s.a.completes(mv) {
			if s.locals[i].next(was, mv).to != was {
				return m, true
			}
		}
	}
	return 0, false
}

// completes reports whether a move delivers prepares or commits.
func (a *alphabet) completes(m move) bool {
	k := a.letters[m.letters[0]].kind
	return k == wire.TypePrepare || k == wire.TypeCommit
}

// after returns the state after a move; false if the move changes nothing.
func (s *search) after(st state, i int, m move) (state, bool) {
	was := st.local[i]
	if m.kind == stable { // the other members of the quorum make the move, too
		for _, j := range m.letters {
			if j != 0 {
				st.local[j] = s.locals[j].next(st.local[j], m).to
			}
		}
	}
	st.local[i] = s.locals[i].next(was, m).to
	switch {
	case m.kind == forget:
		st.forgets++
	case m.kind == restart || m.crash > 0:
		st.crashes++
	}
	return st, st.local[i] != was
}

func (s *search) judge(st state, i int) error {
	for _, ls := range s.locals {
		if ls.fails != nil {
			return ls.fails
		}
	}
	if err := s.a.taken(s.ids[i], &s.local(&st, i).shown); err != nil {
		return err
	}
	return s.a.judge(s.knowledge(&st))
}

func (s *search) knowledge(st *state) *knowledge {
	var k knowledge
	for i, id := range s.ids {
		k[id] = &s.local(st, i).shown
	}
	return &k
}

// choices lists the moves of one correct replica in a state. They include crashes, if the bounds allow further ones.
func (s *search) choices(st state, i int) (moves []move) {
	o := &s.offers
	o.a, o.k, o.id, o.views = s.a, s.knowledge(&st), s.ids[i], wire.View(s.o.Views)
	local := *s.local(&st, i) // this is a copy, because making moves appends to the list
	o.s = &local
	if local.asking {
		o.told = s.told(&st, o.id)
	}
	list := append(o.moves(), s.ordersUpTo(&st, i)...)
	o.list = list
	if int(st.forgets) < s.o.Amnesia && !local.asking && s.a.forgets[o.id] {
		defer func() { moves = append(moves, move{kind: forget}) }()
	}
	if int(st.crashes) >= s.o.Crashes {
		return list
	}
	for _, m := range list[:len(list):len(list)] {
		for k := range s.locals[i].next(st.local[i], m).durable {
			m.crash = k + 1
			list = append(list, m)
		}
	}
	return append(list, move{kind: restart})
}
