package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"tagma/internal/strict"
	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// ID names a rule for links.Policy.Fired.
func (r *Rule) ID() string { return fmt.Sprintf("rule, line %d", r.Line) }

// Command returns the command that begins the rule, which must be given at r.At. If the rule ends at a time, the command
// contains it.
func (r *Rule) Command() links.Command {
	rule := r.Rule
	rule.ID = r.ID()
	return links.Command{ID: rule.ID, Do: links.DoRule, Rule: &rule}
}

// takeRule takes one rule.
func (s *Scenario) takeRule(t *strict.Table) {
	r := Rule{Line: t.Line("")}
	text := struct {
		*Rule
		Match struct {
			meant
			Except []meant `toml:"except"`
		} `toml:"match"`
		Until string `toml:"until"`
	}{Rule: &r}
	if !t.Into(&text) {
		return
	}
	r.Match = text.Match.match()
	for i, e := range text.Match.Except {
		except := e.match()
		if reflect.DeepEqual(except, links.Match{}) {
			t.Below("match").Refuse("except", "the exception %d is every message; write for instance except = [{ type = \"heartbeat\" }]", i+1)
		}
		r.Match.Except = append(r.Match.Except, except)
	}
	t.Needs("action", `action = "drop", or delay, hold, duplicate, corrupt`)
	if r.Action == links.Delay && r.By == 0 {
		t.Refuse("", "it delays by nothing; write by = \"100ms\"")
	}
	if r.Action != links.Corrupt && r.Place != (links.Place{}) {
		t.Refuse("", "byte and bit say what is turned, and a rule turns something with action = \"corrupt\" alone; leave them out")
	}
	t.Needs("match", `match = { type = "commit" }, or match = {} for every message`)
	if from, to := r.Match.From, r.Match.To; len(from) == 1 && len(to) == 1 && from[0] == to[0] {
		t.Below("match").Refuse("to", "a replica sends itself nothing; from = [%d] and to = [%d] match no message", from[0], to[0])
	}
	if t.Has("at") && t.Has("when") {
		t.Refuse("when", "at is given too; it begins with the one or the other")
	}
	s.takeUntil(t, &r, text.Until)
	s.Rules = append(s.Rules, r)
}

// meant is the form in which a file selects messages.
type meant struct {
	links.Match
	Seq seqs `toml:"seq"`
}

func (m *meant) match() links.Match {
	m.SeqFrom, m.SeqTo = m.Seq.from, m.Seq.to
	return m.Match
}

// takeUntil reads the end of a rule: the name of a release, a time, or "never".
func (s *Scenario) takeUntil(t *strict.Table, r *Rule, until string) {
	switch d, err := parseTime(until, s.ViewTimeout()); {
	case until == "" && r.Action == links.Hold:
		t.Refuse("", "it holds without end; write until = a time, the name of a release, or \"never\"")
	case until == "" || until == "never":
	case err == nil && d <= r.At:
		t.Refuse("until", "%q is not after the rule's beginning at %v", until, r.At)
	case err == nil:
		r.Until = d
	case until[0] >= '0' && until[0] <= '9' || until[0] == '-':
		t.Refuse("until", `must be a time such as "2s" or "3T", the name of a release, or "never"`)
	default:
		r.Name = until
	}
}

// takeScript reads one message of an attacker.
func (s *Scenario) takeScript(t *strict.Table) {
	r := Script{Line: t.Line("")}
	if !t.Into(&r) {
		return
	}
	t.Needs("from", "from = 0, the replica whose key the attacker holds")
	t.Needs("to", "to = [1, 2]")
	if t.Has("at") && t.Has("when") {
		t.Refuse("when", "at is given too; it is sent at the one or the other")
	}
	if t.Has("from") && slices.Contains(r.To, r.From) {
		t.Refuse("to", "replica %d is the sender itself; leave it out", r.From)
	}
	if t.Needs("send", `send = { type = "prepare", view = 0, seq = 1, batch = ["c0:1 put k a"] }`) {
		r.Send.check(t.Below("send"))
	}
	s.Scripts = append(s.Scripts, r)
}

// message is a type of message that replicas send each other. A rule can match it and a script can send it.
type message struct {
	wire.Type
	durable  bool   // a replica makes it durable before it sends it
	keys     string // keys that a script's message of this type must have
	recorded string // keys of from_recorded that such a message may have
}

var messages = []message{
	{wire.TypeRequest, false, "batch", ""},
	{wire.TypePrePrepare, true, "view seq batch", ""},
	{wire.TypePrepare, true, "view seq digest", ""},
	{wire.TypeCommit, true, "view seq digest", ""},
	{wire.TypeCheckpoint, true, "seq digest", ""},
	{wire.TypeSuspect, false, "view", ""},
	{wire.TypeViewChange, true, "view", "prepared stable suspects signers bad_signatures"},
	{wire.TypeNewView, true, "view", "view_changes proposals view_changes_of"},
	{wire.TypeHeartbeat, false, "view", ""},
	{wire.TypeStatus, false, "view", ""},
	{wire.TypeCertifiedBody, false, "seq batch", "commit signers bad_signatures"},
	{wire.TypeFetch, false, "seq digest", ""},
	{wire.TypeStableNotice, false, "seq digest", "commit signers bad_signatures"},
}

// words returns the names of some types of message.
func words(durable bool) (all []string) {
	for _, m := range messages {
		if m.durable || !durable {
			all = append(all, m.String())
		}
	}
	return all
}

// check refuses a message that lacks a key, or has one too many.
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
	if t.Has("time") && !t.Has("batch") {
		t.Refuse("time", "it is the agreed time of a batch; write batch, or leave it out")
	}
	row := messages[slices.IndexFunc(messages, func(x message) bool { return x.Type == m.Type })]
	for _, key := range strings.Fields(row.keys) {
		switch {
		case t.Has(key) || key == "digest" && t.Has("batch"):
		case key == "digest":
			t.Refuse("", "a %v has a digest; write batch = [\"c0:1 put k a\"], or digest = 64 hex digits", m.Type)
		default:
			t.Refuse("", "a %v has a %s; write it into send", m.Type, key)
		}
	}
	from := t.Below("from_recorded")
	if row.recorded != "" {
		from.Only(strings.Fields(row.recorded)...)
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
