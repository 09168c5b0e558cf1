package replica

import (
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// forgedCertificates sends certificates that are made of signatures from other messages (S3, I11).
var forgedCertificates = tamper.Describe[forger]("forged-certificates", tamper.Byzantine,
	"shows stable, commit and prepared certificates of repeated signers, of mixed digests, or of an older view's votes",
	"all are refused and counted; no state changes")

type forger struct {
	liar
	How   tamper.List `default:"all" words:"repeated,mixed,old-view" doc:"repeated: its own true signature Q times; mixed: true "`
	_     any         `doc:"signatures, of different digests; old-view: of another view; all: in turn"`
	Every tamper.Pace `default:"0.25T" doc:"how often: a duration, or a multiple of the view timeout T"`
	turn  int
}

func (f *forger) ready() error {
	f.listen()
	return nil
}

func (f *forger) tick(t port.Tick) {
	if f.Every.Due(t.Mono) == 0 {
		return
	}
	how := f.How[f.turn%len(f.How)]
	f.turn++
	f.stable(how)
	f.committed(how)
	f.prepared(how)
}

// whatever accepts every message.
func whatever[M wire.Message](M) bool { return true }

// stable sends a stable certificate for a checkpoint that is a window ahead, and for a state that no replica has.
func (f *forger) stable(how string) {
	last := newest(f.heard, whatever[*wire.Checkpoint])
	if last == nil || how == "old-view" { // a checkpoint has no view
		return
	}
	f.spread(&wire.StableNotice{Cert: f.state(how, last.Seq+f.cfg.LogWindow, shifted(0)(last.Digest))})
}

func (f *forger) state(how string, seq wire.Seq, d wire.Digest) wire.StableCert {
	return wire.StableCert{Seq: seq, Digest: d, Checkpoints: f.signers(how, wire.TypeCheckpoint, 0, seq, d, f.cfg.Quorum())}
}

// committed sends a commit certificate of the null request for the sequence number after the highest one that the
// attacker knows of.
func (f *forger) committed(how string) {
	last := newest(f.heard, whatever[*wire.Commit])
	if last == nil {
		return
	}
	cert := &wire.CommitCert{View: last.View, Seq: last.Seq + 1, Digest: wire.NullDigest}
	if how == "old-view" { // these votes are valid, for the same sequence number in another view
		cert.View, cert.Seq = last.View+1, last.Seq
	}
	cert.Commits = f.signers(how, wire.TypeCommit, cert.View, cert.Seq, cert.Digest, f.cfg.Quorum())
	f.spread(&wire.CertifiedBody{Seq: cert.Seq, Body: wire.NullBody, Cert: cert})
}

// prepared puts a forged prepared certificate into a ViewChange, whose Suspects are forged as well.
func (f *forger) prepared(how string) {
	last := newest(f.heard, whatever[*wire.Prepare])
	if last == nil {
		return
	}
	u := max(f.view, last.View) + 2
	cert := wire.PreparedCert{View: last.View, Seq: last.Seq, Digest: wire.NullDigest}
	if how == "old-view" {
		cert.View, cert.Digest = u-1, last.Digest
	}
	for _, e := range f.signers(how, wire.TypePrepare, cert.View, cert.Seq, cert.Digest, f.cfg.N()) {
		if e.Replica != f.cfg.Primary(cert.View) && len(cert.Prepares) < f.cfg.Quorum()-1 {
			cert.Prepares = append(cert.Prepares, e)
		}
	}
	m := &wire.ViewChange{View: u, Replica: f.cfg.Self, Prepared: []wire.PreparedCert{cert}, Suspects: f.suspicions(u - 1)}
	low := last.Seq - 1
	if low -= low % f.cfg.CheckpointInterval; low > 0 {
		m.Stable = f.state(how, low, cert.Digest)
	}
	f.spread(f.signed(m))
}

// signers makes n endorsements. They are either n times the attacker's own valid one, or the last signature of each
// replica, whatever vote it belongs to.
func (f *forger) signers(how string, kind wire.Type, v wire.View, seq wire.Seq, d wire.Digest, n int) []wire.Endorsement {
	if how == "repeated" {
		return slices.Repeat([]wire.Endorsement{endorsement(f.signed(f.vote(kind, v, seq, d)))}, n)
	}
	var list []wire.Endorsement
	for id := range wire.ReplicaID(n) {
		e := wire.Endorsement{Replica: id}
		if m := newest(f.heard, func(m wire.Message) bool {
			kind := wire.TypeOf(m)
			return (kind == wire.TypePrepare || kind == wire.TypeCommit) && endorsement(m).Replica == id
		}); m != nil {
			e = endorsement(m)
		}
		list = append(list, e)
	}
	return list
}

// endorsement returns the replica and the signature of a vote, as a certificate holds them.
func endorsement(m wire.Message) wire.Endorsement {
	return wire.Endorsement{Replica: *tamper.Field[wire.ReplicaID](m, "Replica"), Sig: *tamper.Field[wire.Signature](m, "Sig")}
}
