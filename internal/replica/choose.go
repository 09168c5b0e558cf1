package replica

import (
	"errors"
	"fmt"
	"time"

	"tagma/checkpoint/store"
	"tagma/checkpoint/transfer"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// This file decides which checkpoint a mover fetches, from which replicas, and when it tries another checkpoint.

// giver is what a mover knows about another replica that may give the state.
type giver struct {
	offer   wire.StableCert
	pinned  bool // it serves the checkpoint that is being fetched
	refused bool // it said that it does not serve that checkpoint
	blamed  bool // it sent data that do not match their hash
	heardAt time.Duration
	// failures counts how often the replica did not serve what it had offered, or sent nothing, since its last useful
	// answer. That can also happen to a correct replica: the path to it may be down, or all its pins may be in use.
	failures int
}

// Bounds of a mover's patience, in vain rounds. A vain round is one that brought nothing.
const (
	vainRounds  = 3 // after so many vain rounds the others are asked for a newer checkpoint
	maxDoubling = 4 // how often the times for which a round waits are doubled
)

// choose starts again by asking which replicas serve which checkpoint. What was written so far stays, and is compared
// again (X7).
func (m *Mover) choose() {
	m.drop()
	m.phase, m.offered = Choosing, 0
	m.starving = m.now
	trusted := 0
	m.others(func(_ wire.ReplicaID, g *giver) {
		if !g.blamed {
			trusted++
		}
	})
	// No replica can be trusted any more, so this replica itself may be at fault, and all are tried again.
	m.others(func(_ wire.ReplicaID, g *giver) {
		*g = giver{heardAt: m.now, blamed: g.blamed && trusted > 0, failures: g.failures}
	})
	m.askOffers()
}

// chooseAgain starts again after a round that brought nothing, or that will bring nothing more. If that happens
// repeatedly, the replicas with a useful checkpoint do not deliver it, and those that deliver have no useful one. Then
// it asks the others to take a new checkpoint.
func (m *Mover) chooseAgain() {
	if m.vain++; m.vain >= vainRounds {
		m.host.Report(port.Starving{})
	}
	m.choose()
}

func (m *Mover) askOffers() {
	m.asked = m.now
	m.others(func(id wire.ReplicaID, _ *giver) { m.host.Send(id, &wire.FetchState{}) })
}

// pick chooses the newest useful checkpoint that others offer, among the replicas that failed least often. It waits a
// moment for all offers, because the replica that answers first may be behind. After vain rounds it waits longer,
// because each round reads this replica's whole store.
func (m *Mover) pick() {
	var best *giver
	heard, all := 0, 0
	m.others(func(_ wire.ReplicaID, g *giver) {
		all++
		if g.offer.Seq == 0 || g.blamed {
			return
		}
		heard++
		if m.useful(g.offer.Seq) && (best == nil || g.betterThan(best)) {
			best = g
		}
	})
	switch {
	case best != nil:
		if heard == all && m.vain == 0 || m.now-m.offered >= m.pace.Await<<min(m.vain, maxDoubling) {
			m.load(best.offer)
		}
	case m.now-m.starving >= m.pace.Stall:
		m.starve()
	default: // some replicas may still answer
	}
}

func (g *giver) betterThan(other *giver) bool {
	if g.failures != other.failures {
		return g.failures < other.failures
	}
	return g.offer.Seq > other.offer.Seq
}

// starve reports that no replica serves a useful state. It forgives the blamed replicas, so that they are asked again:
// the others may be down.
func (m *Mover) starve() {
	m.starving = m.now
	m.others(func(_ wire.ReplicaID, g *giver) { g.blamed, g.failures = false, 0 })
	m.host.Report(port.Starving{})
}

// useful reports whether fetching the state of a checkpoint helps this replica. The checkpoint must not be below what
// was executed, nor below any version in the store (X5). A record of a target at or above it must be durable. If this
// replica's own state is wrong, the state of any checkpoint is useful.
func (m *Mover) useful(seq wire.Seq) bool {
	if m.doubt {
		return seq > 0 && seq <= m.target.Seq
	}
	return seq > 0 && seq >= m.position && uint64(seq) >= m.store.MaxVersion() && seq <= m.target.Seq
}

// load reads the own store at the version of the checkpoint. The certified state is compared with that, which includes
// what an earlier transfer left (X4).
func (m *Mover) load(cert wire.StableCert) {
	m.phase, m.cert = Loading, cert
	m.round++
	m.report.Rounds++
	round := m.round
	m.touchAll()
	begin := m.store.Stage
	if m.doubt {
		begin = m.store.Renew
	}
	m.host.Beside(func() func() {
		stage, err := begin(uint64(cert.Seq))
		return func() { m.loaded(round, stage, err) }
	})
}

func (m *Mover) loaded(round uint32, stage *store.Stage, err error) {
	switch {
	case round != m.round: // the round has ended meanwhile
		if err == nil {
			stage.Close()
		}
	case errors.Is(err, store.ErrAhead), errors.Is(err, store.ErrStaging):
		m.chooseAgain()
	case err != nil:
		m.failed = fmt.Errorf("read the store at sequence number %d: %w", m.cert.Seq, err)
	case m.doubt && !stage.Renews(): // the stage began before the state was found to be wrong
		stage.Close()
		m.choose()
	default:
		m.stage = stage
		m.compare()
	}
}

// compare begins to fetch what the stage lacks.
func (m *Mover) compare() {
	m.phase, m.gained = Fetching, m.now
	m.receiver = transfer.NewReceiver(m.cert.Digest, m.stage, transfer.Options{
		FirstID: firstID(m.round), Hedge: m.pace.Hedge, InFlight: m.pace.InFlight,
	})
	if m.receiver.Done() {
		m.complete()
		return
	}
	m.askAll()
}

// complete ends the fetching. If the own state was wrong, the right entries of the present generation are copied to the
// new one, which is then read back. If the disk then returns other bytes than before, the differences are fetched again.
func (m *Mover) complete() {
	if !m.doubt {
		m.whole()
		return
	}
	m.phase = Copying
	m.receiver.Close()
	m.receiver = nil
	m.round++
	round, stage := m.round, m.stage
	m.host.Beside(func() func() {
		whole, err := stage.Complete()
		return func() {
			switch {
			case round != m.round: // the round has ended meanwhile
			case err != nil:
				m.failed = fmt.Errorf("complete the state at sequence number %d: %w", m.cert.Seq, err)
			case whole:
				m.whole()
			default:
				m.report.Rounds++
				m.compare()
			}
		}
	})
}

// whole reports that the state is complete and durable.
func (m *Mover) whole() {
	m.phase = Switching
	m.host.Report(port.Transferred{Cert: m.cert})
}

// firstID is the number of the first question of a round. It distinguishes answers of this round from those of earlier ones.
func firstID(round uint32) uint32 { return round << 24 }

// isLate reports whether an answer belongs to an earlier round. A replica must not be blamed merely because it is slow.
func (m *Mover) isLate(answer []byte) bool {
	if m.round <= 1 {
		return false
	}
	a, err := transfer.DecodeAnswer(answer)
	return err == nil && firstID(a.ID>>24) != firstID(m.round)
}

// checkGivers starts again with a newer checkpoint when no replica serves the present one any more, or when no useful
// answer came for a while. This time is doubled after each vain round, because donors need time to index a large state.
func (m *Mover) checkGivers() {
	patience := m.pace.Stall
	stalled := m.now-m.gained >= patience<<min(m.vain, maxDoubling)
	serving := false
	m.others(func(_ wire.ReplicaID, g *giver) {
		serving = serving || !g.blamed && !g.refused && m.now-g.heardAt < patience
		if stalled && g.pinned {
			g.failures++
		}
	})
	if !serving || stalled {
		m.chooseAgain()
	}
}
