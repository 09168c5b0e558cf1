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

// Which checkpoint a mover fetches, from whom, and when it tries another one.

// giver is what is known of another replica that may give the state.
type giver struct {
	offer   wire.StableCert
	pinned  bool // it serves the checkpoint that is fetched
	refused bool // it does not
	blamed  bool // it sent what does not fit its hash
	heardAt time.Duration
	// failures counts how often it did not serve what it had offered, or nothing came of it, since its last answer of
	// use. A correct replica may fail too: the path to it was down, or its pins were taken.
	failures int
}

// Bounds of a mover's patience, in rounds from which nothing came.
const (
	vainRounds  = 3 // from which on the others are asked for a newer checkpoint
	maxDoubling = 4 // of what a round waits for offers, and for an answer of use
)

// choose starts over with asking who serves what. What was written so far stays, and is compared again (X7).
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
	m.others(func(_ wire.ReplicaID, g *giver) { // without anybody to trust the fault may be here: all are tried again
		*g = giver{heardAt: m.now, blamed: g.blamed && trusted > 0, failures: g.failures}
	})
	m.askOffers()
}

// chooseAgain starts over because nothing came of a round, or no more will. If that goes on, those who offer what is of
// use do not give it, and those who would give have nothing of use: the others have to take another checkpoint.
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

// pick chooses the newest checkpoint that is of use among those that others serve, of the replicas that failed least
// often. It waits a moment for all of them: one that answers first may be behind. Behind rounds from which nothing came
// it waits longer, since each one reads the own store.
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
	default: // some may answer yet
	}
}

func (g *giver) betterThan(other *giver) bool {
	if g.failures != other.failures {
		return g.failures < other.failures
	}
	return g.offer.Seq > other.offer.Seq
}

// starve reports that no replica serves a state that is of use. It forgives the replicas that were blamed, so that they are
// asked again: the others may be down.
func (m *Mover) starve() {
	m.starving = m.now
	m.others(func(_ wire.ReplicaID, g *giver) { g.blamed, g.failures = false, 0 })
	m.host.Report(port.Starving{})
}

// useful reports whether the state of a checkpoint leads on: it is not below what was executed, nor below anything that
// the store holds (X5), and the record of a target at or above it is durable. In place of a wrong state any is of use.
func (m *Mover) useful(seq wire.Seq) bool {
	if m.doubt {
		return seq > 0 && seq <= m.target.Seq
	}
	return seq > 0 && seq >= m.position && uint64(seq) >= m.store.MaxVersion() && seq <= m.target.Seq
}

// load reads the own store at the version of the checkpoint: what differs is found against that, leftovers of an
// earlier transfer included (X4).
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
	case round != m.round: // it was closed meanwhile
		if err == nil {
			stage.Close()
		}
	case errors.Is(err, store.ErrAhead), errors.Is(err, store.ErrStaging):
		m.chooseAgain()
	case err != nil:
		m.failed = fmt.Errorf("read the store at sequence number %d: %w", m.cert.Seq, err)
	case m.doubt && !stage.Renews(): // it was begun before the state was found to be wrong
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

// complete ends the fetching: what takes the place of a wrong state takes over what is right of it, and is read back. Should
// the disk give other bytes than before, they are compared again.
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
			case round != m.round: // it was closed meanwhile
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

// whole tells that all is there, and durable.
func (m *Mover) whole() {
	m.phase = Switching
	m.host.Report(port.Transferred{Cert: m.cert})
}

// firstID is the number of the first question of a round: its answers are told by it from those of earlier rounds.
func firstID(round uint32) uint32 { return round << 24 }

// isLate reports whether an answer is one to an earlier round. A replica that is merely slow must not be blamed for it.
func (m *Mover) isLate(answer []byte) bool {
	if m.round <= 1 {
		return false
	}
	a, err := transfer.DecodeAnswer(answer)
	return err == nil && firstID(a.ID>>24) != firstID(m.round)
}

// checkGivers starts over with a newer checkpoint when nobody serves the present one any more, or nothing of use came
// for a while: twice as long after each round from which nothing came, since a large state takes its donors a while to
// index.
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
