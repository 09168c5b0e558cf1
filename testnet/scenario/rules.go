package scenario

import (
	"strconv"
	"strings"

	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// readRule takes one rule.
func (s *Scenario) readRule(t *table) {
	r := Rule{Line: t.at(), At: t.since("at", 0)}
	var words []string
	for _, a := range links.Actions() {
		words = append(words, string(a))
	}
	r.Action = links.Action(t.oneOf("action", "", words...))
	if r.Action == "" && !t.has("action") {
		t.refuse(t.at(), "the rule has no action; write action = %q, or %s", words[0], strings.Join(words[1:], ", "))
	}
	if r.Action == links.Delay {
		if r.By = t.since("by", 0); r.By == 0 {
			t.refuse(t.at(), "the rule delays by nothing; write by = \"100ms\"")
		}
	}
	if match, given := t.below("match"); given {
		r.Match = s.readMatch(match)
	} else {
		t.refuse(t.at(), "the rule matches nothing; write match = { type = \"commit\" }, or match = {} for every message")
	}
	s.readUntil(t, &r)
	t.done()
	s.Rules = append(s.Rules, r)
}

// readUntil takes the end of a rule: a release by name, a time, or "never".
func (s *Scenario) readUntil(t *table, r *Rule) {
	until := t.text("until")
	switch d, err := parseTime(until, t.t); {
	case until == "" && r.Action == links.Hold:
		t.refuse(t.at(), "the rule holds without end; write until = a time, the name of a release, or \"never\"")
	case until == "" || until == "never":
	case err == nil && (d <= r.At || d > longest):
		t.refuse(t.line("until"), "until = %q is not after the rule's beginning at %v", until, r.At)
	case err == nil:
		r.UntilTime = d
	case until[0] >= '0' && until[0] <= '9' || until[0] == '-':
		t.mistyped("until", `a time such as "2s" or "3T", the name of a release, or "never"`)
	default:
		r.UntilRelease = until
	}
}

func (s *Scenario) readMatch(t *table) (m links.Match) {
	m.Type = messageType(t, "type")
	if v, given := t.get("view"); given {
		view, ok := v.(int64)
		if !ok || view < 0 {
			t.mistyped("view", "a whole number from 0")
		}
		m.View = new(wire.View(view))
	}
	m.SeqFrom, m.SeqTo = t.seqs("seq")
	m.From, _ = t.replicas("from", s.Replicas)
	m.To, _ = t.replicas("to", s.Replicas)
	if len(m.From) == 1 && len(m.To) == 1 && m.From[0] == m.To[0] {
		t.refuse(t.line("to"), "a replica sends itself nothing; from = [%d] and to = [%d] match no message", m.From[0], m.To[0])
	}
	t.done()
	return m
}

// between are the types of message that replicas send each other, and so all that a rule can match.
var between = []wire.Type{
	wire.TypeRequest, wire.TypePrePrepare, wire.TypePrepare, wire.TypeCommit, wire.TypeCheckpoint, wire.TypeSuspect,
	wire.TypeViewChange, wire.TypeNewView, wire.TypeHeartbeat, wire.TypeStatus, wire.TypeCertifiedBody, wire.TypeFetch,
	wire.TypeStableNotice,
}

// messageType reads the name of a type of message between replicas, 0 if there is none.
func messageType(t *table, key string) wire.Type {
	var words []string
	for _, known := range between {
		words = append(words, known.String())
	}
	word, _ := wire.ParseType(t.oneOf(key, "", words...))
	return word
}

// seqs reads a sequence number, or a range of them such as "1..20".
func (t *table) seqs(key string) (from, to wire.Seq) {
	v, given := t.get(key)
	if !given {
		return 0, 0
	}
	switch v := v.(type) {
	case int64:
		if v >= 1 {
			return wire.Seq(v), wire.Seq(v)
		}
	case string:
		first, last, ok := strings.Cut(v, "..")
		a, errA := strconv.ParseUint(first, 10, 63)
		b, errB := strconv.ParseUint(last, 10, 63)
		if ok && errA == nil && errB == nil && a >= 1 && a <= b {
			return wire.Seq(a), wire.Seq(b)
		}
	}
	t.mistyped(key, `a sequence number from 1, or a range in quotes such as "1..20"`)
	return 0, 0
}
