package sim

import (
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// lanes hold what waits for a turn.
type lanes struct {
	executed, replicas, clients []port.Event
	tick                        bool
}

func (l *lanes) empty() bool {
	return len(l.executed) == 0 && len(l.replicas) == 0 && len(l.clients) == 0 && !l.tick
}

// turn is one turn of the driver. Its output is sent only when the turn's sync is over.
type turn struct {
	busy   bool
	events []port.Event
	out    []output
	syncs  int
	// Records that the turn's sync makes durable.
	written []wire.Record
	struck  bool // the node crashed during the turn
	rotated bool // the journal began a segment in this turn
}

// output is something that follows a turn's sync. One of frame, reply and work is set.
type output struct {
	to    wire.ReplicaID
	frame []byte
	reply *wire.Reply
	work  port.Effect
}

// arrive handles a frame of another replica. A frame that is invalid is dropped, because remote input must never stop a
// replica (S4).
func (n *node) arrive(p *packet) {
	if !n.up {
		return
	}
	v, err := n.w.verify(p.read)
	if err != nil {
		n.refuse(p, err)
		if ev := port.Refused(&n.w.cfg, p.from, p.read.frame); ev != nil && !p.damaged && len(n.lanes.replicas) < replica.LaneRoom {
			n.lanes.replicas = append(n.lanes.replicas, ev)
			n.wake()
		}
		return
	}
	n.w.counts.Messages++
	switch replica.PartFor(v.Message()) {
	case replica.Nobody:
		n.refuse(p, replica.ErrMisplaced)
		return
	case replica.TheMover:
		n.toMover(p.from, v)
		return
	case replica.TheDonor:
		n.toDonor(p.from, v)
		return
	default: // every other message waits for a turn
	}
	if len(n.lanes.replicas) >= replica.LaneRoom {
		return
	}
	if p.event == nil {
		p.event = port.Received{From: port.Source{Replica: p.from}, Msg: v}
	}
	n.lanes.replicas = append(n.lanes.replicas, p.event)
	n.wake()
}

func (n *node) refuse(p *packet, err error) {
	n.w.counts.Refused++
	n.tap.Emit(&trace.Refused{From: int(p.from), Message: trace.Say(p.read.msg), Why: err.Error()})
	if n.w.Correct(p.from) && n.w.Correct(n.id) && !p.damaged {
		n.w.fail("refused", n.id, "a message of the correct replica %d is refused: %v", p.from, err)
	}
}

// wake begins a turn if there is something to do and no turn is under way.
func (n *node) wake() {
	for n.up && !n.paused && !n.turn.busy && (n.driver != nil && n.driver.Pending() || !n.lanes.empty()) {
		if n.asking != nil {
			n.askTurn()
			continue
		}
		n.takeTurn()
	}
}

// askTurn gives waiting events to a replica that may have forgotten what it signed.
func (n *node) askTurn() {
	events := n.gather()
	for _, ev := range events {
		if n.asking == nil {
			return
		}
		n.askingStep(ev)
	}
}

// gather takes the events that wait for a turn.
func (n *node) gather() []port.Event {
	t := &n.turn
	t.events = t.events[:0]
	t.events = drain(t.events, &n.lanes.executed, replica.LaneRoom)
	t.events = drain(t.events, &n.lanes.replicas, replica.EventsPerTurn)
	t.events = drain(t.events, &n.lanes.clients, replica.EventsPerTurn)
	if n.lanes.tick {
		n.lanes.tick = false
		tick := port.Tick{Mono: n.Now(), Wall: Epoch + int64(n.w.now+n.skew)}
		if n.exec != nil { // a replica that asks what it signed has no executor yet
			tick.Due = n.exec.Service.Due()
		}
		t.events = append(t.events, tick)
	}
	n.w.mark('n', int(n.id), uint64(len(t.events)), 0)
	return t.events
}

// takeTurn gives the waiting events to the driver. If nothing has to be made durable, the turn is over at once.
func (n *node) takeTurn() {
	events := n.gather()
	t := &n.turn
	t.busy = true
	err := n.driver.Turn(events)
	switch {
	case t.struck:
		n.crash(n.strike.Loss)
	case err != nil:
		n.die(err)
	case n.lost != "":
		n.forget()
	case t.syncs > 0:
		took := time.Duration(t.syncs) * (n.w.opt.Sync + n.upTo(n.w.opt.SyncJitter))
		n.after(took, n.endTurn)
	default:
		n.release()
	}
}

func (n *node) upTo(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(n.w.turns.Int64N(int64(most) + 1))
}

// drain moves at most so many events from a lane.
func drain(events []port.Event, lane *[]port.Event, most int) []port.Event {
	k := min(most, len(*lane))
	events = append(events, (*lane)[:k]...)
	rest := copy(*lane, (*lane)[k:])
	clear((*lane)[rest:])
	*lane = (*lane)[:rest]
	return events
}

// endTurn is called when a turn's sync is over.
func (n *node) endTurn() {
	n.settleTurn()
	if n.spare {
		n.spare = false
		n.prepareSegment()
	}
	if n.paused {
		n.turn.syncs = 0
		return // Resume releases the output
	}
	n.release()
	n.wake()
}

// settleTurn makes durable what the turn wrote.
func (n *node) settleTurn() {
	n.disk.Settle()
	if m := n.observed(); m != nil {
		for _, r := range n.turn.written {
			m.Durable(n.id, r)
		}
	}
	clear(n.turn.written)
	n.turn.written = n.turn.written[:0]
}

// release sends a turn's output, in order, unless the node crashes in between.
func (n *node) release() {
	out := n.turn.out
	for i := range out {
		// A crash before this effect is the same as a crash before the next one.
		if _, is := out[i].work.(port.Truncate); is {
			n.exec.Put(out[i].work)
			continue
		}
		if n.struckBefore(&out[i]) {
			n.crash(n.strike.Loss)
			return
		}
		n.let(&out[i])
		if n.struckAfter(&out[i]) {
			n.crash(n.strike.Loss)
			return
		}
	}
	clear(out)
	n.turn.out, n.turn.busy, n.turn.syncs = out[:0], false, 0
}

// early sends output that the driver made before it asked for the sync. A correct driver makes none (D0).
func (n *node) early() {
	for i := range n.turn.out {
		n.let(&n.turn.out[i])
	}
	clear(n.turn.out)
	n.turn.out = n.turn.out[:0]
}

func (n *node) let(o *output) {
	switch {
	case o.frame != nil:
		d := n.w.read(o.frame)
		if m := n.observed(); m != nil && !d.left {
			d.left = true
			m.Left(n.id, d.msg)
		}
		n.w.transmit(n, o.to, o.frame)
	case o.reply != nil:
		n.Respond(o.reply)
	case o.work != nil:
		if offer, is := o.work.(port.Offer); is {
			n.donor.Offer(offer.Cert)
			n.exec.Offer(offer.Cert)
			return
		}
		n.exec.Put(o.work)
		n.work()
	}
}
