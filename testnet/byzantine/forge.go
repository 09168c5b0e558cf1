package byzantine

import (
	"slices"

	"tagma/pbft"
)

// forgedCertificates shows certificates made of signatures that it overheard (S3, I11).
var forgedCertificates = Behaviour{
	Name:    "forged-certificates",
	Model:   Byzantine,
	Summary: "shows stable, commit and prepared certificates of repeated signers, of mixed digests, or of an older view's votes",
	Bound:   "all are refused and counted; no state changes",
	Parameters: []Parameter{
		{"how", all, "repeated: its own true signature Q times; mixed: true signatures, of different digests; old-view: of another view; all: in turn"},
		{"every", "0.25T", "how often: a duration, or a multiple of the view timeout T"},
	},
	build: newForger,
}

type forger struct {
	honest
	seat
	pulse
	hows  []string
	turn  int
	heard *Recording
	view  pbft.View
}

func newForger(v values, at seat) (Core, error) {
	f := &forger{seat: at, heard: at.recording()}
	how, err := v.oneOf("how", all, "repeated", "mixed", "old-view")
	if err != nil {
		return nil, err
	}
	if f.hows = []string{how}; how == all {
		f.hows = []string{"repeated", "mixed", "old-view"}
	}
	if f.every, err = v.delay("every", at.cfg); err != nil {
		return nil, err
	}
	return at.speaks(f), nil
}

func (f *forger) speak(m pbft.Message) []pbft.Message {
	if st, ok := m.(*pbft.Status); ok {
		f.view = st.View
	}
	return f.honest.speak(m)
}

func (f *forger) before(ev pbft.Event, awake bool) []pbft.Effect {
	f.heard.overhear(ev)
	if !awake || !f.due(ev) {
		return nil
	}
	how := f.hows[f.turn%len(f.hows)]
	f.turn++
	var out []pbft.Effect
	for _, m := range []pbft.Message{f.stable(how), f.committed(how), f.prepared(how)} {
		if m != nil {
			out = append(out, f.toOthers(m)...)
		}
	}
	return out
}

// stable is a certificate for a state that nobody has, a window ahead.
func (f *forger) stable(how string) pbft.Message {
	last, _ := f.heard.newest(func(m pbft.Message) bool { return pbft.TypeOf(m) == pbft.TypeCheckpoint }).(*pbft.Checkpoint)
	if last == nil || how == "old-view" { // a checkpoint has no view
		return nil
	}
	own := &pbft.Checkpoint{Seq: last.Seq + f.cfg.LogWindow, Digest: shifted(last.Digest, 0), Replica: f.cfg.Self}
	return &pbft.StableNotice{Cert: pbft.StableCert{
		Seq: own.Seq, Digest: own.Digest, Checkpoints: f.signers(how, own, f.cfg.Quorum()),
	}}
}

// committed certifies another body at the newest place that the attacker heard of: the null request.
func (f *forger) committed(how string) pbft.Message {
	last, _ := f.heard.newest(func(m pbft.Message) bool { return pbft.TypeOf(m) == pbft.TypeCommit }).(*pbft.Commit)
	if last == nil {
		return nil
	}
	cert := &pbft.CommitCert{View: last.View, Seq: last.Seq + 1, Digest: pbft.NullDigest}
	if how == "old-view" { // the votes are true, for the same place in another view
		cert.View, cert.Seq = last.View+1, last.Seq
	}
	own := &pbft.Commit{View: cert.View, Seq: cert.Seq, Digest: cert.Digest, Replica: f.cfg.Self}
	cert.Commits = f.signers(how, own, f.cfg.Quorum())
	return &pbft.CertifiedBody{Seq: cert.Seq, Body: pbft.NullBody, Cert: cert}
}

// prepared stands in a ViewChange, whose justification is forged as well if nobody else's suspicion was heard.
func (f *forger) prepared(how string) pbft.Message {
	last, _ := f.heard.newest(func(m pbft.Message) bool { return pbft.TypeOf(m) == pbft.TypePrepare }).(*pbft.Prepare)
	if last == nil {
		return nil
	}
	u := max(f.view, last.View) + 2
	cert := pbft.PreparedCert{View: last.View, Seq: last.Seq, Digest: pbft.NullDigest}
	if how == "old-view" {
		cert.View, cert.Digest = u-1, last.Digest
	}
	vote := &pbft.Prepare{View: cert.View, Seq: cert.Seq, Digest: cert.Digest, Replica: f.cfg.Self}
	for _, e := range f.signers(how, vote, f.cfg.N()) {
		if e.Replica != f.cfg.Primary(cert.View) && len(cert.Prepares) < f.cfg.Quorum()-1 {
			cert.Prepares = append(cert.Prepares, e)
		}
	}
	low := last.Seq - 1
	low -= low % f.cfg.CheckpointInterval
	m := &pbft.ViewChange{View: u, Replica: f.cfg.Self, Prepared: []pbft.PreparedCert{cert}}
	if low > 0 {
		state := &pbft.Checkpoint{Seq: low, Digest: cert.Digest, Replica: f.cfg.Self}
		m.Stable = pbft.StableCert{Seq: low, Digest: cert.Digest, Checkpoints: f.signers(how, state, f.cfg.Quorum())}
	}
	own := pbft.Suspect{View: u - 1, Replica: f.cfg.Self}
	f.signed(&own)
	m.Suspects = []pbft.Suspect{own}
	for _, id := range f.others()[:f.cfg.Weak()-1] {
		m.Suspects = append(m.Suspects, pbft.Suspect{View: u - 1, Replica: id, Sig: own.Sig})
	}
	slices.SortFunc(m.Suspects, func(a, b pbft.Suspect) int { return int(a.Replica) - int(b.Replica) })
	return f.signed(m)
}

// signers makes n endorsements: its own of the statement that is to be certified, true and again and again, or everybody's
// latest signatures, whatever they were under.
func (f *forger) signers(how string, own pbft.Message, n int) []pbft.Endorsement {
	var list []pbft.Endorsement
	if how == "repeated" {
		return slices.Repeat([]pbft.Endorsement{{Replica: f.cfg.Self, Sig: f.ownSignature(own)}}, n)
	}
	for id := range pbft.ReplicaID(n) {
		list = append(list, pbft.Endorsement{Replica: id, Sig: f.latest(id)})
	}
	return list
}

func (f *forger) ownSignature(m pbft.Message) pbft.Signature {
	return f.sign(pbft.Signable(f.cfg, m))
}

// latest is the newest vote's signature of a replica.
func (f *forger) latest(by pbft.ReplicaID) (sig pbft.Signature) {
	f.heard.newest(func(m pbft.Message) bool {
		switch m := m.(type) {
		case *pbft.Commit:
			sig = m.Sig
			return m.Replica == by
		case *pbft.Prepare:
			sig = m.Sig
			return m.Replica == by
		default:
			return false
		}
	})
	return sig
}
