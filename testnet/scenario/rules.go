package scenario

import (
	"slices"

	"tagma/internal/strict"
	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// takeRule takes one rule.
func (s *Scenario) takeRule(t *strict.Table) {
	r := Rule{Line: t.Line("")}
	text := struct {
		*Rule
		Match struct {
			links.Match
			Seq seqs `toml:"seq"`
		} `toml:"match"`
		Until string `toml:"until"`
	}{Rule: &r}
	if !t.Into(&text) {
		return
	}
	r.Match = text.Match.Match
	r.Match.SeqFrom, r.Match.SeqTo = text.Match.Seq.from, text.Match.Seq.to
	t.Needs("action", `action = "drop", or delay, hold, duplicate, corrupt`)
	if r.Action == links.Delay && r.By == 0 {
		t.Refuse("", "it delays by nothing; write by = \"100ms\"")
	}
	t.Needs("match", `match = { type = "commit" }, or match = {} for every message`)
	if from, to := r.Match.From, r.Match.To; len(from) == 1 && len(to) == 1 && from[0] == to[0] {
		t.Below("match").Refuse("to", "a replica sends itself nothing; from = [%d] and to = [%d] match no message", from[0], to[0])
	}
	s.takeUntil(t, &r, text.Until)
	s.Rules = append(s.Rules, r)
}

// takeUntil takes the end of a rule: a release by name, a time, or "never".
func (s *Scenario) takeUntil(t *strict.Table, r *Rule, until string) {
	switch d, err := parseTime(until, s.ViewTimeout()); {
	case until == "" && r.Action == links.Hold:
		t.Refuse("", "it holds without end; write until = a time, the name of a release, or \"never\"")
	case until == "" || until == "never":
	case err == nil && d <= r.At:
		t.Refuse("until", "%q is not after the rule's beginning at %v", until, r.At)
	case err == nil:
		r.UntilTime = d
	case until[0] >= '0' && until[0] <= '9' || until[0] == '-':
		t.Refuse("until", `must be a time such as "2s" or "3T", the name of a release, or "never"`)
	default:
		r.UntilRelease = until
	}
}

// takeScript takes one message of an attacker.
func (s *Scenario) takeScript(t *strict.Table) {
	r := Script{Line: t.Line("")}
	if !t.Into(&r) {
		return
	}
	t.Needs("from", "from = 0, the replica whose key the attacker holds")
	t.Needs("to", "to = [1, 2]")
	if t.Has("from") && slices.Contains(r.To, r.From) {
		t.Refuse("to", "replica %d is the sender itself; leave it out", r.From)
	}
	if t.Needs("send", `send = { type = "prepare", view = 0, seq = 1, batch = ["c0:1 put k a"] }`) {
		r.Send.check(t.Below("send"))
	}
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

// recorded says which keys make the certificates of a message of a type.
var recorded = map[wire.Type][]string{
	wire.TypeViewChange:    {"prepared", "stable", "suspects"},
	wire.TypeNewView:       {"view_changes", "proposals"},
	wire.TypeCertifiedBody: {"commit"},
	wire.TypeStableNotice:  {"commit"},
}

// check refuses a message that lacks something, or has too much.
func (m *Template) check(t *strict.Table) {
	if !t.Needs("type", "for instance type = \"prepare\"") {
		return
	}
	if t.Has("digest") && t.Has("batch") {
		t.Refuse("digest", "batch is given too, and the digest follows from it; leave one out")
	}
	if _, ok := ParseDigest(m.Digest); m.Digest != "" && !ok {
		t.Refuse("digest", "must be 64 hex digits in quotes")
	}
	for _, key := range needs[m.Type] {
		switch {
		case t.Has(key) || key == "digest" && t.Has("batch"):
		case key == "digest":
			t.Refuse("", "a %v has a digest; write batch = [\"c0:1 put k a\"], or digest = 64 hex digits", m.Type)
		default:
			t.Refuse("", "a %v has a %s; write it into send", m.Type, key)
		}
	}
	from := t.Below("from_recorded")
	if keys := recorded[m.Type]; keys != nil {
		from.Only(keys...)
	} else if t.Has("from_recorded") {
		t.Refuse("from_recorded", "a %v is built from no recorded messages; leave it out", m.Type)
	}
	for _, p := range m.FromRecorded.Proposals {
		_, isDigest := ParseDigest(p)
		if _, ok := ParseSlot(p); p != "null" && !ok && !isDigest {
			from.Refuse("proposals", `must be "null", a digest in hex, or view:seq of what was recorded, such as "0:1"`)
		}
	}
}
