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

// Phase says how far a state transfer is.
type Phase string

// The phases of a transfer.
const (
	Idle      Phase = ""
	Choosing  Phase = "choosing"  // it asks the others which checkpoints they serve
	Loading   Phase = "loading"   // it reads its own store in order to compare it
	Fetching  Phase = "fetching"  // it compares and fetches
	Copying   Phase = "copying"   // it copies what its own store already has to a new generation (K2)
	Switching Phase = "switching" // the state is complete; the record of the switch is being written
)

// Mover fetches the state of a stable checkpoint from other replicas when this replica cannot follow them any more (X1
// to X7, X9). It runs on the executor's goroutine, and only while no batch is executed. A client that takes a backup
// uses a Mover, too: see NewOutsider.
type Mover struct {
	// Liar, if not nil, is called with each replica whose answer was not part of the certified state.
	Liar func(id wire.ReplicaID, why error)

	cfg    *wire.Config
	pace   Pace
	host   Host
	store  Store
	now    time.Duration
	failed error

	phase    Phase
	doubt    bool            // this replica's state is wrong, so a new generation will replace it (K2)
	position wire.Seq        // last sequence number that was executed
	target   wire.StableCert // the newest checkpoint that the core named; its record is durable
	givers   []giver         // by replica
	asked    time.Duration   // when the others were last asked for offers
	offered  time.Duration   // when the first offer came
	starving time.Duration   // the time from which on no offer was useful

	cert     wire.StableCert // the certificate of the state that is being fetched
	stage    *store.Stage
	receiver *transfer.Receiver
	round    uint32
	touched  time.Duration
	gained   time.Duration // when the last useful answer arrived
	vain     int           // rounds since then that brought nothing
	report   Progress
}

func newMover(cfg *wire.Config, host Host, st Store, at wire.Seq) *Mover {
	return &Mover{cfg: cfg, pace: paceOf(cfg.ViewTimeout), host: host, store: st, position: at, givers: make([]giver, cfg.N())}
}

// NewOutsider returns a mover for a client that takes the state from the replicas for a backup. Want begins the
// transfer and names the newest checkpoint that was offered. Adopt ends it, after the mover has reported a Transferred.
func NewOutsider(cfg *wire.Config, host Host, st Store, p Pace) *Mover {
	outside := *cfg
	outside.Self = Outside(cfg)
	m := newMover(&outside, host, st, 0)
	m.pace = p
	return m
}

// Want begins a transfer to a checkpoint at or above least, or names a newer target for the running transfer.
func (m *Mover) Want(target wire.StableCert, least wire.Seq) error {
	return m.want(port.Transfer{Target: target}, least)
}

// Err returns why the mover cannot continue, or nil.
func (m *Mover) Err() error { return m.failed }

// Pace has the times for which a mover waits.
type Pace struct {
	Ask      time.Duration // between two requests for offers
	Await    time.Duration // how long to wait for further offers after the first useful one
	Slow     time.Duration // age from which on an answer counts as late
	Hedge    time.Duration // age of a question from which on another donor is asked the same
	Stall    time.Duration // time without a useful answer after which another checkpoint is tried
	Touch    time.Duration // time between two messages that tell donors that their checkpoint is still wanted
	InFlight int           // questions to one donor at a time; 0: the default
}

// paceOf returns the pace of a mover of a replica.
func paceOf(viewTimeout time.Duration) Pace {
	return Pace{
		Ask: viewTimeout / 4, Await: viewTimeout / 8, Slow: viewTimeout / 2, Hedge: viewTimeout / 8, Stall: 2 * viewTimeout,
		Touch: min(viewTimeout, pinPatience/4),
	}
}

