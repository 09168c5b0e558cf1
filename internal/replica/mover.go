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

// Phase is how far a state transfer is.
type Phase string

// The phases of a transfer.
const (
	Idle      Phase = ""
	Choosing  Phase = "choosing"  // it asks which checkpoints others serve
	Loading   Phase = "loading"   // it reads its own store, to compare
	Fetching  Phase = "fetching"  // it compares and fetches
	Switching Phase = "switching" // the state is whole; the record that says so is being written
)

// Mover has the state of a stable checkpoint fetched from other replicas when this one cannot follow them any more (X1
// to X7, X9). It shares the executor's turns, and works only while execution stands still.
type Mover struct {
	cfg    *wire.Config
	host   Host
	store  Store
	now    time.Duration
	failed error

	phase    Phase
	position wire.Seq        // what was executed
	target   wire.StableCert // the newest one that the core named: its record is durable
	givers   []giver         // by replica
	asked    time.Duration   // when offers were asked for
	offered  time.Duration   // when the first one came
	starving time.Duration   // since when there is none that is of use

	cert     wire.StableCert // of the state that is fetched
	stage    *store.Stage
	receiver *transfer.Receiver
	round    uint32
	touched  time.Duration
	gained   time.Duration // when an answer was of use
	vain     int           // rounds since then from which nothing came
	report   Progress
}

func newMover(cfg *wire.Config, host Host, st Store, at wire.Seq) *Mover {
	return &Mover{cfg: cfg, host: host, store: st, position: at, givers: make([]giver, cfg.N())}
}

// want begins a transfer to the target or a newer checkpoint, or names a newer target for the one under way.
func (m *Mover) want(e port.Transfer, executed wire.Seq) error {
	if e.Target.Seq > m.target.Seq {
		m.target = e.Target
	}
	if e.Doubt {
		m.store.Doubt()
	}
	m.position, m.now = executed, m.host.Now()
	if m.phase == Idle {
		was := &m.report
		m.vain, m.report = 0, Progress{
			Began: m.now, Finished: was.Finished, Blamed: was.Blamed, LastBlame: was.LastBlame,
		}
		m.choose()
	}
	return m.failed
}

func (m *Mover) drop() {
	if m.receiver != nil {
		m.count()
		m.receiver.Close()
		m.receiver = nil
	}
	if m.stage != nil {
		m.stage.Close()
		m.stage = nil
	}
}

// others calls f for every other replica.
func (m *Mover) others(f func(id wire.ReplicaID, g *giver)) {
	for id := range m.givers {
		if wire.ReplicaID(id) != m.cfg.Self {
			f(wire.ReplicaID(id), &m.givers[id])
		}
	}
}

// Tick tells the time. It is called at least sixteen times a view timeout.
func (m *Mover) Tick(now time.Duration) {
	m.now = now
	switch m.phase {
	case Choosing:
		if now-m.asked >= m.cfg.ViewTimeout/4 {
			m.askOffers()
		}
		m.pick()
	case Loading:
		m.touch()
	case Fetching:
		m.touch()
		m.receiver.Expire(now, m.cfg.ViewTimeout/2)
		m.askAll()
		m.checkGivers()
	default:
	}
}

// Data takes a message of a donor. What it says is believed by its hashes alone.
func (m *Mover) Data(from wire.ReplicaID, v wire.Verified, now time.Duration) {
	data, ok := v.Message().(*wire.Data)
	if !ok || m.phase == Idle || m.phase == Switching || from == m.cfg.Self {
		return
	}
	m.now = now
	g := &m.givers[from]
	g.heardAt = now
	promised := g.offer.Seq
	if data.Offer != nil {
		g.offer = *data.Offer
		if g.offer.Seq > m.target.Seq { // the core's to make durable before anything is written for it
			if notice, is := v.Offered(); is {
				m.host.Report(port.Received{From: port.Source{Replica: from}, Msg: notice})
			}
		}
	}
	switch {
	case m.phase == Choosing:
		if m.offered == 0 && data.Offer != nil {
			m.offered = now
		}
		m.pick()
	case data.Seq != m.cert.Seq:
	case data.Offer != nil: // it serves that one no more
		if promised == m.cert.Seq && !g.refused {
			g.failures++
		}
		g.pinned, g.refused = false, true
		if m.receiver != nil {
			m.receiver.Lapse(int(from), now)
		}
	default:
		g.pinned, g.refused = true, false
		m.take(from, data.Answer)
	}
	m.askAll()
}

// take gives an answer to the receiver.
func (m *Mover) take(from wire.ReplicaID, answer []byte) {
	if len(answer) == 0 || m.phase != Fetching || m.givers[from].blamed || m.isLate(answer) {
		return
	}
	err := m.receiver.Take(int(from), m.now, answer)
	switch {
	case errors.Is(err, transfer.ErrBad):
		m.givers[from].blamed = true
		m.report.Blamed++
		m.report.LastBlame = fmt.Sprintf("replica %d: %v", from, err)
	case err != nil:
		m.failed = fmt.Errorf("take in the state at sequence number %d: %w", m.cert.Seq, err)
	case m.receiver.Done():
		m.count()
		m.report.Share = 1
		m.phase = Switching
		m.host.Report(port.Transferred{Cert: m.cert})
	default:
		m.gained, m.vain, m.givers[from].failures = m.now, 0, 0
	}
}

// touch tells the donors from time to time that their checkpoint is still wanted, well before they would let it go, and
// asks those that do not serve it yet.
func (m *Mover) touch() {
	if m.now-m.touched >= min(m.cfg.ViewTimeout, pinPatience/4) {
		m.touchAll()
	}
}

func (m *Mover) touchAll() {
	m.touched = m.now
	m.others(func(id wire.ReplicaID, g *giver) {
		if !g.blamed {
			m.host.Send(id, &wire.FetchState{Seq: m.cert.Seq})
		}
	})
}

// askAll puts to every donor what it has room for.
func (m *Mover) askAll() {
	if m.phase != Fetching {
		return
	}
	m.others(func(id wire.ReplicaID, g *giver) {
		for g.pinned && !g.blamed {
			query, ok := m.receiver.Ask(int(id), m.now)
			if !ok {
				return
			}
			m.host.Send(id, &wire.FetchState{Seq: m.cert.Seq, Query: query})
		}
	})
}

// adopt makes the state that was fetched the store's (X6).
func (m *Mover) adopt(seq wire.Seq) (wire.Digest, error) {
	if m.phase != Switching || m.cert.Seq != seq {
		return wire.Digest{}, fmt.Errorf("execution is to resume at sequence number %d, and no such state was fetched", seq)
	}
	if err := m.stage.Adopt(); err != nil {
		return wire.Digest{}, err
	}
	m.receiver.Close()
	m.receiver, m.stage = nil, nil
	m.phase, m.position = Idle, seq
	m.report.Finished++
	return m.cert.Digest, nil
}

// Close gives back what a transfer under way holds. What comes later is ignored.
func (m *Mover) Close() {
	m.drop()
	m.phase = Idle
	m.round++
}
