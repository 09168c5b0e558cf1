package wire

import (
	"errors"
	"math"
	"testing"
)

// S2, D8.4, X0, X3: the conditions for the messages that belong to the recovery of a replica.
func TestCheck_Recovery(t *testing.T) {
	c := newWireCluster(4)
	wireRefuses(t, &c.cfg, &Held{Nonce: 1, Above: MaxSeq}, []wireRefusal[*Held]{
		{"above all", ErrInvalid, func(m *Held) { m.Above++ }},
	})
	wireRefuses(t, &c.cfg, &Recover{Until: MaxSeq}, []wireRefusal[*Recover]{
		{"to the initial state", ErrInvalid, func(m *Recover) { m.Until = 0 }},
		{"above all", ErrInvalid, func(m *Recover) { m.Until++ }},
	})
	wireRefuses(t, &c.cfg, &FetchSlots{From: 1, Most: maxFetchedSlots}, []wireRefusal[*FetchSlots]{
		{"from the initial state", ErrInvalid, func(m *FetchSlots) { m.From = 0 }},
		{"none", ErrInvalid, func(m *FetchSlots) { m.Most = 0 }},
		{"too many", ErrInvalid, func(m *FetchSlots) { m.Most++ }},
	})
	wireRefuses(t, &c.cfg, &Slots{From: 1, Next: 1 + maxFetchedSlots}, []wireRefusal[*Slots]{
		{"from the initial state", ErrInvalid, func(m *Slots) { m.From, m.Next = 0, 0 }},
		{"backwards", ErrInvalid, func(m *Slots) { m.Next = 0 }},
		{"too many", ErrInvalid, func(m *Slots) { m.Next++ }},
		{"all there are", ErrInvalid, func(m *Slots) { m.Next = math.MaxUint64 }},
	})
	wireRefuses(t, &c.cfg, &FetchState{Seq: 20, Query: make([]byte, MaxQuery)}, []wireRefusal[*FetchState]{
		{"between two checkpoints", ErrInvalid, func(m *FetchState) { m.Seq++ }},
		{"a part of no checkpoint", ErrInvalid, func(m *FetchState) { m.Seq = 0 }},
		{"too long", ErrInvalid, func(m *FetchState) { m.Query = make([]byte, MaxQuery+1) }},
	})
	wireRefuses(t, &c.cfg, &Data{Seq: 20, Offer: new(c.stableCert(30)), Answer: make([]byte, MaxAnswer)}, []wireRefusal[*Data]{
		{"between two checkpoints", ErrInvalid, func(m *Data) { m.Seq++ }},
		{"about no checkpoint", ErrInvalid, func(m *Data) { m.Seq = 0 }},
		{"too long", ErrInvalid, func(m *Data) { m.Answer = make([]byte, MaxAnswer+1) }},
		{"an offer of too few", ErrInvalid, func(m *Data) { m.Offer.Checkpoints = m.Offer.Checkpoints[1:] }},
	})
}

// S2, D8.4: every statement in an answer must be proven by signatures.
func TestCheck_HeldBy(t *testing.T) {
	c := newWireCluster(4)
	wireRefuses(t, &c.cfg, c.heldBy(1), []wireRefusal[*HeldBy]{
		{"about a stranger", ErrUnknownMember, func(m *HeldBy) { m.Of = 4 }},
		{"a pre-prepare of a backup", ErrInvalid, func(m *HeldBy) { m.Said[0].View++ }},
		{"N2: a prepare of the primary", ErrInvalid, func(m *HeldBy) { m.Said[1].View = 1 }},
		{"a commit at the initial state", ErrInvalid, func(m *HeldBy) { m.Said[2].Seq = 0 }},
		{"a checkpoint of a view", ErrInvalid, func(m *HeldBy) { m.Said[3].View = 1 }},
		{"K1: a checkpoint between two", ErrInvalid, func(m *HeldBy) { m.Said[3].Seq++ }},
		{"a view change at a sequence number", ErrInvalid, func(m *HeldBy) { m.Said[4].Seq = 1 }},
		{"a view change to the first view", ErrInvalid, func(m *HeldBy) { m.Said[4].View = 0 }},
		{"a new view of a backup", ErrInvalid, func(m *HeldBy) { m.Said[5].View++ }},
		{"a suspect", ErrInvalid, func(m *HeldBy) { m.Said[5].Type = TypeSuspect }},
		{"too few checkpoints", ErrInvalid, func(m *HeldBy) { m.Stable.Checkpoints = m.Stable.Checkpoints[1:] }},
		{"too few prepares", ErrInvalid, func(m *HeldBy) { m.Prepared.Prepares = m.Prepared.Prepares[1:] }},
		{"too few commits", ErrInvalid, func(m *HeldBy) { m.Commit.Commits = m.Commit.Commits[1:] }},
		{"a certificate above all", ErrInvalid, func(m *HeldBy) { m.Commit.Seq = MaxSeq + 1 }},
		{"V7: a view without suspects", ErrInvalid, func(m *HeldBy) { m.Suspects = nil }},
		{"V7: suspects of an older view", ErrInvalid, func(m *HeldBy) { m.View += 2 }},
		{"suspects of nothing", ErrInvalid, func(m *HeldBy) { m.View = 0 }},
		{"S4: more than two windows of statements", ErrInvalid, func(m *HeldBy) {
			for range HeldPerSlot * 2 * c.cfg.LogWindow {
				m.Said = append(m.Said, m.Said[0])
			}
		}},
	})
}

// S4: the lists in an answer are bounded under any configuration.
func TestS4_AnAnswerHasLimitsOfItsOwn(t *testing.T) {
	suspects := make([]Suspect, MaxMembers+1)
	for i := range suspects {
		suspects[i].Replica = ReplicaID(i)
	}
	for name, m := range map[string]Message{
		"statements": &HeldBy{Said: make([]Statement, maxHeldStatements+1)},
		"suspects":   &HeldBy{Suspects: suspects},
	} {
		if _, err := Decode(Encode(m)); !errors.Is(err, ErrMalformed) {
			t.Errorf("one of the %s too many: %v", name, err)
		}
	}
	if got := len(appendHeldStatement(nil, &Statement{})); got != heldStatementBytes {
		t.Errorf("a statement takes %d bytes, not %d", got, heldStatementBytes)
	}
	if _, err := DecodeRecord(EncodeRecord(&Recovering{Suspects: suspects})); !errors.Is(err, ErrMalformed) {
		t.Errorf("a record with one of the suspects too many: %v", err)
	}
	if b := EncodeRecord(&Head{Life: Life{1}}); !errors.Is(wireErr(DecodeRecord(append(b[:len(b)-16], make([]byte, 16)...))), ErrMalformed) {
		t.Error("a head with an empty life has a second encoding")
	}
}
