package session

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// votes holds the last answer of each replica to one question, so that a replica that answers several times counts only
// once (C4). The zero value of an answer means that there is none.
type votes[W comparable] []W // by replica

// count returns the number of replicas whose answer this is.
func (vs votes[W]) count(word W) (n int) {
	for _, w := range vs {
		if w == word {
			n++
		}
	}
	return n
}

// agreed returns the answer that at least weak replicas gave, if there is one that may be believed.
func (vs votes[W]) agreed(weak int, believable func(W) bool) (word W, ok bool) {
	for i, w := range vs {
		if believable(w) && slices.Index(vs, w) == i && vs.count(w) >= weak {
			return w, true
		}
	}
	return word, false
}

// verdict is what replicas must agree on to be believed. It has all of a reply except the view, which is only a hint,
// and the request, which was compared when the reply arrived. Results are kept as their digest, so that large replies of
// a liar take no memory, and so that results agree with replies that have only the digest (C5).
type verdict struct {
	outcome wire.Outcome
	seq     wire.Seq
	results wire.Digest
}

func judge(m *wire.Reply) verdict {
	return verdict{outcome: m.Outcome, seq: m.Seq, results: m.Digest()}
}

// decided converts an outcome other than busy to the type of the package that decides it.
func decided(o wire.Outcome) statemachine.Outcome { return statemachine.Outcome(o) }

// final reports whether a verdict can end a request.
func (v verdict) final() bool { return v.outcome != 0 && !v.outcome.Busy() }

// busy counts the replicas whose last answer was that they are overloaded.
func busy(vs votes[verdict]) (n int) {
	for _, v := range vs {
		if v.outcome.Busy() {
			n++
		}
	}
	return n
}

// String returns what a replica answered, for errors.
func (v verdict) String() string {
	switch {
	case v.outcome == 0:
		return "nothing"
	case decided(v.outcome) == statemachine.OutcomeExecuted:
		return fmt.Sprintf("executed at %d with results %x", v.seq, v.results[:4])
	default:
		return v.outcome.String()
	}
}

// said lists the last answers of replicas; those with the same answer are listed together.
func said(vs votes[verdict]) string {
	var all []string
	for i, v := range vs {
		if slices.Index(vs, v) != i {
			continue
		}
		var who []string
		for id, same := range vs {
			if same == v {
				who = append(who, strconv.Itoa(id))
			}
		}
		all = append(all, fmt.Sprintf("replica %s said %v", strings.Join(who, ", "), v))
	}
	return strings.Join(all, ", ")
}

// Settlement is an outcome that a session believes.
type Settlement struct {
	ID      wire.RequestID
	Request wire.Digest
	Outcome wire.Outcome
	Seq     wire.Seq
	Result  wire.Digest
	Voters  []wire.ReplicaID // the replicas that agree on it
}

func (s *Session) tellSettled(r *Request, v verdict) {
	if s.cfg.Settled == nil {
		return
	}
	t := Settlement{ID: r.id, Request: r.digest, Outcome: v.outcome, Seq: v.seq, Result: v.results}
	for id, said := range r.votes {
		if said == v {
			t.Voters = append(t.Voters, wire.ReplicaID(id))
		}
	}
	s.cfg.Settled(t)
}

// viewHints finds out which replica is the primary, from the views in replies.
type viewHints struct {
	weak    int         // f+1
	claimed []wire.View // by replica
	current wire.View
}

func newViewHints(n, weak int) *viewHints {
	return &viewHints{weak: weak, claimed: make([]wire.View, n)}
}

// heard records a replica's hint. The session believes the highest view such that f+1 replicas claim this view or a
// later one. One of these is correct, so f liars can neither invent a view nor keep the client in an old one.
func (h *viewHints) heard(from int, v wire.View) {
	if h.claimed[from] == v {
		return
	}
	h.claimed[from] = v
	sorted := slices.Sorted(slices.Values(h.claimed))
	h.current = sorted[len(sorted)-h.weak]
}

// primary is the replica that the session believes to be the primary.
func (h *viewHints) primary() int { return int(uint64(h.current) % uint64(len(h.claimed))) }
