package replica

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// outrun is a primary that leaves one backup behind and then sends nothing. So the others need that backup to continue
// (X1, D8.9).
var outrun = tamper.Describe[runner]("outrun", tamper.Byzantine,
	"as primary orders nulls as fast as it can, or keeps what it orders from one backup, and after a while says nothing",
	"the backup follows, or fetches the state; commits again within 3T of the silence")

type runner struct {
	liar
	How    string        `default:"nulls" words:"nulls,withhold" doc:"nulls: it fills the window with nulls, again and again; "`
	_      any           `doc:"withhold: one backup is sent no batch"`
	Target tamper.Backup `doc:"the backup to which withhold sends no batch; by default the last one"`
	For    time.Duration `default:"8T" zero:"yes" doc:"how long it acts before it falls silent to everybody: a duration, or a multiple "`
	_      any           `doc:"of the view timeout T; 0: it never does"`

	began  time.Duration // when the attack began; 0: not yet
	silent bool

	in   wire.View // the view in which it orders batches
	next wire.Seq  // the next sequence number to use in that view; 0: the core has not proposed anything in it
	held []*wire.Body
}

func (r *runner) nulls() bool { return r.How == "nulls" }

// tick starts the attack, and makes the attacker send nothing when its time is over.
func (r *runner) tick(t port.Tick) {
	if r.began == 0 {
		r.began = t.Mono
	}
	r.silent = r.For > 0 && t.Mono-r.began >= r.For
}

// hear gives the core the proposals that the attacker made without it, as if the core had made them.
func (r *runner) hear(ev port.Event) []port.Event {
	if r.enter(r.view); r.active && r.nulls() && r.leads && r.view == r.in && !r.silent {
		return append([]port.Event{ev}, r.fill()...)
	}
	return []port.Event{ev}
}

// fill orders the waiting requests, and then nulls up to H.
func (r *runner) fill() (back []port.Event) {
	if r.next == 0 { // the attacker does not know which proposals the new view began with
		return nil
	}
	for r.next = max(r.next, r.low+1); r.next <= r.low+r.cfg.LogWindow; r.next++ {
		body := wire.NullBody
		if len(r.held) > 0 {
			body, r.held = r.held[0], r.held[1:]
		}
		m := &wire.PrePrepare{View: r.in, Seq: r.next, Digest: body.Digest(), Body: body}
		r.signed(m)
		r.say(port.Persist{Record: &wire.Sent{Msg: m}})
		r.spread(m)
		back = append(back, r.loopback(m))
	}
	return back
}

// speak holds a batch of the core back if a null has its sequence number; fill orders the batch later.
func (r *runner) speak(m wire.Message) []wire.Message {
	if p, proposes := m.(*wire.PrePrepare); proposes {
		r.enter(p.View)
		if r.nulls() && !r.silent && p.Body != nil && p.Seq < r.next {
			r.held = append(r.held, p.Body)
			return nil
		}
		r.next = max(r.next, p.Seq+1)
	}
	return []wire.Message{m}
}

func (r *runner) enter(view wire.View) {
	if view > r.in {
		r.in, r.next, r.held = view, 0, nil
	}
}

func (r *runner) tell(to port.Source, m wire.Message) []wire.Message {
	kept := false
	switch m.(type) {
	case *wire.PrePrepare, *wire.CertifiedBody:
		kept = !r.nulls() && to.Replica == wire.ReplicaID(r.Target)
	default: // every replica may have this message
	}
	if r.silent || kept {
		return nil
	}
	return []wire.Message{m}
}
