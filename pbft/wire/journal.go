package wire

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// The functions here say what the records of a journal mean together, before a replica continues from them.

// Log is the content of a journal, oldest record first.
type Log []Record

// Reach is the highest sequence number that this replica can have executed according to its journal: that of the last batch
// that the journal allows it to execute, or the one at which the journal begins. If the store has a state above it, the
// journal is an old copy (D8). A journal that lacks votes may be behind the state by two windows at most (D8.14).
func (log Log) Reach(cfg *Config) (last Seq) {
	last = cfg.Origin.Seq
	for _, rec := range log {
		switch rec := rec.(type) {
		case *Prepared, *Certified, *Committed:
			last = max(last, RecordSeq(rec))
		case *Stable: // parts of a state up to there may have been fetched (X4)
			last = max(last, rec.Cert.Seq)
		case *Installed:
			last = max(last, rec.Cert.Seq)
		case *Activated:
			last = max(last, cfg.Floor(rec.NewView.HighestStable().Seq))
		case *Sent:
			if m, ok := rec.Msg.(*NewView); ok {
				last = max(last, cfg.Floor(m.HighestStable().Seq))
			}
		default: // a vote or a proposal alone allows no execution
		}
	}
	if unsaid := log.Unsaid(cfg); unsaid > 0 {
		last = max(last, unsaid+cfg.LogWindow)
	}
	return last
}

// Beginning returns the records with which every journal of a cluster implicitly begins: those of the cluster's first
// state. They are not written.
func Beginning(cfg *Config) []Record {
	if cfg.Origin.Seq == 0 {
		return nil
	}
	return []Record{&Installed{Cert: StableCert{Seq: cfg.Origin.Seq, Digest: cfg.Origin.Digest}}}
}

// LastStable is the highest stable checkpoint in a journal; 0 if there is none.
func (log Log) LastStable() (last Seq) {
	for _, rec := range log {
		last = max(last, StableIn(rec).Seq)
	}
	return last
}

// Certificates lists the certificate of the cluster's first state, and then those of stable checkpoints in a journal.
// They are not verified, and there may be several for one checkpoint.
func (log Log) Certificates(cfg *Config) (certs []StableCert) {
	for _, rec := range append(Beginning(cfg), log...) {
		if cert := StableIn(rec); cert.Seq > 0 {
			certs = append(certs, cert)
		}
	}
	return certs
}

// Life returns the life that the newest segment of a journal names. Older segments may name none, because they are of
// the first format (D8.2).
func (log Log) Life() (l Life) {
	for _, rec := range log {
		if head, ok := rec.(*Head); ok {
			l = head.Life
		}
	}
	return l
}

// Foreign returns ErrForeignJournal if another replica wrote the journal, or if it belongs to another cluster or epoch:
// disks were mixed up, and nothing is lost.
func (log Log) Foreign(cfg *Config) error {
	for _, rec := range log {
		if head, ok := rec.(*Head); ok && (head.Cluster != cfg.Cluster || head.Self != cfg.Self || head.Epoch != cfg.Epoch) {
			return ErrForeignJournal
		}
	}
	return nil
}

// StableIn is the certificate of the stable checkpoint in a record; zero if the record has none.
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
	default: // other records contain none
	}
	return cert
}

// Unsaid returns the highest sequence number for which this replica may have sent votes that its journal lacks (D8.14).
// It is at most a window above the highest durable stable checkpoint, because the replica votes no further. It is 0 if
// the journal is complete.
func (log Log) Unsaid(cfg *Config) Seq {
	early := false
	for _, rec := range log {
		switch rec.(type) {
		case *Early:
			early = true
		case *Clean:
			early = false
		default: // other records do not change that
		}
	}
	if !early {
		return 0
	}
	return log.LastStable() + cfg.LogWindow
}

// Mark is a checkpoint of this replica that the journal records.
type Mark struct {
	Seq    Seq
	Digest Digest
}

// Marks lists this replica's own checkpoints and the last state that it installed, newest first: these are the states
// that a start looks for in the store (D5). Checkpoints before an installed state no longer count (X6). The initial
// state, with sequence number 0 and no digest, comes last.
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
		default: // other records contain no state
		}
	}
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Compare(b.Seq, a.Seq) })
	return slices.Compact(marks)
}

// Backlog lists the bodies of the batches after above, up to upTo, that a replica executes again after a start. It
// returns false if the journal lacks the body or the commit certificate of one of them.
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

// ErrForeignJournal says that another replica, or a replica of another cluster, wrote a journal.
var ErrForeignJournal = errors.New("the journal belongs to another replica or cluster")

// ErrOtherWindow says that a journal was written under a checkpoint interval or log window that does not fit the
// present one.
var ErrOtherWindow = errors.New("the journal was written under another checkpoint_interval or log_window")

// Unfit returns why a replica must not continue from a journal under this configuration, or nil. There are three
// reasons. Records above the window over low would be dropped; they may be votes, or batches whose replies clients have.
// A checkpoint whose number is not a multiple of K would be refused by the other replicas. And the view change own,
// which this replica must send again (nil: none), may be invalid under this configuration.
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
		case *Fetched, *Certified, *Committed: // certificates are accepted before there is room for votes (N6)
			last += cfg.LogWindow
		default: // other records are not about a slot above h
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

// Rebuilds reports whether an encoded record helps to give its batch to another replica (X0): it holds a body or a
// commit certificate.
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

// Gather takes from a record what is needed to execute the batch again.
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
	default: // other records hold nothing of it
	}
}

// Decided returns the body of the batch that committed. It is nil if the body or the certificate is missing.
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

// Batch combines what another replica needs to execute the batch of a sequence number; nil if the journal does not hold it.
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
