package replica

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Line is one message of a script.
type Line struct {
	At   time.Duration // when the message is sent, by the replica's own clock (Tick.Mono)
	To   []wire.ReplicaID
	Send Template
}

// Template says what a scripted message contains. Which fields are used depends on its type.
type Template struct {
	Type   wire.Type
	View   wire.View
	Seq    wire.Seq
	Batch  []*wire.Request // signed by their clients
	Digest *wire.Digest    // instead of Batch
	// If signatures for a certificate are missing, the sender signs in the others' names; otherwise that is an error.
	Forged bool

	Time *int64 // the agreed time of Batch; nil: the same for all scripted batches

	// Certificates are built from the messages that were recorded so far.

	Signers []wire.ReplicaID // whose votes each certificate has, in this order, repeats included; nil: as many as needed
	Bad     []wire.ReplicaID // whose signatures in certificates have one bit flipped
	Changes *wire.View       // in a new-view: the view for which its V are; nil: its own view

	Prepared []Slot   // in a view-change: P
	Stable   wire.Seq // in a view-change: C; 0 is the initial state
	// In a view-change: the signers of its Suspects; nil: the first f+1 that are enough, the sender's own first.
	Suspects []wire.ReplicaID
	// In a new-view: the senders of its V, in this order; nil: the first Q, the sender's own first.
	ViewChanges []wire.ReplicaID
	Proposals   []Proposed // in a new-view: O; nil: what follows from V
	Commit      *Slot      // in a certified-body: the slot of its commit certificate; nil: it has none
}

// Slot is a view and a sequence number.
type Slot struct {
	View wire.View
	Seq  wire.Seq
}

// Proposed is one entry of a scripted O. It is given as a digest, or as the slot of a recorded pre-prepare with the
// digest. The zero value is null.
type Proposed struct {
	Digest wire.Digest
	Like   *Slot
}

// Script is an attacker that sends given messages at given times, signed with its own key, whatever its core does. Its
// core is honest, or another behaviour makes it silent.
type Script struct {
	liar
	lines  []Line // in ascending order of At
	sent   int
	failed []error
}

// NewScript wraps a core in a script. The caller leaves out lines whose time is over when the core starts.
func NewScript(lines []Line, cfg *wire.Config, core Core, sign Sign, options Options) *Script {
	s := &Script{liar: liar{cfg: cfg, core: core, sign: sign, opt: options, active: true}, lines: slices.Clone(lines)}
	s.listen()
	slices.SortStableFunc(s.lines, func(a, b Line) int { return cmp.Compare(a.At, b.At) })
	return s
}

// Sent returns how many lines were sent.
func (s *Script) Sent() int { return s.sent }

// Failed says which lines could not be sent, because messages that they need were not recorded. Such a run proves
// nothing.
func (s *Script) Failed() []error { return s.failed }

// Next adds a line that is sent with the next step.
func (s *Script) Next(l Line) {
	l.At = s.now
	s.lines = append(s.lines, l)
	slices.SortStableFunc(s.lines, func(a, b Line) int { return cmp.Compare(a.At, b.At) })
}

// Step gives the core an event, and sends each line at its time.
func (s *Script) Step(ev port.Event) []port.Effect { return attacker{s}.Step(ev) }

func (s *Script) hear(ev port.Event) []port.Event {
	for len(s.lines) > 0 && s.lines[0].At <= s.now {
		s.perform(&s.lines[0])
		s.lines = s.lines[1:]
	}
	return []port.Event{ev}
}

func (s *Script) perform(l *Line) {
	messages, err := s.build(&l.Send)
	if err != nil {
		s.failed = append(s.failed, fmt.Errorf("script: a %v for view %d, sequence number %d at %v: %w",
			l.Send.Type, l.Send.View, l.Send.Seq, l.At, err))
		return
	}
	s.sent++
	for _, m := range messages {
		s.heard.Add(m)
		for _, to := range l.To {
			s.say(port.Send{To: to, Msg: m})
		}
	}
}

