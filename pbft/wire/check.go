package wire

import (
	"errors"
	"fmt"
)

// The reasons, in addition to ErrMalformed, for which a received message is refused.
var (
	ErrSignature     = errors.New("a signature does not hold")
	ErrUnknownMember = errors.New("not a member")
	ErrUnknownClient = errors.New("client not allowed")
	ErrInvalid       = errors.New("against the rules")
)

// Refusal says in one word what is wrong with a refused message: "malformed", "signature", "stranger" or "invalid"; it
// is empty for an error that is not of this package.
func Refusal(err error) string {
	switch {
	case errors.Is(err, ErrMalformed):
		return "malformed"
	case errors.Is(err, ErrSignature):
		return "signature"
	case errors.Is(err, ErrUnknownMember), errors.Is(err, ErrUnknownClient):
		return "stranger"
	case errors.Is(err, ErrInvalid):
		return "invalid"
	}
	return ""
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}

// Check checks everything about a message except its signatures: structure, sizes, membership, quorums. It uses only
// the message and the configuration, never the state of a replica, so that all replicas judge alike (V7).
func Check(cfg *Config, m Message) error {
	if err := checkMessage(cfg, m); err != nil {
		return fmt.Errorf("%s: %w", TypeOf(m), err)
	}
	return nil
}

func checkMessage(cfg *Config, m Message) error {
	switch m := m.(type) {
	case *Request:
		return checkRequest(cfg, m)
	case *PrePrepare:
		return checkPrePrepare(cfg, m)
	case *Prepare:
		return checkPrepare(cfg, m.View, m.Seq, m.Replica)
	case *Commit:
		return checkVote(cfg, m.Seq, m.Replica)
	case *Checkpoint:
		return checkCheckpoint(cfg, m)
	case *Suspect:
		return checkMember(cfg, m.Replica)
	case *ViewChange:
		return checkViewChange(cfg, m)
	case *NewView:
		return checkNewView(cfg, m)
	case *Heartbeat:
		return nil // the only condition is that its sender is the primary
	case *Reply:
		return checkReply(cfg, m)
	case *Status:
		return checkStatus(cfg, m)
	case *CertifiedBody:
		return checkCertifiedBody(cfg, m)
	case *Fetch:
		return checkSeq(m.Seq)
	case *StableNotice:
		return checkStableCert(cfg, &m.Cert)
	case *Query:
		return checkQuery(cfg, m)
	case *QueryReply:
		return checkQueryReply(cfg, m)
	case *Attest:
		return checkAttest(cfg, m)
	case *Attestation:
		return checkAttestation(cfg, m)
	case *Prove:
		return checkProve(cfg, m)
	case *Proof:
		return checkProof(m)
	case *Watch:
		return checkWatch(m)
	case *Changes:
		return m.Check()
	case *Inquire, *Report, *Attach, *Attached, *WatchTaken, *Progress:
		return nil
	case *Held, *HeldBy, *Recover, *FetchSlots, *Slots, *FetchState, *Data:
		return checkRecovery(cfg, m)
	}
	return invalid("not a message")
}

func checkMember(cfg *Config, id ReplicaID) error {
	if int(id) >= cfg.N() {
		return fmt.Errorf("replica %d: %w", id, ErrUnknownMember)
	}
	return nil
}

// MaxSeq is the highest sequence number that a statement may name. No cluster reaches it, and adding a window to it
// does not overflow.
const MaxSeq Seq = 1 << 62

func checkSeq(s Seq) error {
	if s == 0 {
		return invalid("sequence number 0 is the initial state")
	}
	if s > MaxSeq {
		return invalid("sequence number %d is above %d", s, MaxSeq)
	}
	return nil
}

func checkCheckpointSeq(cfg *Config, s Seq) error {
	if s%cfg.CheckpointInterval != 0 {
		return invalid("sequence number %d is no multiple of the checkpoint interval %d", s, cfg.CheckpointInterval)
	}
	return checkSeq(s)
}

func checkCheckpoint(cfg *Config, m *Checkpoint) error {
	if err := checkCheckpointSeq(cfg, m.Seq); err != nil {
		return err
	}
	return checkMember(cfg, m.Replica)
}

func checkVote(cfg *Config, s Seq, by ReplicaID) error {
	if err := checkSeq(s); err != nil {
		return err
	}
	return checkMember(cfg, by)
}

// checkPrepare also refuses a prepare by the primary, which would not count (N2).
func checkPrepare(cfg *Config, v View, s Seq, by ReplicaID) error {
	if err := checkVote(cfg, s, by); err != nil {
		return err
	}
	if by == cfg.Primary(v) {
		return invalid("replica %d is the primary of view %d and cannot prepare in it", by, v)
	}
	return nil
}

func checkPrePrepare(cfg *Config, m *PrePrepare) error {
	if err := checkSeq(m.Seq); err != nil || m.Body == nil {
		return err
	}
	if err := checkBody(cfg, m.Body); err != nil {
		return err
	}
	for _, r := range m.Body.Requests {
		if err := checkClient(cfg, r); err != nil {
			return err
		}
	}
	return checkDigest(m.Body, m.Digest)
}

func checkDigest(b *Body, want Digest) error {
	if got := b.Digest(); got != want {
		return invalid("the body's digest is %v, not %v", got, want)
	}
	return nil
}

func checkStatus(cfg *Config, m *Status) error {
	if err := checkMember(cfg, m.Helper); err != nil {
		return err
	}
	for i, id := range m.ViewChanges {
		if err := checkMember(cfg, id); err != nil {
			return err
		}
		if i > 0 && m.ViewChanges[i-1] >= id {
			return invalid("view changes out of order")
		}
	}
	if most := 2 * cfg.LogWindow; Seq(len(m.Slots)) > most {
		return invalid("%d slots are more than two windows, %d", len(m.Slots), most)
	}
	for i, s := range m.Slots {
		if i > 0 && m.Slots[i-1].Seq >= s.Seq {
			return invalid("slots out of order")
		}
	}
	return nil
}
