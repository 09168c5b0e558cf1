package byzantine

import (
	"fmt"
	"strconv"
	"time"

	"tagma/pbft"
)

// outrun is a primary that leaves a backup behind, and then leaves the others with it (X1, D8.9).
var outrun = Behaviour{
	Name:    "outrun",
	Model:   Byzantine,
	Summary: "as primary orders nulls as fast as it can, or keeps what it orders from one backup, and after a while says nothing",
	Bound:   "the backup follows, or fetches the state; commits again within 3T of the silence",
	Parameters: []Parameter{
		{"how", "nulls", "nulls: it fills the window with nulls, again and again; withhold: one backup is sent no batch"},
		{"target", "", "the backup that is sent no batch, by withhold; the last one without it"},
		{"for", "8T", "how long it is before it says nothing to anybody: a duration, or a multiple of the view timeout T; 0: it goes on"},
	},
	build: newRunner,
}

type runner struct {
	honest
	seat
	nulls  bool
	target pbft.ReplicaID
	lasts  time.Duration // 0: for ever
	began  time.Duration
	begun  bool
	silent bool

	view   pbft.View
	leads  bool // it is the primary of view, which is active
	low    pbft.Seq
	next   pbft.Seq // first number that it has not given away in this view; 0: its core has proposed nothing in it yet
	held   []*pbft.Body
	signed map[pbft.Seq]map[pbft.ReplicaID]bool // who signed a checkpoint above low
	first  []pbft.Effect                        // to be said in front of all else
}

func newRunner(v values, at seat) (Core, error) {
	r := &runner{seat: at, signed: map[pbft.Seq]map[pbft.ReplicaID]bool{}}
	how, err := v.oneOf("how", "nulls", "withhold")
	if err != nil {
		return nil, err
	}
	r.nulls = how == "nulls"
	if r.target, err = v.backup("target", at.cfg); err != nil {
		return nil, err
	}
	if v["for"] != "0" {
		if r.lasts, err = v.delay("for", at.cfg); err != nil {
			return nil, err
		}
	}
	return at.speaks(r), nil
}

// backup reads a replica that is not this one: the last one if none is named. Cfg is nil while values are only judged.
func (v values) backup(name string, cfg *pbft.Config) (pbft.ReplicaID, error) {
	if v[name] == "" {
		if cfg == nil {
			return 0, nil
		}
		last := pbft.ReplicaID(cfg.N() - 1)
		if last == cfg.Self {
			last--
		}
		return last, nil
	}
	id, err := strconv.ParseUint(v[name], 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is no replica; write its number", name, v[name])
	}
	if cfg != nil && id >= uint64(cfg.N()) {
		return 0, fmt.Errorf("%s: there is no replica %d; there are 0 to %d", name, id, cfg.N()-1)
	}
	return pbft.ReplicaID(id), nil
}

// hear gives the core what it orders beside it, as if the core had said so.
func (r *runner) hear(ev pbft.Event, awake bool) []pbft.Event {
	out := []pbft.Event{ev}
	switch e := ev.(type) {
	case pbft.Tick:
		if awake && !r.begun {
			r.begun, r.began = true, e.Mono
		}
		r.silent = awake && r.begun && r.lasts > 0 && e.Mono-r.began >= r.lasts
	case pbft.Received:
		if m, is := e.Msg.Message().(*pbft.Checkpoint); is {
			r.count(m)
		}
	default: // tells nothing of h
	}
	if awake && r.nulls && r.leads && !r.silent {
		out = append(out, r.fill()...)
	}
	return out
}

// count follows h by checkpoints, which come sooner than its core tells of it.
func (r *runner) count(m *pbft.Checkpoint) {
	if m.Seq <= r.low || m.Seq > r.low+2*r.cfg.LogWindow {
		return
	}
	by := r.signed[m.Seq]
	if by == nil {
		by = map[pbft.ReplicaID]bool{}
		r.signed[m.Seq] = by
	}
	if by[m.Replica] = true; len(by) >= r.cfg.Quorum() {
		r.rise(m.Seq)
	}
}

func (r *runner) rise(low pbft.Seq) {
	if low <= r.low {
		return
	}
	r.low = low
	for seq := range r.signed { //nolint:revive // each is judged by itself
		if seq <= low {
			delete(r.signed, seq)
		}
	}
}

// fill orders what waits, and nulls up to H.
func (r *runner) fill() (back []pbft.Event) {
	if r.next == 0 { // what the view began with is not known here
		return nil
	}
	for r.next = max(r.next, r.low+1); r.next <= r.low+r.cfg.LogWindow; r.next++ {
		body := pbft.NullBody
		if len(r.held) > 0 {
			body, r.held = r.held[0], r.held[1:]
		}
		m := &pbft.PrePrepare{View: r.view, Seq: r.next, Digest: body.Digest(), Body: body}
		r.seat.signed(m)
		r.first = append(r.first, pbft.Persist{Record: &pbft.Sent{Msg: m}})
		r.first = append(r.first, r.toOthers(m)...)
		back = append(back, r.loopback(m))
	}
	return back
}

// before says what it ordered.
func (r *runner) before(pbft.Event, bool) []pbft.Effect {
	out := r.first
	r.first = nil
	return out
}

// speak numbers the core's own batches behind the nulls.
func (r *runner) speak(m pbft.Message) []pbft.Message {
	switch m := m.(type) {
	case *pbft.Status:
		r.enter(m.View)
		r.leads = m.Active && r.cfg.Primary(m.View) == r.cfg.Self
		r.rise(m.Stable)
	case *pbft.Checkpoint:
		r.count(m)
	case *pbft.PrePrepare:
		r.enter(m.View)
		if r.nulls && !r.silent && m.Body != nil && m.Seq < r.next {
			r.held = append(r.held, m.Body)
			return nil
		}
		r.next = max(r.next, m.Seq+1)
	default:
	}
	return r.honest.speak(m)
}

func (r *runner) enter(view pbft.View) {
	if view > r.view {
		r.view, r.leads, r.next, r.held = view, false, 0, nil
	}
}

func (r *runner) twists(m pbft.Message) bool {
	if r.silent {
		return true
	}
	switch m.(type) {
	case *pbft.PrePrepare, *pbft.CertifiedBody:
		return !r.nulls
	default:
		return false
	}
}

func (r *runner) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	if r.silent || to == r.target {
		return nil
	}
	return r.honest.tell(to, m)
}

func (r *runner) answer(reply *pbft.Reply) []pbft.Effect {
	if r.silent {
		return nil
	}
	return r.honest.answer(reply)
}
