package scenario

import (
	"encoding/hex"
	"strconv"
	"strings"

	"tagma/pbft/wire"
)

// readScript takes one message of an attacker.
func (s *Scenario) readScript(t *table) {
	r := Script{Line: t.at(), At: t.since("at", 0)}
	r.From = wire.ReplicaID(t.count("from", 0, 0, s.Replicas-1))
	if !t.has("from") {
		t.refuse(t.at(), "the script has no sender; write from = 0, the replica whose key the attacker holds")
	}
	r.To, _ = t.replicas("to", s.Replicas)
	if !t.has("to") {
		t.refuse(t.at(), "the script has no receivers; write to = [1, 2]")
	}
	for _, to := range r.To {
		if to == r.From {
			t.refuse(t.line("to"), "to: replica %d is the sender itself; leave it out", to)
		}
	}
	if send, given := t.below("send"); given {
		r.Send = s.readTemplate(send)
	} else {
		t.refuse(t.at(), "the script sends nothing; write send = { type = \"prepare\", view = 0, seq = 1, batch = [\"c0:1 put k a\"] }")
	}
	t.done()
	s.Scripts = append(s.Scripts, r)
}

// needs says which keys a message of a type has besides its type.
var needs = map[wire.Type][]string{
	wire.TypeRequest:       {"batch"},
	wire.TypePrePrepare:    {"view", "seq", "batch"},
	wire.TypePrepare:       {"view", "seq", "digest"},
	wire.TypeCommit:        {"view", "seq", "digest"},
	wire.TypeCheckpoint:    {"seq", "digest"},
	wire.TypeSuspect:       {"view"},
	wire.TypeViewChange:    {"view"},
	wire.TypeNewView:       {"view"},
	wire.TypeHeartbeat:     {"view"},
	wire.TypeStatus:        {"view"},
	wire.TypeCertifiedBody: {"seq", "batch"},
	wire.TypeFetch:         {"seq", "digest"},
	wire.TypeStableNotice:  {"seq", "digest"},
}

func (s *Scenario) readTemplate(t *table) (m Template) {
	m.Type = messageType(t, "type")
	if m.Type == 0 {
		if !t.has("type") {
			t.refuse(t.at(), "send has no type; write for instance type = \"prepare\"")
		}
		return m
	}
	const maxSeq = 1<<63 - 1
	m.View = wire.View(t.count("view", 0, 0, maxSeq))
	m.Seq = wire.Seq(t.count("seq", 0, 0, maxSeq))
	m.Batch = s.operations(t, "batch")
	m.Digest = t.text("digest")
	m.Forged = t.yes("forged")
	if from, given := t.below("from_recorded"); given {
		m.FromRecorded = s.readRecorded(from, m.Type)
	}
	t.done()
	if t.has("digest") && t.has("batch") {
		t.refuse(t.line("digest"), "digest and batch are both given; the digest follows from the batch, so leave one out")
	}
	if _, ok := ParseDigest(m.Digest); m.Digest != "" && !ok {
		t.mistyped("digest", "64 hex digits in quotes")
	}
	for _, key := range needs[m.Type] {
		switch {
		case key == "digest" && !t.has("digest") && !t.has("batch"):
			t.refuse(t.at(), "a %v has a digest; write batch = [\"c0:1 put k a\"], or digest = 64 hex digits", m.Type)
		case key != "digest" && !t.has(key):
			t.refuse(t.at(), "a %v has a %s; write it into send", m.Type, key)
		}
	}
	return m
}

// readRecorded takes what the certificates of a message are made of. Which keys there are depends on its type.
func (s *Scenario) readRecorded(t *table, kind wire.Type) (r Recorded) {
	switch kind {
	case wire.TypeViewChange:
		r.Prepared, _ = t.slots("prepared")
		r.Stable = wire.Seq(t.count("stable", 0, 0, 1<<62))
		r.Suspects, _ = t.replicas("suspects", s.Replicas)
	case wire.TypeNewView:
		t.list("view_changes", "a list of replica numbers, such as [0, 1, 1]", func(v any) bool {
			id, ok := v.(int64)
			if ok && (id < 0 || id >= int64(s.Replicas)) {
				t.refuse(t.line("view_changes"), "view_changes: there is no replica %d; there are 0 to %d", id, s.Replicas-1)
			}
			r.ViewChanges = append(r.ViewChanges, wire.ReplicaID(id))
			return ok
		})
		var given bool
		if r.Proposals, given = t.texts("proposals", `a list such as ["null", "0:1"]`); given && r.Proposals == nil {
			r.Proposals = []string{}
		}
		for _, p := range r.Proposals {
			_, isDigest := ParseDigest(p)
			if _, ok := ParseSlot(p); p != "null" && !ok && !isDigest {
				t.mistyped("proposals", `"null", a digest in hex, or view:seq of what was recorded, such as "0:1"`)
			}
		}
	case wire.TypeCertifiedBody, wire.TypeStableNotice:
		if slots, _ := t.slots("commit"); len(slots) > 0 {
			r.Commit = &slots[0]
		}
	default:
		t.refuse(t.at(), "a %v is built from no recorded messages; leave out from_recorded", kind)
		return r
	}
	t.done()
	return r
}

// slots reads places in the order, such as ["0:1"]: view 0, sequence number 1.
func (t *table) slots(key string) (out []Slot, given bool) {
	given = t.list(key, `a list of views and sequence numbers, such as ["0:1"]`, func(v any) bool {
		text, _ := v.(string)
		s, ok := ParseSlot(text)
		out = append(out, s)
		return ok
	})
	return out, given
}

// ParseSlot reads a view and a sequence number, such as "0:1".
func ParseSlot(text string) (Slot, bool) {
	view, seq, ok := strings.Cut(text, ":")
	v, errV := strconv.ParseUint(view, 10, 63)
	n, errN := strconv.ParseUint(seq, 10, 63)
	return Slot{wire.View(v), wire.Seq(n)}, ok && errV == nil && errN == nil && n > 0
}

// ParseDigest reads 64 hex digits.
func ParseDigest(text string) (d wire.Digest, ok bool) {
	if hex.DecodedLen(len(text)) != len(d) {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(text))
	return d, err == nil
}
