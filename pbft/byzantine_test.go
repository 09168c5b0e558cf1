package pbft

import (
	"math/rand/v2"
	"slices"

	"tagma/pbft/wire"
)

// liar makes a replica Byzantine. A correct core runs inside it. Its messages are dropped or changed, and signed with
// its own key, differently for each receiver. The liar also sends messages that it makes up and messages that it
// replays.
type liar struct {
	c      *cluster
	n      *node
	rng    *rand.Rand
	malice int            // percentage of its messages that it changes
	heard  []wire.Message // messages that it may replay or copy parts of: all messages that were sent, up to a bound
}

// corrupt turns a node into a liar.
func (c *cluster) corrupt(id wire.ReplicaID, rng *rand.Rand, malice int) *liar {
	l := &liar{c: c, n: c.nodes[id], rng: rng, malice: malice}
	l.n.faulty, l.n.lie = true, l.lie
	return l
}

// overhear remembers a message of any replica.
func (l *liar) overhear(m wire.Message) {
	const most = 200
	if len(l.heard) < most {
		l.heard = append(l.heard, m)
	} else {
		l.heard[l.rng.IntN(most)] = m
	}
}

func (l *liar) lie(_ wire.ReplicaID, m wire.Message) []wire.Message {
	if l.rng.IntN(100) >= l.malice {
		return []wire.Message{m}
	}
	switch l.rng.IntN(6) {
	case 0:
		return nil
	case 1:
		return []wire.Message{m, l.mutate(m)}
	case 2:
		return []wire.Message{l.mutate(m), m, l.mutate(m)}
	}
	return []wire.Message{l.mutate(m)}
}

// invade sends all replicas, or one, a message that no correct core would send now.
func (l *liar) invade() {
	to := wire.ReplicaID(l.rng.IntN(len(l.c.nodes)))
	everybody := l.rng.IntN(2) == 0
	for range 1 + l.rng.IntN(3) {
		m := l.invent()
		for _, n := range l.c.nodes {
			if n.id != l.n.id && (everybody || n.id == to) {
				l.c.put(l.n.id, n.id, m)
			}
		}
	}
}

func (l *liar) invent() wire.Message {
	if len(l.heard) > 0 && l.rng.IntN(3) > 0 {
		m := l.heard[l.rng.IntN(len(l.heard))]
		if l.rng.IntN(3) == 0 {
			return m // a replay
		}
		return l.mutate(m)
	}
	v, s := l.view(), l.seq()
	switch l.rng.IntN(6) {
	case 5:
		return &wire.Recover{Until: s}
	case 0:
		return l.sign(&wire.Suspect{View: v, Replica: l.n.id})
	case 1:
		return l.sign(&wire.Prepare{View: v, Seq: s, Digest: l.digest(s), Replica: l.n.id})
	case 2:
		return l.sign(&wire.Commit{View: v, Seq: s, Digest: l.digest(s), Replica: l.n.id})
	case 3:
		k := l.n.cfg.CheckpointInterval
		return l.sign(&wire.Checkpoint{Seq: (s/k + 1) * k, Digest: l.digest(s), Replica: l.n.id})
	}
	return l.propose(v, s)
}

// propose pre-prepares something in a view of which this replica is the primary.
func (l *liar) propose(v wire.View, s wire.Seq) wire.Message {
	for l.n.cfg.Primary(v) != l.n.id {
		v++
	}
	b := wire.NullBody
	if bodies := l.bodies(); len(bodies) > 0 && l.rng.IntN(4) > 0 {
		picked := bodies[l.rng.IntN(len(bodies))]
		b = &wire.Body{Time: picked.Time + int64(l.rng.IntN(3)), Requests: picked.Requests}
		if b.Time == 0 || len(b.Requests) == 0 {
			b = wire.NullBody
		}
	}
	return l.sign(&wire.PrePrepare{View: v, Seq: s, Digest: b.Digest(), Body: b})
}

// bodies lists the batches in the remembered messages.
func (l *liar) bodies() []*wire.Body {
	var bs []*wire.Body
	for _, m := range l.heard {
		if p, ok := m.(*wire.PrePrepare); ok && p.Body != nil {
			bs = append(bs, p.Body)
		}
	}
	return bs
}

// sign signs as this replica, where the type carries a signature of a replica.
func (l *liar) sign(m wire.Message) wire.Message {
	if by, ok := wire.Sender(l.n.cfg, m); ok && by == l.n.id {
		wire.Sign(l.n.cfg, m, testSign(l.n.cfg.Members[l.n.id]))
	}
	return m
}

// view draws a view near those of the cluster, or an absurd one.
func (l *liar) view() wire.View {
	switch v := l.n.replica.view; l.rng.IntN(8) {
	case 0:
		return wire.View(l.rng.Uint64())
	case 1:
		return v + wire.View(l.rng.IntN(10))
	case 2:
		return v - min(v, 1)
	case 3:
		return v + 1
	default:
		return v
	}
}

// seq draws a sequence number near the cluster's window, or an absurd one.
func (l *liar) seq() wire.Seq {
	w := l.n.replica.log
	switch l.rng.IntN(8) {
	case 0:
		return wire.Seq(l.rng.Uint64() | 1)
	case 1:
		return w.Low + 2*w.Cfg.LogWindow + wire.Seq(l.rng.IntN(3))
	default:
		return w.Floor() + 1 + wire.Seq(l.rng.IntN(int((wire.KeptWindows+2)*w.Cfg.LogWindow)))
	}
}

// digest draws the digest of a batch that the liar knows, the null digest, or noise.
func (l *liar) digest(s wire.Seq) wire.Digest {
	switch l.rng.IntN(4) {
	case 0:
		return wire.NullDigest
	case 1:
		return wire.Digest{byte(l.rng.IntN(3)), 0xbd}
	}
	if slot := l.n.replica.log.Peek(s); slot != nil && slot.Accepted {
		return slot.Digest
	}
	if bs := l.bodies(); len(bs) > 0 {
		return bs[l.rng.IntN(len(bs))].Digest()
	}
	return wire.NullDigest
}

// certificates lists the prepared certificates in the remembered messages, to be used in a view change.
func (l *liar) certificates() []wire.PreparedCert {
	var cs []wire.PreparedCert
	for _, m := range l.heard {
		if vc, ok := m.(*wire.ViewChange); ok {
			cs = append(cs, vc.Prepared...)
		}
	}
	slices.SortFunc(cs, func(a, b wire.PreparedCert) int { return int(a.Seq) - int(b.Seq) })
	return slices.CompactFunc(cs, func(a, b wire.PreparedCert) bool { return a.Seq == b.Seq })
}
