package replica

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// slow is a timing fault: its messages are correct, but late.
var slow = tamper.Describe[laggard]("slow", tamper.Timing,
	"sends all messages, or some types, late by its own clock",
	"as a backup no view change; a primary that is late by T or more is replaced")

type laggard struct {
	rule
	Delay   time.Duration `default:"0.9T" doc:"how late: a duration, or a multiple of the view timeout T"`
	Types   tamper.Types  `default:"all" doc:"message types that are late, such as pre-prepare; reply is what clients get"`
	FromSeq tamper.Onset  `default:"0" doc:"it becomes slow when it first speaks of this sequence number"`
}

func (l *laggard) ready() error {
	l.types, l.peers, l.onset, l.act = l.Types, tamper.Everybody(), &l.FromSeq, l.delayed(&l.Delay)
	return nil
}

// slowBackup is so late that none of its messages helps any more.
var slowBackup = tamper.Describe[late]("slow-backup", tamper.Timing, "sends all messages 5T late",
	"as a backup throughput ≥ 90 % and no view change")

type late struct {
	rule
	Delay time.Duration `default:"5T" doc:"how late: a duration, or a multiple of the view timeout T"`
}

func (l *late) ready() error {
	l.peers, l.act = tamper.Everybody(), l.delayed(&l.Delay)
	return nil
}

// clockSkew has a wrong wall clock, which shows in the agreed time of its batches and in its status (N1). Its monotonic
// clock, which alone drives timers (T3), is right.
var clockSkew = tamper.Describe[skewed]("clock-skew", tamper.Timing,
	"its wall clock is wrong, or jumps to and fro, and with it the times that it proposes and reports",
	"clock behind: no view change is needed; ahead: at most one as primary, none as a backup")

type skewed struct {
	liar
	By    string        `default:"1h" doc:"how far ahead of the others it is; negative: behind, such as -1h"`
	Every time.Duration `default:"0s" zero:"yes" doc:"it jumps ahead and behind in turn after this long, a duration or "`
	_     any           `doc:"a multiple of T; 0s: it never jumps"`
	by    time.Duration
}

func (s *skewed) ready() (err error) {
	if s.by, err = time.ParseDuration(s.By); err != nil || s.by == 0 {
		return fmt.Errorf("by: %q is not a duration other than 0, such as 1h or -1h", s.By)
	}
	return nil
}

func (s *skewed) hear(ev port.Event) []port.Event {
	if tick, ok := ev.(port.Tick); ok && s.active {
		by := s.by
		if s.Every > 0 && tick.Mono/s.Every%2 == 1 {
			by = -by
		}
		tick.Wall += int64(by)
		ev = tick
	}
	return []port.Event{ev}
}

// early sends messages too early that are right later: a Suspect before the timer has ended (T1), an agreed time that
// the clock has not reached (N1), a reply before the batch has committed (C4).
var early = tamper.Describe[hasty]("early", tamper.Timing,
	"sends too soon what would be right later: a suspicion at every timeout, an agreed time ahead of its clock, or a reply before the commit",
	"no view change by it alone; clients are unaffected; throughput ≥ 90 %")

type hasty struct {
	liar
	What string `default:"suspect" words:"suspect,time,reply" doc:"suspect: a premature Suspect each view timeout; time: its clock is as far "`
	_    any    `doc:"ahead as others take its batches at once; reply: it answers a proposed request with its last result"`

	next    time.Duration // when the attacker suspects again
	results [][]byte      // results that it gave last; it guesses that the next ones are the same
}

// behind is how old another replica's reading of its clock may be, because a core learns the time only at its ticks. If a
// proposal is further ahead than the tolerance allows, the others hold it until their next tick. That would cost most of
// the throughput, which is another attack, that of a slow primary.
const behind = 50 * time.Millisecond

func (h *hasty) tick(port.Tick) {
	if h.What == "suspect" && h.now >= h.next {
		h.next = h.now + h.cfg.ViewTimeout
		h.spread(h.signed(&wire.Suspect{View: h.view, Replica: h.cfg.Self}))
	}
}

