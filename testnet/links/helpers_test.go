package links

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tagma/pbft/wire"
)

const ms = time.Millisecond

func policy(n int, base Link) *Policy { return New(n, base, rand.New(rand.NewPCG(1, 2))) }

// commit returns a frame that a test recognises by its sequence number.
func commit(from, to wire.ReplicaID, view wire.View, seq wire.Seq) Frame {
	m := &wire.Commit{View: view, Seq: seq, Replica: from}
	return Frame{From: from, To: to, Message: m, Bytes: []byte(fmt.Sprintf("commit %d %d", view, seq))}
}

// passes reports whether a frame between two replicas arrives.
func passes(p *Policy, from, to wire.ReplicaID) bool {
	return len(p.Pass(0, commit(from, to, 0, 1))) > 0
}

// open lists the directed links over which frames pass, such as "01 10".
func open(p *Policy) (list string) {
	for from := range p.n {
		for to := range p.n {
			if from != to && passes(p, wire.ReplicaID(from), wire.ReplicaID(to)) {
				list += fmt.Sprintf(" %d%d", from, to)
			}
		}
	}
	return list
}

func do(t *testing.T, p *Policy, now time.Duration, c Command) []Delivery {
	t.Helper()
	out, err := p.Do(now, c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ids(list ...wire.ReplicaID) []wire.ReplicaID { return list }

// add begins a rule; isolate cuts off a replica.
func (p *Policy) add(r Rule) { _, _ = p.Do(0, Command{Do: DoRule, Rule: &r}) }

func (p *Policy) isolate(id string, direction Direction, r wire.ReplicaID) {
	_, _ = p.Do(0, Command{ID: id, Do: DoIsolate, Direction: direction, Targets: ids(r)})
}

func (p *Policy) release(now time.Duration, name string) []Delivery {
	out, _ := p.Do(now, Command{Do: DoRelease, Name: name})
	return out
}
