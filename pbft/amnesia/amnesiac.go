package amnesia

import (
	"slices"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Amnesiac runs in place of a Replica while this replica does not know what it signed (D8.6). It does not vote, execute
// or write. It asks the other replicas until n−f of them that remember everything have answered. Their answers give a
// sequence number and a view: votes above that number and from that view on cannot contradict a forgotten vote.
type Amnesiac struct {
	cfg     *wire.Config
	nonce   uint64
	answers []*wire.HeldBy // by replica: the last answer of one that remembers everything; nil: none yet
	heard   []bool         // by replica: it answered, whether or not it remembers everything
	mono    time.Duration
	again   time.Duration
	asked   bool
	out     []port.Effect
}

// New returns an amnesiac that asks under a fresh nonce. The nonce ties answers to this start: answers to two different
// starts must not be counted together.
func New(cfg *wire.Config, nonce uint64) *Amnesiac {
	return &Amnesiac{cfg: cfg, nonce: nonce, answers: make([]*wire.HeldBy, cfg.N()), heard: make([]bool, cfg.N())}
}

// Step takes an event. The only effects are Send, Respond and Dropped.
func (a *Amnesiac) Step(ev port.Event) []port.Effect {
	a.out = a.out[:0]
	switch e := ev.(type) {
	case port.Tick:
		a.mono = max(a.mono, e.Mono)
		a.ask()
	case port.Received:
		a.onReceived(e)
	default: // an amnesiac executes nothing
	}
	return a.out
}

func (a *Amnesiac) ask() {
	if a.asked && a.mono < a.again {
		return
	}
	a.asked, a.again = true, a.mono+a.cfg.ViewTimeout/4
	for id := range a.cfg.N() {
		if to := wire.ReplicaID(id); to != a.cfg.Self && a.answers[id] == nil {
			a.out = append(a.out, port.Send{To: to, Msg: &wire.Held{Nonce: a.nonce}})
		}
	}
}

func (a *Amnesiac) onReceived(e port.Received) {
	why := port.ReasonAsking
	switch m := e.Msg.Message().(type) {
	case *wire.Held:
		if !e.From.Client {
			a.out = append(a.out, port.Send{To: e.From.Replica, Msg: &wire.HeldBy{Nonce: m.Nonce, Of: e.From.Replica}})
			return
		}
	case *wire.HeldBy:
		if why = a.take(m, e.From); why == "" {
			return
		}
	case *wire.Request:
		if e.From.Client {
			a.out = append(a.out, port.Respond{Reply: &wire.Reply{
				ID: m.ID, Request: m.Digest(), Outcome: wire.OutcomeBusy, RetryAfterMillis: uint32(max(1, a.cfg.ViewTimeout.Milliseconds())),
			}})
		}
	default: // an amnesiac follows nobody
	}
	a.out = append(a.out, port.Dropped{Msg: e.Msg.Message(), Why: why})
}

func (a *Amnesiac) take(m *wire.HeldBy, from port.Source) port.Reason {
	switch {
	case from.Client || m.Nonce != a.nonce || m.Of != a.cfg.Self:
		return port.ReasonUnasked
	case a.answers[from.Replica] != nil:
		return port.ReasonDuplicate
	}
	a.heard[from.Replica] = true
	if m.Whole { // a replica that has itself forgotten something may not know what this replica needs
		a.answers[from.Replica] = m
	}
	return ""
}

// Answer says whether another replica has answered an amnesiac.
type Answer struct {
	Heard bool
	Whole bool // it remembers all that it signed
}

// Answers lists the answer of each replica, by replica.
func (a *Amnesiac) Answers() []Answer {
	list := make([]Answer, a.cfg.N())
	for id := range list {
		list[id] = Answer{Heard: a.heard[id], Whole: a.answers[id] != nil}
	}
	return list
}

// Recovery says from which sequence number and view on the votes of a replica that has forgotten what it signed cannot
// contradict the forgotten ones (D8.6).
type Recovery struct {
	Until    wire.Seq        // R: the replica may vote once a checkpoint at or above it is stable
	View     wire.View       // V*: the replica never votes in a view below it
	Suspects []wire.Suspect  // they justify the highest view that an answer showed together with its Suspects
	Stable   wire.StableCert // the newest stable certificate in the answers
}

// Recovery returns what follows from the answers of n−f replicas that remember everything, or of Q where replicas only crash
// (F7); false while there are fewer.
func (a *Amnesiac) Recovery() (Recovery, bool) {
	whole := slices.DeleteFunc(slices.Clone(a.answers), func(m *wire.HeldBy) bool { return m == nil })
	if len(whole) < a.cfg.Remaining() {
		return Recovery{}, false
	}
	var highest wire.Seq
	out := Recovery{View: 1}
	for _, m := range whole {
		highest = max(highest, highestSeq(m))
		if view := highestView(m) + 1; view > out.View {
			out.View = view
		}
		if m.Stable.Seq > out.Stable.Seq {
			out.Stable = m.Stable
		}
	}
	// A faulty replica's answer may prove a higher view but leave out the Suspects that justify it.
	justified := wire.View(0)
	for _, m := range whole {
		if m.View > justified {
			justified, out.Suspects = m.View, m.Suspects
		}
	}
	out.Until = highest + a.cfg.LogWindow
	return out, true
}

// highestSeq is the highest sequence number that anything in the answer proves.
func highestSeq(m *wire.HeldBy) wire.Seq {
	seq := m.Stable.Seq
	if m.Prepared != nil {
		seq = max(seq, m.Prepared.Seq)
	}
	if m.Commit != nil {
		seq = max(seq, m.Commit.Seq)
	}
	for i := range m.Said {
		seq = max(seq, m.Said[i].Seq)
	}
	return seq
}

// highestView is the highest view that the answer proves to have been justified or voted in. A view change to u proves
// only that u−1 was justified, and its author may send a second view change to u (D8.10).
func highestView(m *wire.HeldBy) wire.View {
	view := m.View
	if m.Prepared != nil {
		view = max(view, m.Prepared.View)
	}
	if m.Commit != nil {
		view = max(view, m.Commit.View)
	}
	for i := range m.Said {
		s := &m.Said[i]
		if s.Type == wire.TypeViewChange {
			view = max(view, s.View-1)
		} else {
			view = max(view, s.View)
		}
	}
	return view
}

// Records returns the first records of the new life's journal. All of them must be durable before the life is written to
// the file beside the key, and before the replica does anything else.
func (rec Recovery) Records(cfg *wire.Config, life wire.Life) []wire.Record {
	out := []wire.Record{
		&wire.Head{Cluster: cfg.Cluster, Epoch: cfg.Epoch, Self: cfg.Self, View: rec.View - 1, Active: rec.View == 1, Life: life},
		&wire.Recovering{Life: life, Until: rec.Until, View: rec.View, Suspects: rec.Suspects},
	}
	if rec.Stable.Seq > 0 {
		out = append(out, &wire.Stable{Cert: rec.Stable})
	}
	return out
}
