package pbft

import (
	"time"

	"tagma/pbft/wire"
)

// Actor is whatever takes a replica's place in a driver: a *Replica, or an attacker around one.
type Actor interface {
	// Step takes one event and returns what is to be done, in order. The slice is valid until the next Step.
	Step(Event) []Effect
}

// Replica is one replica's protocol state. It is not safe for concurrent use. Memory is bounded by the configuration:
// a ring of slots, arrays indexed by replica and a limited pool of requests.
type Replica struct {
	cfg *wire.Config
	out []Effect

	mono    time.Duration
	wall    int64
	started bool // a Tick has set the clocks

	view   wire.View
	active bool          // view's NewView was processed; false between ViewChange and NewView (V5)
	origin *wire.NewView // what made view active; nil in view 0

	log      *window
	handed   wire.Seq     // last sequence number handed to execution
	backlog  []*wire.Body // what comes next and the ring does not hold, after a restart
	executed wire.Seq     // last one whose execution was reported
	proposed wire.Seq     // last one this replica assigned as primary

	checkpoints checkpoints
	pool        *pool
	suspicion   suspicion
	change      change
	peers       []peer
	diverged    bool // own state contradicts a stable checkpoint: no replies (K2)

	lastProposal time.Duration // when this replica, as primary, last sent a pre-prepare or heartbeat
	lastStatus   time.Duration
	nextStatus   time.Duration
	helper       wire.ReplicaID
	learned      wire.Seq // how far the primary of the view said that it has proposed

	life     wire.Life
	inquiry  inquiry
	recovery recovery
	transfer transfer
	follow   follow
	memories []remembered // by replica
}

// Step takes one event and returns its effects in the order in which they are to be performed.
func (r *Replica) Step(ev Event) []Effect {
	r.out = r.out[:0]
	switch {
	case r.inquiry.forgot:
		return nil
	case r.inquiry.asking:
		r.stepAsking(ev)
		return r.out
	}
	switch e := ev.(type) {
	case Tick:
		r.onTick(e)
	case Received:
		r.onReceived(e)
	case Executed:
		r.onExecuted(e)
	case Snapshotted:
		r.onSnapshotted(e)
	case Transferred:
		r.onTransferred(e)
	case Starving:
		r.onStarving()
	}
	return r.out
}

// onReceived sends a message to its handler. What clients may send and what only replicas may send is decided here.
func (r *Replica) onReceived(e Received) {
	if req, ok := e.Msg.Message().(*wire.Request); ok {
		r.onRequest(req, e.From)
		return
	}
	if e.From.Client {
		r.drop(e.Msg.Message(), ReasonFromClient)
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
		r.drop(m, ReasonUnexpected)
	}
}

func (r *Replica) emit(e Effect)                          { r.out = append(r.out, e) }
func (r *Replica) drop(m wire.Message, why Reason)        { r.emit(Dropped{Msg: m, Why: why}) }
func (r *Replica) send(to wire.ReplicaID, m wire.Message) { r.emit(Send{To: to, Msg: m}) }

// isPrimary reports whether this replica orders in the current view.
func (r *Replica) isPrimary() bool { return r.cfg.Primary(r.view) == r.cfg.Self }

// ownVote reports whether a direct vote came from its signer: over that replica's link or over the loopback (S2).
func (r *Replica) ownVote(signer wire.ReplicaID, from Source) bool {
	if from.Loopback {
		return signer == r.cfg.Self
	}
	return signer == from.Replica && signer != r.cfg.Self
}