// want begins a transfer to the target or a newer checkpoint, or names a newer target for the running transfer.
func (m *Mover) want(e port.Transfer, executed wire.Seq) error {
	if e.Target.Seq > m.target.Seq {
		m.target = e.Target
	}
	m.position, m.now = executed, m.host.Now()
	begins := e.Doubt && !m.doubt
	m.doubt = m.doubt || e.Doubt
	switch {
	case m.phase == Idle:
		was := &m.report
		m.vain, m.report = 0, Progress{
			Began: m.now, Finished: was.Finished, Blamed: was.Blamed, LastBlame: was.LastBlame,
		}
		m.choose()
	case begins && (m.phase == Choosing || m.phase == Fetching): // the stage with which it compares may be what is wrong
		m.choose()
	default: // the running transfer continues
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

// Tick tells the mover the time. It must be called at least sixteen times in a view timeout.
func (m *Mover) Tick(now time.Duration) {
	m.now = now
	switch m.phase {
	case Choosing:
		if now-m.asked >= m.pace.Ask {
			m.askOffers()
		}
		m.pick()
	case Loading, Copying:
		m.touch()
	case Fetching:
		m.touch()
		m.receiver.Expire(now, m.pace.Slow)
		m.askAll()
		m.checkGivers()
	default:
	}
}

// Data takes a message of a donor. It uses only data that match certified hashes.
func (m *Mover) Data(from wire.ReplicaID, v wire.Verified, now time.Duration) {
	data, ok := v.Message().(*wire.Data)
	if !ok || m.phase == Idle || m.phase == Copying || m.phase == Switching || from == m.cfg.Self {
		return
	}
	m.now = now
	g := &m.givers[from]
	g.heardAt = now
	promised := g.offer.Seq
	if data.Offer != nil {
		g.offer = *data.Offer
		// The core must make a record of the checkpoint durable before anything is written for it.
		if g.offer.Seq > m.target.Seq {
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
	case data.Offer != nil: // the donor does not serve that checkpoint any more
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

// take passes an answer to the receiver.
func (m *Mover) take(from wire.ReplicaID, answer []byte) {
	if len(answer) == 0 || m.phase != Fetching || m.givers[from].blamed || m.isLate(answer) {
		return
	}
	err := m.receiver.Take(int(from), m.now, answer)
	switch {
	case errors.Is(err, transfer.ErrBad):
		m.Blame(from, err)
	case err != nil:
		m.failed = fmt.Errorf("take in the state at sequence number %d: %w", m.cert.Seq, err)
	case m.receiver.Done():
		m.count()
		m.report.Share = 1
		m.complete()
	default:
		m.gained, m.vain, m.givers[from].failures = m.now, 0, 0
	}
}

// Blame excludes a replica that sent something which cannot be true.
func (m *Mover) Blame(id wire.ReplicaID, why error) {
	m.givers[id].blamed = true
	m.report.Blamed++
	m.report.LastBlame = fmt.Sprintf("replica %d: %v", id, why)
	if m.Liar != nil {
		m.Liar(id, why)
	}
}

// touch tells the donors from time to time that their checkpoint is still wanted, well before they would release it. It
// also asks those that do not serve it yet.
func (m *Mover) touch() {
	if m.now-m.touched >= m.pace.Touch {
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

// askAll asks every donor as much as it has room for.
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

// Adopt makes the fetched state the store's (X6).
func (m *Mover) Adopt(seq wire.Seq) (wire.Digest, error) {
	if m.phase != Switching || m.cert.Seq != seq {
		return wire.Digest{}, fmt.Errorf("execution is to resume at sequence number %d, and no such state was fetched", seq)
	}
	if err := m.stage.Adopt(); err != nil {
		return wire.Digest{}, err
	}
	m.report.Renewed = m.doubt
	m.report.Differs, m.report.Differing = m.stage.Differs()
	if m.receiver != nil {
		m.receiver.Close()
	}
	m.receiver, m.stage = nil, nil
	m.phase, m.position, m.doubt = Idle, seq, false
	m.report.Finished++
	return m.cert.Digest, nil
}

// Close releases what the running transfer holds. Later messages and results are ignored.
func (m *Mover) Close() {
	m.drop()
	m.phase = Idle
	m.round++
}
