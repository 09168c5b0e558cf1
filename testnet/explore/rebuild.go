package explore

import (
	"fmt"
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// rebuild makes the core of a state again from the moves that lead to it.
func (ls *locals) rebuild(k int32) *node {
	var way []int32
	for at := k; at != absent; at = ls.all[at].parent {
		way = append(way, at)
	}
	n := newNode(ls.a.world, ls.id)
	for _, at := range slices.Backward(way) {
		s := &ls.all[at]
		if s.parent != absent {
			ls.make(n, s.by)
		}
		if !s.silent {
			n.tick(long)
		}
	}
	return n
}

// make performs a move and returns how many durable effects it had.
func (ls *locals) make(n *node, m move) uint8 {
	n.durable, n.stopAfter = 0, int(m.crash)
	switch m.kind {
	case deliver:
		for _, k := range m.letters {
			if k != absent && !n.stopped {
				n.receive(port.Source{Replica: ls.a.letters[k].by}, ls.a.mail[k])
			}
		}
	case fetch:
		n.receive(port.Source{Replica: (ls.id + 1) % replicas}, ls.a.body(m.seq, m.value))
	case expire:
		n.tick(long)
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

// body is the answer to a fetch.
func (w *world) body(s wire.Seq, v value) wire.Verified {
	m, err := wire.Verify(&w.configs[0], &wire.CertifiedBody{Seq: w.base + s, Body: w.bodies[s][v]}, w.holds)
	if err != nil {
		panic(fmt.Sprintf("explore: the body of %v: %v", v, err))
	}
	return m
}
