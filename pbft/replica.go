package pbft

import (
	"time"

	"tagma/pbft/amnesia"
	"tagma/pbft/follow"
	"tagma/pbft/msglog"
	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Replica is one replica's protocol state. It is not safe for concurrent use. Memory is bounded by the configuration:
// a ring of slots, arrays indexed by replica and a limited pool of requests.
type Replica struct {
	cfg *wire.Config
	out []port.Effect

	mono    time.Duration
	wall    int64
	started bool // a Tick has set the clocks

	view   wire.View
	active bool          // the view's NewView was processed; false between ViewChange and NewView (V5)
	origin *wire.NewView // what made view active; nil in view 0

	log      *msglog.Window
	handed   wire.Seq     // last sequence number handed to execution
	backlog  []*wire.Body // after a restart: batches to execute next that the ring no longer holds
	executed wire.Seq     // last sequence number whose execution was reported
	proposed wire.Seq     // last sequence number that this replica assigned as primary
	due      due

	checkpoints msglog.Checkpoints
	pool        *pool.Pool
	suspicion   suspicion
	change      change
	peers       []peer
	diverged    bool // this replica's own state contradicts a stable checkpoint, so it sends no replies (K2)
	// Diverged, or the store is damaged; then a state may be fetched even if it is below what was executed (K2).
	doubted bool

	lastProposal time.Duration // when this replica, as primary, last sent a pre-prepare or heartbeat
	lastStatus   time.Duration
	nextStatus   time.Duration
	helper       wire.ReplicaID
	known        wire.Seq // the highest sequence number for which a message of this view is known to exist

	life     wire.Life
	inquiry  amnesia.Inquiry
	recovery recovery
	transfer transfer
	follow   follow.Question
	memories msglog.Memories
}

// Step takes one event and returns its effects in the order in which the driver must perform them.
func (r *Replica) Step(ev port.Event) []port.Effect {
	r.out = r.out[:0]
	switch {
	case r.inquiry.Forgot:
		return nil
	case r.inquiry.Asking:
		r.stepAsking(ev)
		return r.out
	}
	switch e := ev.(type) {
	case port.Tick:
		r.onTick(e)
	case port.Received:
		r.onReceived(e)
	case port.Executed:
		r.onExecuted(e)
	case port.Snapshotted:
		r.onSnapshotted(e)
	case port.Transferred:
		r.onTransferred(e)
	case port.Starving:
		r.onStarving()
	case port.Damaged:
		r.onDamaged()
	case port.BadNewView:
		r.onBadNewView(e)
	case port.Stop:
		r.remember()
	}
	return r.out
}

// onReceived passes a message to its handler. It also decides which messages clients may send and which only replicas.
func (r *Replica) onReceived(e port.Received) {
	if req, ok := e.Msg.Message().(*wire.Request); ok {
		r.onRequest(req, e.From)
		return
	}
	if e.From.Client {
		r.drop(e.Msg.Message(), port.ReasonFromClient)
		return
	}
	switch m := e.Msg.Message().(type) {
	case *wire.PrePrepare:
		r.onPrePrepare(m, e.From)
	case *wire.Prepare:
		r.onPrepare(m, e.From)
	case *wire.Commit:
		r.onCommit(m, e.From)
	case *wire.Checkpoint:
		r.onCheckpoint(m, e.From)
	case *wire.Suspect:
		r.onSuspect(m, e.From)
	case *wire.ViewChange:
		r.onViewChange(m, e.From)
	case *wire.NewView:
		r.onNewView(m, e.From)
	case *wire.Heartbeat:
		r.onHeartbeat(m, e.From)
	case *wire.Status:
		r.onStatus(m, e.From)
	case *wire.Fetch:
		r.onFetch(m, e.From)
	case *wire.CertifiedBody:
		r.onCertifiedBody(m)
	case *wire.StableNotice:
		r.onStableNotice(m)
	case *wire.Slots:
		r.onSlots(m, e.From)
	case *wire.Held:
		r.onHeld(m, e.From)
	case *wire.HeldBy:
		r.onHeldBy(m, e.From)
	case *wire.Recover:
		r.onRecover(m, e.From)
	default:
		r.drop(m, port.ReasonUnexpected)
	}
}

func (r *Replica) emit(e port.Effect)                     { r.out = append(r.out, e) }
func (r *Replica) drop(m wire.Message, why port.Reason)   { r.emit(port.Dropped{Msg: m, Why: why}) }
func (r *Replica) send(to wire.ReplicaID, m wire.Message) { r.emit(port.Send{To: to, Msg: m}) }

// isPrimary reports whether this replica is the primary of the current view.
func (r *Replica) isPrimary() bool { return r.cfg.Primary(r.view) == r.cfg.Self }

// ownVote reports whether a vote came directly from its signer: over the signer's link or over the loopback (S2).
func (r *Replica) ownVote(signer wire.ReplicaID, from port.Source) bool {
	if from.Loopback {
		return signer == r.cfg.Self
	}
	return signer == from.Replica && signer != r.cfg.Self
}
