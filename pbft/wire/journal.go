package wire

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// What the records of a journal tell as a whole, before a replica goes on from them.

// Log is what a journal holds, oldest record first.
type Log []Record

// Reach is the highest sequence number that this replica can have executed, by its journal: that of the last batch which the
// journal lets it execute, or the one at which the journal begins. A state above it shows that the journal is an old copy
// (D8). A journal that lacks votes may be behind the state by two windows at most (D8.14).
func (log Log) Reach(cfg *Config) (last Seq) {
	last = cfg.Origin.Seq
	for _, rec := range log {
		switch rec := rec.(type) {
		case *Prepared, *Certified, *Committed:
			last = max(last, RecordSeq(rec))
		case *Stable: // a state up to there may have been fetched in part (X4)
			last = max(last, rec.Cert.Seq)
		case *Installed:
			last = max(last, rec.Cert.Seq)
		case *Activated:
			last = max(last, cfg.Floor(rec.NewView.HighestStable().Seq))
		case *Sent:
			if m, ok := rec.Msg.(*NewView); ok {
				last = max(last, cfg.Floor(m.HighestStable().Seq))
			}
		default: // a vote or a proposal alone lets nothing be executed
		}
	}
	if unsaid := log.Unsaid(cfg); unsaid > 0 {
		last = max(last, unsaid+cfg.LogWindow)
	}
	return last
}

// Beginning are the records that stand unwritten in front of every journal of a cluster: the state that it began with.
func Beginning(cfg *Config) []Record {
	if cfg.Origin.Seq == 0 {
		return nil
	}
	return []Record{&Installed{Cert: StableCert{Seq: cfg.Origin.Seq, Digest: cfg.Origin.Digest}}}
}

// LastStable is the highest stable checkpoint that a journal tells of; 0 if none is.
func (log Log) LastStable() (last Seq) {
	for _, rec := range log {
		last = max(last, StableIn(rec).Seq)
	}
	return last
}

// Certificates lists those of the stable checkpoints that a journal tells of, after that of the state that the cluster began
// with. Nobody has verified them, and there may be several of one checkpoint.
func (log Log) Certificates(cfg *Config) (certs []StableCert) {
	for _, rec := range append(Beginning(cfg), log...) {
		if cert := StableIn(rec); cert.Seq > 0 {
			certs = append(certs, cert)
		}
	}
	return certs
}

// Life is the life of a journal: that of its newest segment. Segments before it may carry none, of the first format (D8.2).
func (log Log) Life() (l Life) {
	for _, rec := range log {
		if head, ok := rec.(*Head); ok {
			l = head.Life
		}
	}
	return l
}

// Foreign is ErrForeignJournal for a journal that another replica wrote, or one of another cluster or epoch: disks were
// mixed up, and nothing is lost.
func (log Log) Foreign(cfg *Config) error {
	for _, rec := range log {
		if head, ok := rec.(*Head); ok && (head.Cluster != cfg.Cluster || head.Self != cfg.Self || head.Epoch != cfg.Epoch) {
			return ErrForeignJournal
		}
	}
	return nil
}

// StableIn is the certificate of the stable checkpoint that a record tells of; zero if it tells of none.
func StableIn(rec Record) (cert StableCert) {
	switch rec := rec.(type) {
	case *Stable:
		return rec.Cert
	case *Installed:
		return rec.Cert
	case *Activated:
		return rec.NewView.HighestStable()
	case *Sent:
		if m, ok := rec.Msg.(*NewView); ok {
			return m.HighestStable()
		}
	default: // it names none
	}
	return cert
}

// Unsaid is the highest sequence number for which this replica may have voted although its journal has no vote (D8.14): no
// vote went further than a window above a stable checkpoint that was durable. It is 0 if the journal lacks nothing.
func (log Log) Unsaid(cfg *Config) Seq {
	early := false
	for _, rec := range log {
		switch rec.(type) {
		case *Early:
			early = true
		case *Clean:
			early = false
		default: // it does not change that
		}
	}
	if !early {
		return 0
	}
	return log.LastStable() + cfg.LogWindow
}

// Mark is an own checkpoint that the journal tells of.
type Mark struct {
	Seq    Seq
	Digest Digest
}

// Marks lists this replica's own checkpoints and the state that it was given last, newest first: the states to look for
// in the store at a start (D5). What lies before a state that was given is void (X6). The initial state, with sequence
// number 0 and no digest, is listed last.
func (log Log) Marks() []Mark {
	marks := []Mark{{}}
	stable := Seq(0)
	for _, rec := range log {
		switch rec := rec.(type) {
		case *Installed:
			marks = append(marks[:1], Mark{rec.Cert.Seq, rec.Cert.Digest})
		case *Stable:
			stable = max(stable, rec.Cert.Seq)
		case *Void:
			marks = slices.DeleteFunc(marks, func(m Mark) bool { return m.Seq > stable && m.Seq <= rec.Until })
		case *Sent:
			if m, ok := rec.Msg.(*Checkpoint); ok {
				marks = append(marks, Mark{m.Seq, m.Digest})
			}
		default: // it names no state
		}
	}
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Compare(b.Seq, a.Seq) })
	return slices.Compact(marks)
}