// build returns the messages of one line. For requests there may be several; otherwise there is one.
func (s *Script) build(t *Template) (all []wire.Message, err error) {
	var m wire.Message
	digest := s.digest(t)
	switch t.Type {
	case wire.TypeRequest:
		for _, r := range t.Batch {
			all = append(all, r)
		}
		return all, nil
	case wire.TypePrePrepare:
		m = &wire.PrePrepare{View: t.View, Seq: t.Seq, Digest: digest, Body: t.body()}
	case wire.TypePrepare, wire.TypeCommit, wire.TypeCheckpoint:
		m = s.vote(t.Type, t.View, t.Seq, digest)
	case wire.TypeSuspect:
		m = &wire.Suspect{View: t.View, Replica: s.cfg.Self}
	case wire.TypeHeartbeat:
		m = &wire.Heartbeat{View: t.View}
	case wire.TypeStatus:
		m = &wire.Status{View: t.View, Active: true, Executed: t.Seq, Helper: s.cfg.Self}
	case wire.TypeFetch:
		m = &wire.Fetch{Seq: t.Seq, Digest: digest}
	case wire.TypeReply:
		m = reply(t)
	case wire.TypeViewChange:
		m, err = s.viewChange(t)
	case wire.TypeNewView:
		m, err = s.newView(t)
	case wire.TypeCertifiedBody:
		m, err = s.certifiedBody(t)
	case wire.TypeStableNotice:
		notice := new(wire.StableNotice)
		notice.Cert, err = s.stableCert(t.Seq, t.Digest, t)
		m = notice
	default:
		err = fmt.Errorf("a script sends no %v", t.Type)
	}
	if err != nil {
		return nil, err
	}
	return []wire.Message{s.signed(m)}, nil
}

// scripted is the agreed time of every scripted batch. So equal requests have the same digest in all lines.
const scripted = 1

// body returns the batch of a template. It is null if the template has no requests, and nil if the template gives only a
// digest.
func (t *Template) body() *wire.Body {
	switch {
	case t.Digest != nil:
		return nil
	case len(t.Batch) == 0:
		return wire.NullBody
	}
	at := int64(scripted)
	if t.Time != nil {
		at = *t.Time
	}
	return &wire.Body{Time: at, Requests: t.Batch}
}

// proposed returns the newest recorded proposal of a template's batch for seq. If view is nil, it may be of any view.
func (s *Script) proposed(t *Template, seq wire.Seq, view *wire.View) *wire.PrePrepare {
	same := func(a, b *wire.Request) bool { return a.Digest() == b.Digest() }
	return newest(s.heard, func(p *wire.PrePrepare) bool {
		return p.Seq == seq && (view == nil || p.View == *view) && p.Body != nil && slices.EqualFunc(p.Body.Requests, t.Batch, same)
	})
}

// digest returns the digest in a template's message. If a proposal of the template's requests was recorded for its view
// and sequence number, that proposal's digest is used, because its agreed time is the primary's.
func (s *Script) digest(t *Template) wire.Digest {
	if t.Digest != nil {
		return *t.Digest
	}
	if t.Type != wire.TypePrePrepare && len(t.Batch) > 0 {
		if p := s.proposed(t, t.Seq, &t.View); p != nil {
			return p.Digest
		}
	}
	return t.body().Digest()
}

// reply answers the first request of the batch. Replicas must refuse such a message from each other.
func reply(t *Template) *wire.Reply {
	m := &wire.Reply{Outcome: wire.OutcomeExecuted, Seq: t.Seq, Results: [][]byte{nil}, View: t.View}
	if len(t.Batch) > 0 {
		m.ID, m.Request = t.Batch[0].ID, t.Batch[0].Digest()
	}
	return m
}

// endorsed returns the recorded votes of one type for one view and sequence number. They are for the given digest, or
// for the digest that has most votes. A checkpoint has no view.
func (s *Script) endorsed(kind wire.Type, at Slot, digest *wire.Digest) (best wire.Digest, by []wire.Endorsement) {
	if digest != nil {
		best = *digest
	}
	votes := map[wire.Digest][]wire.Endorsement{}
	for i := range s.heard.Len() {
		m := s.heard.At(i)
		if view, _ := tamper.ViewOf(m); wire.TypeOf(m) != kind || tamper.SeqOf(m) != at.Seq || view != at.View {
			continue
		}
		d, e := *tamper.Field[wire.Digest](m, "Digest"), endorsement(m)
		if digest != nil && d != best || slices.ContainsFunc(votes[d], func(x wire.Endorsement) bool { return x.Replica == e.Replica }) {
			continue
		}
		if votes[d] = append(votes[d], e); len(votes[d]) > len(votes[best]) {
			best = d
		}
	}
	return best, votes[best]
}

