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

// takeMalicious takes all attackers.
func (s *Scenario) takeMalicious(tables []*strict.Table) {
	seen := map[string]int{}
	for _, t := range tables {
		m, ok := s.takeAttacker(t)
		if !ok {
			continue
		}
		who := m.Who()
		if line, twice := seen[who+m.Choice.Name]; twice {
			t.Refuse("", "%s is %s in line %d already; make one entry of the two", who, m.Choice.Name, line)
		}
		seen[who+m.Choice.Name] = m.Line
		s.Malicious = append(s.Malicious, m)
	}
}

// attacker is an entry. Whatever is not a key of the entry itself is a parameter of its behaviour; one with the name of
// such a key is written into a table of its own. A replica's behaviour may have a parameter client, and the other way round.
type attacker struct {
	Behaviour  string         `toml:"behaviour"`
	From       time.Duration  `toml:"from"`
	Until      time.Duration  `toml:"until"`
	Parameters map[string]any `toml:"parameters"`
	Beside     map[string]any `toml:",rest"`
}

// takeAttacker takes one attacker.
func (s *Scenario) takeAttacker(t *strict.Table) (m Malicious, ok bool) {
	var a attacker
	if !t.Into(&a) {
		return m, false
	}
	m = Malicious{Line: t.Line(""), From: a.From, Until: a.Until}
	m.Choice = byzantine.Choice{Name: a.Behaviour, Values: map[string]string{}}
	isClients, known := behaviour(a.Behaviour, t.Has("client") && !t.Has("replica"))
	if !known {
		t.Refuse("behaviour", "there is no behaviour %q;%s `tagma-testnet behaviours` lists them all",
			a.Behaviour, strict.Meant(a.Behaviour, behaviourNames()))
		return m, false
	}
	party, most := "replica", s.Replicas-1
	if isClients {
		party, most = "client", 2*maxClients
	}
	number, whole := a.Beside[party].(int64)
	switch {
	case !t.Has(party):
		t.Refuse("", "%s is a behaviour of %ss; write %s = 0", a.Behaviour, party, party)
		return m, false
	case !whole || number < 0 || number > int64(most):
		t.Refuse(party, "there is no %s %v; there are 0 to %d", party, a.Beside[party], most)
		return m, false
	}
	if isClients {
		m.Client = new(int(number))
	} else {
		m.Replica = wire.ReplicaID(number)
	}
	delete(a.Beside, party)
	if t.Has("until") && m.Until <= m.From {
		t.Refuse("until", "%v is not after from = %v", m.Until, m.From)
	}
	good := take(t, a.Beside, m.Choice.Values)
	good = take(t.Below("parameters"), a.Parameters, m.Choice.Values) && good
	judge := byzantine.Check
	if isClients {
		judge = byzantine.CheckClient
	}
	if err := judge(m.Choice, s.Replicas); err != nil && good {
		m.refuse(t, err)
	}
	return m, true
}

// take takes parameters from a table as behaviours read them, and reports whether that could be done.
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

// asText is a value as behaviours read it. Lists are separated by "+".
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

// refuse notes what a behaviour says of its parameters, in the line of the one that it is about.
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

// behaviour finds a behaviour of replicas or of clients, of those that are asked for first.
func behaviour(name string, ofClients bool) (isClients, known bool) {
	of := func(all []byzantine.Behaviour) bool {
		return slices.ContainsFunc(all, func(b byzantine.Behaviour) bool { return b.Name == name })
	}
	isReplicas, isClients := of(byzantine.Catalogue()), of(byzantine.ClientBehaviours())
	return isClients && (ofClients || !isReplicas), isReplicas || isClients
}

func behaviourNames() (names []string) {
	for _, b := range slices.Concat(byzantine.Catalogue(), byzantine.ClientBehaviours()) {
		names = append(names, b.Name)
	}
	return names
}
