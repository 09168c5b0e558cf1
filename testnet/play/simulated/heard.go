package simulated

import (
	"tagma/internal/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	malicious "tagma/testnet/byzantine/replica"
	"tagma/testnet/history"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
)

// heard is what was said and done in a run, as replicas' own cores tell it.
type heard struct {
	s        *scenario.Scenario
	order    map[wire.Seq]*wire.Body               // by correct replicas
	views    map[wire.View]bool                    // that became active at correct ones, above 0
	recorded *malicious.Recording                  // nil without scripts
	liars    map[wire.ReplicaID]*malicious.Witness // of attackers
	scripts  []*malicious.Script
}

func newHeard(s *scenario.Scenario) *heard {
	h := &heard{s: s, order: map[wire.Seq]*wire.Body{}, views: map[wire.View]bool{}, liars: map[wire.ReplicaID]*malicious.Witness{}}
	for _, m := range s.Malicious {
		if m.Client == nil {
			h.liars[m.Replica] = new(malicious.Witness)
		}
	}
	if len(s.Scripts) > 0 {
		h.recorded = malicious.NewRecording()
	}
	return h
}

// inside is put around the cores of attackers alone.
func (h *heard) inside(_ *sim.World, id wire.ReplicaID, core driver.Core) driver.Core {
	if liar := h.liars[id]; liar != nil {
		return liar.Within(core)
	}
	return core
}

// around listens to what a replica does in the end, and puts its script around it.
func (h *heard) around(w *sim.World, id wire.ReplicaID, core driver.Core) driver.Core {
	if liar := h.liars[id]; liar != nil {
		core = liar.Around(core)
	}
	core = &outside{Core: core, h: h, w: w, id: id}
	var lines []malicious.Line
	for i := range h.s.Scripts {
		if r := &h.s.Scripts[i]; r.From == id && r.At >= w.Now() {
			lines = append(lines, malicious.Line{At: r.At - w.Now(), To: r.To, Send: template(w, &r.Send)})
		}
	}
	if len(lines) == 0 {
		return core
	}
	cfg := *w.Config()
	cfg.Self = id
	script := malicious.NewScript(lines, &cfg, core, w.Sign(id), malicious.Options{Recording: h.recorded})
	h.scripts = append(h.scripts, script)
	return script
}

// outside listens to a replica, with its attackers.
type outside struct {
	driver.Core
	h  *heard
	w  *sim.World
	id wire.ReplicaID
}

func (o *outside) Step(ev port.Event) []port.Effect {
	out := o.Core.Step(ev)
	correct := o.w.Correct(o.id)
	for _, effect := range out {
		switch e := effect.(type) {
		case port.Broadcast:
			o.record(e.Msg)
		case port.Send:
			o.record(e.Msg)
		case port.Execute:
			if correct && o.h.order[e.Seq] == nil {
				o.h.order[e.Seq] = e.Body
			}
		case port.Entered:
			if correct && e.View > 0 {
				o.h.views[e.View] = true
			}
		default: // nothing that a report tells of
		}
	}
	return out
}

// record keeps a message for scripts. It is signed before anything is built from it.
func (o *outside) record(m wire.Message) {
	if o.h.recorded != nil {
		o.h.recorded.Add(m)
	}
}

// template is a script's message with its requests signed.
func template(w *sim.World, t *scenario.Template) malicious.Template {
	made := &t.FromRecorded
	out := malicious.Template{
		Type: t.Type, View: t.View, Seq: t.Seq, Forged: t.Forged, Prepared: made.Prepared, Stable: made.Stable,
		Suspects: made.Suspects, ViewChanges: made.ViewChanges, Commit: made.Commit,
	}
	for i, o := range t.Batch {
		number := o.T
		if number == 0 {
			number = uint64(i) + 1
		}
		out.Batch = append(out.Batch, w.Request(o.Client, number, [][]byte{history.Encode(&o.Op)}))
	}
	if d, given := scenario.ParseDigest(t.Digest); given {
		out.Digest = &d
	}
	for _, p := range made.Proposals {
		one := malicious.Proposed{}
		if s, ok := scenario.ParseSlot(p); ok {
			one.Like = &s
		} else {
			one.Digest, _ = scenario.ParseDigest(p) // null is the zero digest
		}
		out.Proposals = append(out.Proposals, one)
	}
	return out
}

// sent is how many lines of scripts were sent, and what kept the others back.
func (h *heard) sent() (sent int, failed []error) {
	for _, s := range h.scripts {
		sent += s.Sent()
		failed = append(failed, s.Failed()...)
	}
	return sent, failed
}
