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

// heard records what replicas sent and executed in a run. It gets this from wrappers around their cores.
type heard struct {
	s        *scenario.Scenario
	order    map[wire.Seq]*wire.Body               // what correct replicas executed
	recorded *malicious.Recording                  // nil without scripts
	liars    map[wire.ReplicaID]*malicious.Witness // count how often each malicious replica lied
	course   play.Course
	scripts  []*malicious.Script
	// For each replica with scripted messages: the script of its present process.
	speaker map[wire.ReplicaID]*malicious.Script
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

// inside wraps the core of a malicious replica, inside its attackers.
func (h *heard) inside(_ *sim.World, id wire.ReplicaID, core driver.Core) driver.Core {
	if liar := h.liars[id]; liar != nil {
		return liar.Within(core)
	}
	return core
}

// around wraps a replica's core and its attackers, in order to record what the replica does and to add its script.
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

// say makes a replica send a script's message with its next step. The message has waited for a fact.
func (h *heard) say(w *sim.World, l *scenario.Script) error {
	script := h.speaker[l.From]
	if script == nil || !w.Up(l.From) {
		return fmt.Errorf("replica %d does not run", l.From)
	}
	w.Condemn(l.From)
	script.Next(malicious.Line{To: l.To, Send: template(w, &l.Send)})
	return nil
}

// outside records what a replica does, after its attackers have changed it.
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
		default: // no report needs other effects
		}
	}
	return out
}

// follow compares an event of a replica with the expectations Silent and NoExecutions, and keeps the first that breaks each.
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

// record keeps a message for scripts, which make others from it. The driver signs it before they use it.
func (o *outside) record(m wire.Message) {
	if o.h.recorded != nil {
		o.h.recorded.Add(m)
	}
}

// template converts a script's message and signs the requests in it.
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

// sent returns how many lines of scripts were sent, and why others could not be sent.
func (h *heard) sent() (sent int, failed []error) {
	for _, s := range h.scripts {
		sent += s.Sent()
		failed = append(failed, s.Failed()...)
	}
	return sent, failed
}
