package replica

import (
	"maps"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// outrun is a primary that leaves a backup behind, and then leaves the others with it (X1, D8.9).
var outrun = tamper.Describe[runner]("outrun", tamper.Byzantine,
	"as primary orders nulls as fast as it can, or keeps what it orders from one backup, and after a while says nothing",
	"the backup follows, or fetches the state; commits again within 3T of the silence")

type runner struct {
	liar
	How    string        `default:"nulls" words:"nulls,withhold" doc:"nulls: it fills the window with nulls, again and again; "`
	_      any           `doc:"withhold: one backup is sent no batch"`
	Target tamper.Backup `doc:"the backup that is sent no batch, by withhold; the last one without it"`
	For    time.Duration `default:"8T" zero:"yes" doc:"how long it is before it says nothing to anybody: a duration, or a multiple "`
	_      any           `doc:"of the view timeout T; 0: it goes on"`

	began  time.Duration
	begun  bool
	silent bool

	view   wire.View
	leads  bool // it is the primary of view, which is active
	low    wire.Seq
	next   wire.Seq // first number that it has not given away in this view; 0: its core has proposed nothing in it yet
	held   []*wire.Body
	stable map[wire.Seq]map[wire.ReplicaID]bool // who signed a checkpoint above low
}

func (r *runner) ready() error {
	r.stable = map[wire.Seq]map[wire.ReplicaID]bool{}
	return nil
}

func (r *runner) nulls() bool { return r.How == "nulls" }

// hear gives the core what it orders beside it, as if the core had said so.
func (r *runner) hear(ev port.Event) []port.Event {
	out := []port.Event{ev}
	if _, is := ev.(port.Tick); is {
		if r.awake && !r.begun {
			r.begun, r.began = true, r.now
		}
		r.silent = r.awake && r.begun && r.For > 0 && r.now-r.began >= r.For
	}
	if m, is := received(ev).(*wire.Checkpoint); is {
		r.count(m)
	}
	if r.awake && r.nulls() && r.leads && !r.silent {
		out = append(out, r.fill()...)
	}
	return out
}

// count follows h by checkpoints, which come sooner than its core tells of it.
func (r *runner) count(m *wire.Checkpoint) {
	if m.Seq <= r.low || m.Seq > r.low+2*r.cfg.LogWindow {
		return
	}
	by := r.stable[m.Seq]
	if by == nil {
		by = map[wire.ReplicaID]bool{}
		r.stable[m.Seq] = by
	}
	if by[m.Replica] = true; len(by) >= r.cfg.Quorum() {
		r.rise(m.Seq)
	}
}

func (r *runner) rise(low wire.Seq) {
	if low <= r.low {
		return
	}
	r.low = low
	maps.DeleteFunc(r.stable, func(seq wire.Seq, _ map[wire.ReplicaID]bool) bool { return seq <= low })
}

// fill orders what waits, and nulls up to H.
func (r *runner) fill() (back []port.Event) {
	if r.next == 0 { // what the view began with is not known here
		return nil
	}
	for r.next = max(r.next, r.low+1); r.next <= r.low+r.cfg.LogWindow; r.next++ {
		body := wire.NullBody
		if len(r.held) > 0 {
			body, r.held = r.held[0], r.held[1:]
		}
		m := &wire.PrePrepare{View: r.view, Seq: r.next, Digest: body.Digest(), Body: body}
		r.signed(m)
		r.say(port.Persist{Record: &wire.Sent{Msg: m}})
		r.spread(m)
		back = append(back, r.loopback(m))
	}
	return back
}

// speak numbers the core's own batches behind the nulls.
func (r *runner) speak(m wire.Message) []wire.Message {
	switch m := m.(type) {
	case *wire.Status:
		r.enter(m.View)
		r.leads = m.Active && r.cfg.Primary(m.View) == r.cfg.Self
		r.rise(m.Stable)
	case *wire.Checkpoint:
		r.count(m)
	case *wire.PrePrepare:
		r.enter(m.View)
		if r.nulls() && !r.silent && m.Body != nil && m.Seq < r.next {
			r.held = append(r.held, m.Body)
			return nil
		}
		r.next = max(r.next, m.Seq+1)
	default:
	}
	return []wire.Message{m}
}

func (r *runner) enter(view wire.View) {
	if view > r.view {
		r.view, r.leads, r.next, r.held = view, false, 0, nil
	}
}

func (r *runner) twists(m wire.Message) bool {
	if r.silent {
		return true
	}
	switch m.(type) {
	case *wire.PrePrepare, *wire.CertifiedBody:
		return !r.nulls()
	default:
		return false
	}
}

func (r *runner) tell(to port.Source, m wire.Message) []wire.Message {
	if r.silent || to.Replica == wire.ReplicaID(r.Target) {
		return nil
	}
	return []wire.Message{m}
}
