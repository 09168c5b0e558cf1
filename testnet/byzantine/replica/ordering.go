package replica

import (
	"math"
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// sequenceAbuse is a primary that gives its batches wrong sequence numbers or wrong requests (§4.2, §4.4; N1, N4).
var sequenceAbuse = tamper.Describe[abuser]("sequence-abuse", tamper.Byzantine,
	"as primary leaves gaps, proposes at the edge of the window or beyond it, orders one request twice, or invents one",
	"gaps are filled with nulls after one view change; each request runs once, an invented one never")

type abuser struct {
	rule
	How     string       `default:"gap" words:"gap,high,above,max,twice,invented" doc:"gap: leaves one number out in each view; high: "`
	_       any          `doc:"jumps to H, and stays there; above: H+1; max: 2^64-1; twice: each batch begins with the first request of the "`
	_       any          `doc:"batch before; invented: each batch begins with a request that its client never signed"`
	FromSeq tamper.Onset `default:"1" doc:"it begins when it first proposes this sequence number"`

	jumped bool          // the attacker has skipped sequence numbers in the view in
	in     wire.View     // the view of its last proposal
	last   *wire.Request // the first request of its last proposal
}

func (a *abuser) ready() error {
	a.onset = &a.FromSeq
	return a.lie(a.misplace, wire.TypePrePrepare)
}

// ordered returns the proposal in a message. It returns nil if the proposal has no body, or if the rule does not match
// it or has not begun.
func (a *abuser) ordered(m wire.Message) *wire.PrePrepare {
	if p, ok := m.(*wire.PrePrepare); ok && p.Body != nil && a.covers(p) {
		return p
	}
	return nil
}

// speak changes proposals. It uses it for changes that the core must know of, so that the core does not contradict them
// later.
func (a *abuser) speak(m wire.Message) []wire.Message {
	p := a.ordered(m)
	if p == nil {
		return []wire.Message{m}
	}
	if p.View != a.in {
		a.in, a.jumped = p.View, false
	}
	switch a.How {
	case "gap":
		return a.at(p, p.Seq+1)
	case "high":
		if a.jumped {
			return nil
		}
		a.jumped = true
		return a.at(p, a.low+a.cfg.LogWindow)
	case "twice":
		again := a.last
		if a.last = p.Body.Requests[0]; again != nil {
			p = withRequests(a.cfg, p, []*wire.Request{again})
		}
		return []wire.Message{p}
	default: // misplace lies to the others alone
		return []wire.Message{m}
	}
}

// at returns a proposal with another sequence number, or nothing if that number is above H.
func (a *abuser) at(p *wire.PrePrepare, seq wire.Seq) []wire.Message {
	if seq > a.low+a.cfg.LogWindow {
		return nil
	}
	return []wire.Message{&wire.PrePrepare{View: p.View, Seq: seq, Digest: p.Digest, Body: p.Body}}
}

// misplace proposes a batch beyond the window, or a batch whose first request has another number than the one that its
// client signed.
func (a *abuser) misplace(_ port.Source, m wire.Message) []wire.Message {
	p := a.ordered(m)
	if p == nil {
		return []wire.Message{m}
	}
	lie := &wire.PrePrepare{View: p.View, Digest: p.Digest, Body: p.Body}
	switch a.How {
	case "above":
		lie.Seq = a.low + a.cfg.LogWindow + 1
	case "max":
		lie.Seq = math.MaxUint64
	case "invented":
		next := tamper.Copy(p.Body.Requests[0]).(*wire.Request)
		next.ID.T++
		lie = withBody(p, &wire.Body{Time: p.Body.Time, Requests: append([]*wire.Request{next}, p.Body.Requests[1:]...)})
	default: // speak has changed the proposal already
		return []wire.Message{m}
	}
	return []wire.Message{a.signed(lie)}
}

// withRequests returns a proposal of the same batch with further requests before its own, as many of these as there is
// room for.
func withRequests(cfg *wire.Config, p *wire.PrePrepare, front []*wire.Request) *wire.PrePrepare {
	size := 0
	for _, r := range p.Body.Requests {
		size += r.Size()
	}
	body := &wire.Body{Time: p.Body.Time}
	for _, r := range front {
		if size += r.Size(); size > cfg.MaxBatchBytes || len(p.Body.Requests)+len(body.Requests) >= cfg.MaxBatch {
			break
		}
		body.Requests = append(body.Requests, r)
	}
	body.Requests = append(body.Requests, p.Body.Requests...)
	return withBody(p, body)
}

// replayedRequests is a primary that orders requests again that clients signed earlier (C1, C2).
var replayedRequests = tamper.Describe[replayer]("replayed-requests", tamper.Byzantine,
	"as primary puts recorded requests of old and evicted sessions into its batches once more",
	"no session is evicted, and nothing runs twice")

type replayer struct {
	liar
	PerBatch uint64       `default:"4" cap:"1024" doc:"how many old requests each batch gets"`
	FromSeq  tamper.Onset `default:"2" doc:"it begins when it first proposes this sequence number"`

	old   []*wire.Request // the oldest requests that it received; their sessions expire first
	names map[wire.RequestID]bool
	next  int
}

func (r *replayer) ready() error {
	r.names = map[wire.RequestID]bool{}
	return nil
}

func (r *replayer) hear(ev port.Event) []port.Event {
	var requests []*wire.Request
	if e, ok := ev.(port.Received); ok {
		switch m := e.Msg.Message().(type) {
		case *wire.Request:
			requests = []*wire.Request{m}
		case *wire.PrePrepare:
			if m.Body != nil {
				requests = m.Body.Requests
			}
		default: // holds no requests
		}
	}
	for _, m := range requests {
		if len(r.old) < mostRecorded && !r.names[m.ID] {
			r.names[m.ID] = true
			r.old = append(r.old, m)
		}
	}
	return []port.Event{ev}
}

func (r *replayer) speak(m wire.Message) []wire.Message {
	p, ok := m.(*wire.PrePrepare)
	if !ok || p.Body == nil || !r.mine(p) || !r.FromSeq.Reached(p.Seq) || len(r.old) == 0 {
		return []wire.Message{m}
	}
	var again []*wire.Request
	for range min(r.PerBatch, uint64(len(r.old))) {
		again = append(again, r.old[r.next%len(r.old)])
		r.next++
	}
	return []wire.Message{withRequests(r.cfg, p, again)}
}

// tinyOperations is a primary whose batches have few bytes and as many operations as valid batches may have (S4). It
// works together with a client that sends it requests of empty operations (empty-client).
var tinyOperations = tamper.Describe[filler]("tiny-operations", tamper.Byzantine,
	"as primary gathers requests of nothing but empty operations, and fills each batch up with them: tens of thousands in one",
	"memory and time of a step are bounded; clients keep ≥ 50 % of what they ask for; no view change")

type filler struct {
	liar
	FromSeq tamper.Onset `default:"1" doc:"it begins when it first proposes this sequence number"`

	held  []*wire.Request
	names map[wire.RequestID]bool // names of all gathered requests, except very old ones
}

func (f *filler) ready() error {
	f.names = map[wire.RequestID]bool{}
	return nil
}

// hear does not give requests of empty operations to the core, because the core would propose only some of them at a
// time in order to be fair to other clients.
func (f *filler) hear(ev port.Event) []port.Event {
	r, asks := received(ev).(*wire.Request)
	if !asks || !f.active || !f.leads || slices.ContainsFunc(r.Ops, func(op []byte) bool { return len(op) > 0 }) {
		return []port.Event{ev}
	}
	if len(f.names) >= mostHeld {
		clear(f.names)
	}
	if !f.names[r.ID] && len(f.held) < mostHeld {
		f.names[r.ID] = true
		f.held = append(f.held, r)
	}
	return nil
}

// speak adds such requests to the batches that the core proposes.
func (f *filler) speak(m wire.Message) []wire.Message {
	p, proposes := m.(*wire.PrePrepare)
	if !proposes || p.Body == nil || len(p.Body.Requests) == 0 || !f.mine(p) || !f.FromSeq.Reached(p.Seq) || len(f.held) == 0 {
		return []wire.Message{m}
	}
	full := withRequests(f.cfg, p, f.held)
	f.held = f.held[len(full.Body.Requests)-len(p.Body.Requests):]
	return []wire.Message{full}
}