// certificate adds endorsements until there are n, sorted by replica, without replica skip (if negative, no replica is
// left out). It signs the sender's own. If others are missing, it forges them if the template says so, and otherwise
// returns an error.
func (s *Script) certificate(have []wire.Endorsement, n, skip int, own wire.Message, t *Template) ([]wire.Endorsement, error) {
	mine := endorsement(s.signed(own))
	has := func(id wire.ReplicaID) bool {
		return slices.ContainsFunc(have, func(e wire.Endorsement) bool { return e.Replica == id })
	}
	if t.Signers != nil {
		return s.exactly(have, mine, t)
	}
	have = slices.DeleteFunc(slices.Clone(have), func(e wire.Endorsement) bool { return int(e.Replica) == skip || e.Replica == s.cfg.Self })
	if int(s.cfg.Self) != skip {
		have = append([]wire.Endorsement{mine}, have...)
	}
	for id := wire.ReplicaID(0); t.Forged && int(id) < s.cfg.N() && len(have) < n; id++ {
		if int(id) != skip && !has(id) {
			have = append(have, wire.Endorsement{Replica: id, Sig: mine.Sig})
		}
	}
	if len(have) < n {
		return nil, fmt.Errorf("%d of %d signatures were recorded", len(have), n)
	}
	have = have[:n]
	slices.SortFunc(have, func(a, b wire.Endorsement) int { return int(a.Replica) - int(b.Replica) })
	return spoilt(have, t.Bad), nil
}

// exactly returns the votes of the replicas that a template names, in the order of the template.
func (s *Script) exactly(have []wire.Endorsement, mine wire.Endorsement, t *Template) (out []wire.Endorsement, err error) {
	for _, id := range t.Signers {
		i := slices.IndexFunc(have, func(e wire.Endorsement) bool { return e.Replica == id })
		switch {
		case id == s.cfg.Self:
			out = append(out, mine)
		case i >= 0:
			out = append(out, have[i])
		case t.Forged:
			out = append(out, wire.Endorsement{Replica: id, Sig: mine.Sig})
		default:
			return nil, fmt.Errorf("no vote of replica %d was recorded", id)
		}
	}
	return spoilt(out, t.Bad), nil
}

// spoilt returns the votes with one bit flipped in the signatures of some replicas.
func spoilt(votes []wire.Endorsement, of []wire.ReplicaID) []wire.Endorsement {
	votes = slices.Clone(votes)
	for i := range votes {
		if slices.Contains(of, votes[i].Replica) {
			votes[i].Sig[0] ^= 1
		}
	}
	return votes
}

func (s *Script) stableCert(seq wire.Seq, digest *wire.Digest, t *Template) (cert wire.StableCert, err error) {
	if seq == 0 {
		return cert, nil
	}
	d, have := s.endorsed(wire.TypeCheckpoint, Slot{Seq: seq}, digest)
	cert = wire.StableCert{Seq: seq, Digest: d}
	if cert.Checkpoints, err = s.certificate(have, s.cfg.Quorum(), -1, s.vote(wire.TypeCheckpoint, 0, seq, d), t); err != nil {
		err = fmt.Errorf("the stable checkpoint %d: %w", seq, err)
	}
	return cert, err
}

func (s *Script) certifiedBody(t *Template) (wire.Message, error) {
	body := t.body()
	if body == nil {
		return nil, errors.New("it has no batch")
	}
	if t.Commit == nil {
		return &wire.CertifiedBody{Seq: t.Seq, Body: body}, nil
	}
	if p := s.proposed(t, t.Commit.Seq, nil); p != nil {
		body = p.Body
	}
	cert := &wire.CommitCert{View: t.Commit.View, Seq: t.Commit.Seq, Digest: body.Digest()}
	_, have := s.endorsed(wire.TypeCommit, *t.Commit, &cert.Digest)
	own := s.vote(wire.TypeCommit, cert.View, cert.Seq, cert.Digest)
	var err error
	if cert.Commits, err = s.certificate(have, s.cfg.Quorum(), -1, own, t); err != nil {
		return nil, fmt.Errorf("the commit certificate of %d:%d: %w", t.Commit.View, t.Commit.Seq, err)
	}
	return &wire.CertifiedBody{Seq: t.Seq, Body: body, Cert: cert}, nil
}
