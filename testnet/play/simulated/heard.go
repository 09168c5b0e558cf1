package simulated

import (
	"fmt"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	malicious "tagma/testnet/byzantine/replica"
	"tagma/testnet/history"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
)

// heard is what was said and done in a run, as replicas' own cores tell it.
type heard struct {
	s        *scenario.Scenario
	order    map[wire.Seq]*wire.Body               // by correct replicas
	recorded *malicious.Recording                  // nil without scripts
	liars    map[wire.ReplicaID]*malicious.Witness // of attackers
	course   play.Course
	scripts  []*malicious.Script
	speaker  map[wire.ReplicaID]*malicious.Script // of each replica that scripts speak for, the last one that started
}

func newHeard(s *scenario.Scenario) *heard {
	h := &heard{
		s: s, order: map[wire.Seq]*wire.Body{}, liars: map[wire.ReplicaID]*malicious.Witness{},
		speaker: map[wire.ReplicaID]*malicious.Script{},
	}
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
	speaks := false
	for i := range h.s.Scripts {
		r := &h.s.Scripts[i]
		speaks = speaks || r.From == id
		if r.From == id && r.When == nil && r.At >= w.Now() {
			lines = append(lines, malicious.Line{At: r.At - w.Now(), To: r.To, Send: template(w, &r.Send)})
		}
	}
	if !speaks {
		return core
	}
	cfg := *w.Config()
	cfg.Self = id
	script := malicious.NewScript(lines, &cfg, core, w.Sign(id), malicious.Options{Recording: h.recorded})
	h.scripts = append(h.scripts, script)
	h.speaker[id] = script
	return script
}

// say has a message that waited for a fact sent with the next step of the replica that scripts speak for.
func (h *heard) say(w *sim.World, l *scenario.Script) error {
	script := h.speaker[l.From]
	if script == nil || !w.Up(l.From) {
		return fmt.Errorf("replica %d does not run", l.From)
	}
	w.Condemn(l.From)
	script.Next(malicious.Line{To: l.To, Send: template(w, &l.Send)})
	return nil
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
	for _, effect := range out {
		switch e := effect.(type) {
		case port.Broadcast:
			o.record(e.Msg)
		case port.Send:
			o.record(e.Msg)
		case port.Execute:
			if o.w.Correct(o.id) && o.h.order[e.Seq] == nil {
				o.h.order[e.Seq] = e.Body
			}
		default: // nothing that a report tells of
		}
	}
	return out
}

// follow takes an event of a replica, for the expectations on the course. The first thing that breaks one is kept.
func (h *heard) follow(w *sim.World, e trace.Event) {
	at, expect, out := trace.Of(e), &h.s.Expect, &h.course
	now := time.Duration(at.At) * time.Microsecond
	switch e := e.(type) {
	case *trace.Sent:
		if x := expect.Silent; x != nil && out.Said == "" && at.Replica == int(x.Replica) && x.Holds(now) {
			out.Said = fmt.Sprintf("at %v %s", now, e.What())
		}
	case *trace.Executed:
		if x := expect.NoExecutions; x != nil && out.Executed == "" && x.Holds(now) && w.Correct(wire.ReplicaID(at.Replica)) {
			out.Executed = fmt.Sprintf("at %v replica %d %s", now, at.Replica, e.What())
		}
	default: // no expectation asks for it
	}
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
		Time: t.Time, Signers: made.Signers, Bad: made.Bad, Changes: made.ChangesOf,
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
