package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tagma/internal/strict"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/history"
)

// Who names the attacker, such as "replica0" or "c3".
func (m *Malicious) Who() string {
	switch {
	case m.Key != "":
		return m.Key
	case m.Client != nil:
		return fmt.Sprintf("c%d", *m.Client)
	}
	return fmt.Sprintf("replica%d", m.Replica)
}

// maxClients bounds the numbers of clients, as the workload's clients are.
const maxClients = 1000

// attacker is an entry of [[malicious]]. Keys that do not belong to the entry itself are parameters of its behaviour. If
// a parameter has the same name as one of the entry's keys, such as client, it is written in the table parameters.
type attacker struct {
	Behaviour  string         `toml:"behaviour"`
	From       time.Duration  `toml:"from"`
	Until      time.Duration  `toml:"until"`
	Parameters map[string]any `toml:"parameters"`
	Beside     map[string]any `toml:",rest"`
}

// party is a kind of participant that can have a behaviour: replicas or clients.
type party struct {
	key   string // the key of the table that names it
	most  int    // the highest of its numbers
	can   []byzantine.Behaviour
	judge func(byzantine.Choice, int) error
}

// takeAttacker takes one attacker.
func (s *Scenario) takeAttacker(t *strict.Table) {
	var a attacker
	if !t.Into(&a) {
		return
	}
	parties := []party{
		{"replica", s.Replicas - 1, byzantine.Catalogue(), byzantine.Check},
		{"client", 2 * maxClients, byzantine.ClientBehaviours(), func(c byzantine.Choice, replicas int) error {
			return byzantine.CheckClient(c, replicas, history.Burdens(s.Machine, ""))
		}},
	}
	if t.Has("client") && !t.Has("replica") { // because some behaviours exist for both replicas and clients
		slices.Reverse(parties)
	}
	var names []string
	var who *party
	for i, p := range parties {
		for _, b := range p.can {
			if names = append(names, b.Name); b.Name == a.Behaviour && who == nil {
				who = &parties[i]
			}
		}
	}
	if who == nil {
		t.Refuse("behaviour", "there is no behaviour %q;%s `tagma-testnet behaviours` lists them all",
			a.Behaviour, strict.Meant(a.Behaviour, names))
		return
	}
	number, whole := a.Beside[who.key].(int64)
	switch {
	case !t.Has(who.key):
		t.Refuse("", "%s is a behaviour of %ss; write %s = 0", a.Behaviour, who.key, who.key)
		return
	case !whole || number < 0 || number > int64(who.most):
		t.Refuse(who.key, "there is no %s %v; there are 0 to %d", who.key, a.Beside[who.key], who.most)
		return
	}
	delete(a.Beside, who.key)
	m := Malicious{Line: t.Line(""), From: a.From, Until: a.Until}
	if m.Choice.Name, m.Choice.Values = a.Behaviour, map[string]string{}; who.key == "client" {
		m.Client = new(int(number))
	} else {
		m.Replica = wire.ReplicaID(number)
	}
	if t.Has("until") && m.Until <= m.From {
		t.Refuse("until", "%v is not after from = %v", m.Until, m.From)
	}
	good := take(t, a.Beside, m.Choice.Values)
	good = take(t.Below("parameters"), a.Parameters, m.Choice.Values) && good
	if err := who.judge(m.Choice, s.Replicas); err != nil && good {
		m.refuse(t, err)
	}
	for _, o := range s.Malicious {
		if o.Who() == m.Who() && o.Choice.Name == m.Choice.Name {
			t.Refuse("", "%s is %s in line %d already; make one entry of the two", m.Who(), m.Choice.Name, o.Line)
		}
	}
	s.Malicious = append(s.Malicious, m)
}

// take reads parameters from a table in the form in which behaviours take them, and reports whether that was possible.
func take(t *strict.Table, given map[string]any, into map[string]string) (good bool) {
	good = true
	for key, value := range given {
		text, ok := asText(value)
		if !ok {
			t.Refuse(key, "must be text, a number, true, false, or a list of those")
			good = false
		}
		into[key] = text
	}
	return good
}

// asText returns a value as the text that behaviours parse. Entries of lists are separated by "+".
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string, int64, float64, bool:
		return fmt.Sprint(v), true
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			var ok bool
			if parts[i], ok = asText(e); !ok {
				return "", false
			}
		}
		return strings.Join(parts, "+"), true
	default:
		return "", false
	}
}

// refuse records a behaviour's error about a parameter, in the line of that parameter.
func (m *Malicious) refuse(t *strict.Table, err error) {
	name, problem, meant := m.Choice.Name, strings.TrimPrefix(err.Error(), "behaviour "+m.Choice.Name+": "), ""
	key, _, _ := strings.Cut(problem, ": ")
	var unknown *byzantine.UnknownError
	if errors.As(err, &unknown) {
		if key = unknown.Name; !t.Has(key) && !t.Below("parameters").Has(key) {
			key = strings.TrimPrefix(unknown.What, "value of ")
		}
		meant = strict.Meant(unknown.Name, append(slices.Clone(unknown.Known), "from", "until"))
	}
	if apart := t.Below("parameters"); apart.Has(key) {
		t = apart
	} else if !t.Has(key) {
		key = "behaviour"
	}
	t.Refuse(key, "%s: %s;%s `tagma-testnet behaviours` explains it", name, problem, meant)
}
