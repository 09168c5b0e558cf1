package scenario

import (
	"tagma/internal/strict"
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
