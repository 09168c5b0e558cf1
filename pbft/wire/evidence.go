package wire

import "fmt"

// Evidence is a proof of misbehaviour: two signed statements, of which no correct replica signs both. Anybody who has
// the cluster's keys can verify it (E1).
type Evidence struct {
	Replica ReplicaID
	Kind    EvidenceKind
	First   Message // signed by Replica
	Second  Message // signed by Replica
}

// EvidenceKind says what the two statements of an Evidence prove.
type EvidenceKind string

// Equivocation is two digests signed for one (type, view, seq).
const Equivocation EvidenceKind = "equivocation"

// Equivocated is the evidence that a replica signed two statements that contradict each other.
func Equivocated(by ReplicaID, first, second Message) Evidence {
	return Evidence{Replica: by, Kind: Equivocation, First: first, Second: second}
}

// Verify checks a proof of misbehaviour with nothing but the cluster's keys (E1): the accused signed two statements of
// which no correct replica signs both. Holds must report whether all given claims have valid signatures.
func (e Evidence) Verify(cfg *Config, holds func([]Claim) bool) error {
	if err := checkEvidence(cfg, e); err != nil {
		return fmt.Errorf("evidence against replica %d: %w", e.Replica, err)
	}
	c := &claims{cfg: cfg}
	c.reserve(2)
	c.own(e.First, ownSignature(e.First))
	c.own(e.Second, ownSignature(e.Second))
	if !holds(c.list) {
		return fmt.Errorf("evidence against replica %d: %w", e.Replica, ErrSignature)
	}
	return nil
}

// checkEvidence checks everything except the signatures. What is nested in a statement need not be valid, because
// signing two such statements is misbehaviour whatever they contain.
func checkEvidence(cfg *Config, e Evidence) error {
	if e.Kind != Equivocation {
		return invalid("unknown kind %q", e.Kind)
	}
	for _, m := range [...]Message{e.First, e.Second} {
		by, ok := Sender(cfg, m)
		if !ok {
			return invalid("a %v convicts nobody", TypeOf(m))
		}
		if by != e.Replica {
			return invalid("a %v of replica %d", TypeOf(m), by)
		}
		if err := checkMember(cfg, by); err != nil {
			return err
		}
	}
	if !contradict(cfg, e.First, e.Second) {
		return invalid("a %v and a %v that do not contradict each other", TypeOf(e.First), TypeOf(e.Second))
	}
	return nil
}

// contradict reports whether two statements of one sender are about the same subject and differ.
func contradict(cfg *Config, first, second Message) bool {
	switch a := first.(type) {
	case *PrePrepare:
		b, ok := second.(*PrePrepare)
		return ok && a.View == b.View && a.Seq == b.Seq && a.Digest != b.Digest
	case *Prepare:
		b, ok := second.(*Prepare)
		return ok && a.View == b.View && a.Seq == b.Seq && a.Digest != b.Digest
	case *Commit:
		b, ok := second.(*Commit)
		return ok && a.View == b.View && a.Seq == b.Seq && a.Digest != b.Digest
	case *Checkpoint:
		b, ok := second.(*Checkpoint)
		return ok && a.Seq == b.Seq && a.Digest != b.Digest
	case *ViewChange:
		b, ok := second.(*ViewChange)
		return ok && a.View == b.View && a.ContentDigest() != b.ContentDigest() && Convicts(cfg, a, b)
	case *NewView:
		b, ok := second.(*NewView)
		return ok && a.View == b.View && a.ContentDigest() != b.ContentDigest()
	default:
		return false
	}
}

// Convicts reports whether two different view changes for one view prove a lie (D8.10). A replica that has forgotten
// the first one may correctly send a second, but only with a stable checkpoint that is at least a window higher.
func Convicts(cfg *Config, a, b *ViewChange) bool {
	low, high := min(a.Stable.Seq, b.Stable.Seq), max(a.Stable.Seq, b.Stable.Seq)
	return high-low < cfg.LogWindow
}

// SameViewChange reports whether two view changes make the same statement.
func SameViewChange(cfg *Config, a, b *ViewChange) bool {
	return string(Signable(cfg, a)) == string(Signable(cfg, b))
}

// ownSignature returns the signature under a message's own statement; zero for a type without one.
func ownSignature(m Message) Signature {
	switch m := m.(type) {
	case *Request:
		return m.Sig
	case *PrePrepare:
		return m.Sig
	case *Prepare:
		return m.Sig
	case *Commit:
		return m.Sig
	case *Checkpoint:
		return m.Sig
	case *Suspect:
		return m.Sig
	case *ViewChange:
		return m.Sig
	case *NewView:
		return m.Sig
	case *Heartbeat:
		return m.Sig
	default:
		return Signature{}
	}
}