// Backlog lists the bodies of the batches above a state, up to a sequence number, as a journal lets them be executed again.
// It reports false if one of them is missing.
func (log Log) Backlog(above, upTo Seq) ([]*Body, bool) {
	if upTo-above > Seq(len(log)) {
		return nil, false
	}
	places := make([]remains, upTo-above)
	for _, rec := range log {
		seq := RecordSeq(rec)
		if seq <= above || seq > upTo {
			continue
		}
		places[seq-above-1].Gather(rec)
	}
	bodies := make([]*Body, len(places))
	for i := range places {
		if bodies[i] = places[i].Decided(); bodies[i] == nil {
			return nil, false
		}
	}
	return bodies, true
}

// ErrForeignJournal says that a journal was written by another replica or in another cluster.
var ErrForeignJournal = errors.New("the journal belongs to another replica or cluster")

// ErrOtherWindow says that a journal was written under a checkpoint interval or log window for which this one has no
// place.
var ErrOtherWindow = errors.New("the journal was written under another checkpoint_interval or log_window")

// Unfit is the reason not to go on from a journal under this configuration, or nil. Records above the window over low would
// be forgotten, among them votes, and batches whose replies clients have. Others refuse a checkpoint at a number that is no
// multiple of this K, and own, a view change to be sent again (nil: none), if it is not valid under this configuration.
func Unfit(cfg *Config, log []Record, low Seq, own *ViewChange) error {
	k, high := cfg.CheckpointInterval, low+cfg.LogWindow
	if low%k != 0 {
		return fmt.Errorf("%w: its stable checkpoint %d is no multiple of %d", ErrOtherWindow, low, k)
	}
	for _, rec := range log {
		seq, last := RecordSeq(rec), high
		switch rec := rec.(type) {
		case *Sent:
			if TypeOf(rec.Msg) == TypeCheckpoint {
				if last += cfg.LogWindow; seq > low && seq%k != 0 {
					return fmt.Errorf("%w: its checkpoint %d is no multiple of %d", ErrOtherWindow, seq, k)
				}
			}
		case *Accepted, *Prepared:
		case *Fetched, *Certified, *Committed: // a certificate is taken before the checkpoint that makes room for votes (N6)
			last += cfg.LogWindow
		default: // it is about no slot above h
			continue
		}
		if seq > last {
			return fmt.Errorf("%w: it holds sequence number %d, and above its stable checkpoint %d there is room up to %d",
				ErrOtherWindow, seq, low, last)
		}
	}
	if own != nil {
		if err := Check(cfg, own); err != nil {
			return fmt.Errorf("%w: its %w", ErrOtherWindow, err)
		}
	}
	return nil
}

// Rebuilds reports whether an encoded record is of use for handing its batch to another replica (X0): it holds a body
// or a commit certificate.
func Rebuilds(data []byte) bool {
	if len(data) < 3 || data[0] != FormatVersion {
		return false
	}
	switch data[1] {
	case recordAccepted, recordFetched, recordCertified, recordCommitted:
		return true
	case recordSent:
		return Type(data[2]) == TypePrePrepare
	default:
		return false
	}
}

// remains is what the records of a sequence number hold of its batch: bodies, and a commit certificate.
type remains struct {
	bodies []*Body
	cert   *CommitCert
}

// Gather takes from a record what lets the batch be executed again.
func (r *remains) Gather(rec Record) {
	switch rec := rec.(type) {
	case *Sent:
		if m, ok := rec.Msg.(*PrePrepare); ok && m.Body != nil {
			r.bodies = append(r.bodies, m.Body)
		}
	case *Accepted:
		r.bodies = append(r.bodies, rec.PrePrepare.Body)
	case *Fetched:
		r.bodies = append(r.bodies, rec.Body)
	case *Certified:
		r.cert, r.bodies = &rec.Cert, append(r.bodies, rec.Body)
	case *Committed:
		r.cert = &rec.Cert
	default: // it says nothing of what was executed
	}
}

// Decided is the body of the batch that committed; nil without it or without its certificate.
func (r *remains) Decided() *Body {
	if r.cert == nil {
		return nil
	}
	if r.cert.Digest == NullDigest {
		return NullBody
	}
	for _, b := range r.bodies {
		if b.Digest() == r.cert.Digest {
			return b
		}
	}
	return nil
}

// Batch puts together what another replica needs to execute the batch of a sequence number; nil if the journal does not
// hold it.
func (log Log) Batch(seq Seq) *CertifiedBody {
	var found remains
	for _, rec := range log {
		if RecordSeq(rec) == seq {
			found.Gather(rec)
		}
	}
	if body := found.Decided(); body != nil {
		return &CertifiedBody{Seq: seq, Body: body, Cert: found.cert}
	}
	return nil
}
