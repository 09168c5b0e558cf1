package replica

import (
	"math/rand/v2"
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// mutate makes small changes to real messages, so that they are nearly right. Bugs of protocols often show only with
// such messages (Winter et al., ByzzFuzz).
var mutate = tamper.Describe[mutator]("mutate", tamper.Byzantine,
	"changes what it sends by a step, well signed: the view, the sequence number or the phase of a statement, its digest, "+
		"its destination, or an entry of a certificate",
	"at most one view change for each bad primary; as a backup none; throughput ≥ 70 %")

type mutator struct {
	liar
	Kinds tamper.List `default:"all" words:"view,seq,digest,phase,entry,target" doc:"what it changes: view, seq, digest, phase, "`
	_     any         `doc:"target, entry, such as view+seq"`

	Types       tamper.Types `default:"all" doc:"message types that it changes, such as prepare+view-change"`
	Probability float64      `default:"0.2" doc:"how likely a message is changed for each destination, above 0 and up to 1"`
	Seed        tamper.Dice  `default:"0" stream:"0x6d7574" doc:"seed that decides which messages change, and how"`

	recent []wire.Digest // digests in its own statements, the newest last
}

// mostRecent is how many digests the attacker remembers: those of the last slots and of the checkpoint.
const mostRecent = 4

// tell draws whether this receiver gets a changed message, and which change. If a kind of change is not possible for the
// message, it tries the next kind.
func (m *mutator) tell(_ port.Source, msg wire.Message) []wire.Message {
	mine := m.mine(msg)
	if d := tamper.Field[wire.Digest](msg, "Digest"); mine && d != nil && !slices.Contains(m.recent, *d) {
		m.recent = append(m.recent[max(0, len(m.recent)-mostRecent+1):], *d)
	}
	_, status := msg.(*wire.Status)
	if !mine && !status || !m.Types.Has(wire.TypeOf(msg)) || !m.Seed.Strikes(m.Probability) {
		return []wire.Message{msg}
	}
	first := m.Seed.IntN(len(m.Kinds))
	for i := range m.Kinds {
		kind := m.Kinds[(first+i)%len(m.Kinds)]
		if kind == "target" {
			others := m.others()
			m.say(port.Send{To: others[m.Seed.IntN(len(others))], Msg: msg})
			return nil
		}
		if lie := m.changed(kind, msg); lie != nil {
			return []wire.Message{m.signed(lie)}
		}
	}
	return []wire.Message{msg}
}

// changed returns a copy of a message that differs in one respect, or nil if this kind of change is not possible for the
// message.
func (m *mutator) changed(kind string, msg wire.Message) wire.Message {
	status, unsigned := msg.(*wire.Status)
	dice := m.Seed.Rand
	switch kind {
	case "view":
		return tamper.Altered(msg, "View", func(v wire.View) wire.View {
			// A primary's message mostly gets a view of which this replica is the primary, because in other views it
			// would be refused.
			if !unsigned && tamper.Field[wire.ReplicaID](msg, "Replica") == nil && dice.IntN(4) > 0 {
				return step(dice, v, wire.View(m.cfg.N()))
			}
			return step(dice, v, 1)
		})
	case "seq":
		by := wire.Seq(1)
		// Mostly use a sequence number at which there is a checkpoint.
		if _, is := msg.(*wire.Checkpoint); is && dice.IntN(4) > 0 {
			by = m.cfg.CheckpointInterval
		}
		field := "Seq"
		if unsigned {
			if field = "Executed"; dice.IntN(2) == 0 {
				field, by = "Stable", m.cfg.CheckpointInterval
			}
		}
		return tamper.Altered(msg, field, func(n wire.Seq) wire.Seq { return step(dice, n, by) })
	case "digest":
		return tamper.Altered(msg, "Digest", m.anotherDigest)
	case "phase":
		return m.otherPhase(msg)
	case "entry":
		if status == nil { // the certificates contain statements of others, which must not be changed
			return tamper.AlteredEntry(msg, dice.IntN, m.alterEntry)
		}
	}
	return nil
}

// alterEntry changes a number or the digest in an entry of a list.
func (m *mutator) alterEntry(entry any) {
	switch e := entry.(type) {
	case *wire.PreparedCert:
		if e.Seq = step(m.Seed.Rand, e.Seq, 1); m.Seed.IntN(2) == 0 {
			e.View = step(m.Seed.Rand, e.View, 1)
		}
	case *wire.Suspect:
		e.View = step(m.Seed.Rand, e.View, 1)
	case *wire.ViewChange:
		e.Stable.Seq = step(m.Seed.Rand, e.Stable.Seq, m.cfg.CheckpointInterval)
	case *wire.Proposal: // the new view is signed as if that had been proposed
		e.Digest = m.anotherDigest(e.Digest)
	}
}

// step returns n plus by or n minus by, and never less than 0.
func step[N ~uint64](dice *rand.Rand, n, by N) N {
	if dice.IntN(2) == 0 && n >= by {
		return n - by
	}
	return n + by
}

// anotherDigest returns the digest of a recent statement, the digest of the null request, or one that belongs to no
// batch.
func (m *mutator) anotherDigest(d wire.Digest) wire.Digest {
	from := []wire.Digest{wire.NullDigest, shifted(0)(d)}
	for _, r := range m.recent {
		if r != d {
			from = append(from, r)
		}
	}
	return from[m.Seed.IntN(len(from))]
}

// otherPhase returns a vote of the other phase for the same view and sequence number. For a proposal it returns a
// prepare.
func (m *mutator) otherPhase(msg wire.Message) wire.Message {
	switch o := msg.(type) {
	case *wire.PrePrepare:
		return m.vote(wire.TypePrepare, o.View, o.Seq, o.Digest)
	case *wire.Prepare:
		return m.vote(wire.TypeCommit, o.View, o.Seq, o.Digest)
	case *wire.Commit:
		return m.vote(wire.TypePrepare, o.View, o.Seq, o.Digest)
	default:
		return nil
	}
}
