package replica

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tagma/pbft"
	"tagma/pbft/wire"
)

// Line is one message of a script.
type Line struct {
	At   time.Duration // of the replica's own clock, Tick.Mono
	To   []wire.ReplicaID
	Send Template
}

// Template says what a scripted message holds. Which fields count depends on its type.
type Template struct {
	Type   wire.Type
	View   wire.View
	Seq    wire.Seq
	Batch  []*wire.Request // signed by their clients
	Digest *wire.Digest    // instead of Batch
	Forged bool            // what certificates lack is signed by the sender in the others' names, instead of being an error

	// Certificates are built from what was recorded until then.

	Prepared    []Slot           // of a view-change: P
	Stable      wire.Seq         // of a view-change: C; 0 is the initial state
	Suspects    []wire.ReplicaID // of a view-change: whose; nil: the first f+1 that suffice, its own first
	ViewChanges []wire.ReplicaID // of a new-view: whose, as listed; nil: the first Q, its own first
	Proposals   []Proposed       // of a new-view: O; nil: what follows from V
	Commit      *Slot            // of a certified-body: its commit certificate; nil: it has none
}

// Slot is a place in the order of one view.
type Slot struct {
	View wire.View
	Seq  wire.Seq
}

// Proposed is one entry of a scripted O: a digest, or that of a pre-prepare that was recorded. The zero value is null.
type Proposed struct {
	Digest wire.Digest
	Like   *Slot
}

// Script is an attacker that sends exactly given messages at given times, signed with its own key, whatever the core
// inside does. It is put around a core that is honest, or that another behaviour has silenced.
type Script struct {
	liar
	lines  []Line // ascending by At
	heard  *Recording
	sent   int
	failed []error
}

// NewScript returns a script around a core. Lines whose time is over when the core starts are for it to leave out.
func NewScript(lines []Line, cfg *wire.Config, core Core, sign Sign, options Options) *Script {
	s := &Script{liar: liar{cfg: cfg, core: core, sign: sign, opt: options}, lines: slices.Clone(lines)}
	s.heard = s.recording()
	slices.SortStableFunc(s.lines, func(a, b Line) int { return cmp.Compare(a.At, b.At) })
	return s
}

// Sent is the number of lines that were sent.
func (s *Script) Sent() int { return s.sent }

// Failed says which lines could not be sent, for want of what they are to be built from. A run with any proves nothing.
func (s *Script) Failed() []error { return s.failed }

// Step is the core's, and at its time each line.
func (s *Script) Step(ev pbft.Event) []pbft.Effect {
	s.heard.overhear(ev)
	var out []pbft.Effect
	for _, effect := range s.core.Step(ev) {
		switch e := effect.(type) {
		case pbft.Broadcast: // signed before anything is built from it
			s.heard.Add(e.Msg)
		case pbft.Send:
			s.heard.Add(e.Msg)
		default: // nothing that others hear
		}
		out = append(out, effect)
	}
	tick, ok := ev.(pbft.Tick)
	for ok && len(s.lines) > 0 && s.lines[0].At <= tick.Mono {
		out = append(out, s.perform(&s.lines[0])...)
		s.lines = s.lines[1:]
	}
	return out
}

func (s *Script) perform(l *Line) []pbft.Effect {
	messages, err := s.build(&l.Send)
	if err != nil {
		s.failed = append(s.failed, fmt.Errorf("script: a %v for view %d, sequence number %d at %v: %w",
			l.Send.Type, l.Send.View, l.Send.Seq, l.At, err))
		return nil
	}
	s.sent++
	var out []pbft.Effect
	for _, m := range messages {
		s.heard.Add(m)
		for _, to := range l.To {
			out = append(out, pbft.Send{To: to, Msg: m})
		}
	}
	return out
}