func (h *hasty) hear(ev port.Event) []port.Event {
	if !h.active {
		return []port.Event{ev}
	}
	if tick, ticks := ev.(port.Tick); ticks && h.What == "time" {
		tick.Wall += int64(h.cfg.ClockTolerance - min(behind, h.cfg.ClockTolerance/2))
		return []port.Event{tick}
	}
	h.answer(received(ev))
	return []port.Event{ev}
}

func (h *hasty) speak(m wire.Message) []wire.Message {
	h.answer(m)
	return []wire.Message{m}
}

// tell remembers the results in the core's replies.
func (h *hasty) tell(_ port.Source, m wire.Message) []wire.Message {
	if r, answers := m.(*wire.Reply); answers && r.Outcome == wire.OutcomeExecuted && r.ResultDigest == nil {
		h.results = r.Results
	}
	return []wire.Message{m}
}

// answer sends the clients of a proposed batch replies that say that their requests were executed.
func (h *hasty) answer(m wire.Message) {
	p, proposes := m.(*wire.PrePrepare)
	if !proposes || h.What != "reply" || p.Body == nil {
		return
	}
	for _, r := range p.Body.Requests {
		results := slices.Repeat([][]byte{nil}, len(r.Ops))
		copy(results, h.results)
		h.say(port.Respond{Reply: &wire.Reply{
			ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: p.Seq, Results: results, View: p.View,
		}})
	}
}

// slowPrimary is a primary that is as slow as possible without being replaced. It sends each pre-prepare just before the
// timeout, with one request.
var slowPrimary = tamper.Describe[dawdler]("slow-primary", tamper.Timing,
	"as primary sends each pre-prepare 0.9T late, in batches of one, the next when the last one was executed",
	"throughput ≥ 50 % after 10T, where more than one request is asked for at a time; a lone client gets one each 0.9T")

// dawdler gives its core one request at a time while it is the primary. The other requests wait outside the core.
type dawdler struct {
	rule
	Delay   time.Duration           `default:"0.9T" doc:"how late: a duration, or a multiple of the view timeout T"`
	waiting []port.Event            // requests that the core has not got yet, the oldest first
	known   map[wire.RequestID]bool // names of the requests in waiting and inside; both are bounded by mostHeld
	inside  *wire.RequestID         // the request that the core is working on; nil: none
}

func (d *dawdler) ready() error {
	d.known = map[wire.RequestID]bool{}
	return d.lie(d.delayed(&d.Delay), wire.TypePrePrepare)
}

func (d *dawdler) hear(ev port.Event) []port.Event {
	if !d.active || d.cfg.Primary(d.view) != d.cfg.Self { // this replica orders nothing now
		out := append(d.waiting, ev)
		d.waiting, d.inside = nil, nil
		clear(d.known)
		return out
	}
	out := []port.Event{ev}
	if e, is := ev.(port.Executed); is {
		for _, r := range e.Replies {
			if delete(d.known, r.ID); d.inside != nil && *d.inside == r.ID {
				d.inside = nil
			}
		}
	}
	if id := requested(ev); id != nil && len(d.known) < mostHeld && (d.inside == nil || *id != *d.inside) {
		if out = nil; !d.known[*id] {
			d.known[*id], d.waiting = true, append(d.waiting, ev)
		}
	}
	for d.inside == nil && len(d.waiting) > 0 {
		next := d.waiting[0]
		d.waiting = d.waiting[1:]
		if id := requested(next); d.known[*id] { // the request was not executed meanwhile in another primary's batch
			d.inside, out = id, append(out, next)
		}
	}
	return out
}

// requested returns the name of the request that an event brings, or nil.
func requested(ev port.Event) *wire.RequestID {
	if e, brings := ev.(port.Received); brings {
		if r, asks := e.Msg.Message().(*wire.Request); asks {
			return &r.ID
		}
	}
	return nil
}
