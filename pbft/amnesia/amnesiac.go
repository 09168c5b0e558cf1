package amnesia

import (
	"slices"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Amnesiac stands in a replica's place while it does not know what it signed (D8.6). It does not vote, follow or write. It
// asks the others until n−f of them that remember everything have answered: above the sequence number and from the view that
// follow from their answers, its votes contradict nothing.
type Amnesiac struct {
	cfg     *wire.Config
	nonce   uint64
	answers []*wire.HeldBy // by replica: the last one that told all; nil: none
	heard   []bool         // by replica: it answered, whole or not
	mono    time.Duration
	again   time.Duration
	asked   bool
	out     []port.Effect
}

// New returns one that asks under a fresh nonce. Answers do not outlive it: those of two starts may not be
// mixed.
func New(cfg *wire.Config, nonce uint64) *Amnesiac {
	return &Amnesiac{cfg: cfg, nonce: nonce, answers: make([]*wire.HeldBy, cfg.N()), heard: make([]bool, cfg.N())}
}

// Step takes an event. Its effects are Sends, Responds and Drops alone.
func (a *Amnesiac) Step(ev port.Event) []port.Effect {
	a.out = a.out[:0]
	switch e := ev.(type) {
	case port.Tick:
		a.mono = max(a.mono, e.Mono)
		a.ask()
	case port.Received:
		a.onReceived(e)
	default: // nothing is executed
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
	default: // it follows nothing
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
	if m.Whole { // the others may have forgotten what this replica needs to know
		a.answers[from.Replica] = m
	}
	return ""
}

// Answer is what an amnesiac knows of another replica.
type Answer struct {
	Heard bool
	Whole bool // it remembers all that it signed
}

// Answers lists who has answered, by replica.
func (a *Amnesiac) Answers() []Answer {
	list := make([]Answer, a.cfg.N())
	for id := range list {
		list[id] = Answer{Heard: a.heard[id], Whole: a.answers[id] != nil}
	}
	return list
}

// Recovery is from where on a replica that has forgotten contradicts nothing (D8.6).
type Recovery struct {
	Until    wire.Seq        // R: silence ends when a checkpoint there is stable
	View     wire.View       // V*: it never votes below
	Suspects []wire.Suspect  // that justify the highest view which was shown with its justification
	Stable   wire.StableCert // the newest one that was shown
}

// Recovery returns what n−f others have told; false before.
func (a *Amnesiac) Recovery() (Recovery, bool) {
	whole := slices.DeleteFunc(slices.Clone(a.answers), func(m *wire.HeldBy) bool { return m == nil })
	if len(whole) < a.cfg.N()-a.cfg.F() {
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
	justified := wire.View(0) // a faulty answer may prove a higher view without its justification
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

// highestView is the highest view that anything in the answer proves to have been justified or voted in. A view change
// to u needs only u−1 to have been, and its author may make another one (D8.10).
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

// Records are what the journal of the new life begins with. All of them are durable before the life is written beside
// the key, and before anything else is done.
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
