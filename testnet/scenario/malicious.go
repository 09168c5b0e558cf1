package scenario

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	parameters, isClients, known := behaviour(a.Behaviour, t.Has("client") && !t.Has("replica"))
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
	names := make([]string, len(parameters))
	for i, p := range parameters {
		names[i] = p.Name
	}
	good := takeParameters(t, &m, names, a.Beside)
	good = takeParameters(t.Below("parameters"), &m, names, a.Parameters) && good
	if err := s.judge(&m); err != nil && good {
		t.Refuse(parameterIn(err, names), "%s: %s `tagma-testnet behaviours` explains it", a.Behaviour, trimmed(err, a.Behaviour))
	}
	return m, true
}

// takeParameters takes parameters of a behaviour from a table, and reports whether it has them all.
func takeParameters(t *strict.Table, m *Malicious, names []string, given map[string]any) (good bool) {
	good = true
	for _, key := range slices.Sorted(maps.Keys(given)) {
		text, ok := asText(given[key])
		switch {
		case !slices.Contains(names, key):
			there := "it has none"
			if len(names) > 0 {
				there = "there is " + strings.Join(names, ", ")
			}
			candidates := append([]string{"from", "until", "behaviour"}, names...)
			t.Refuse(key, "%s has no such parameter;%s %s", m.Choice.Name, strict.Meant(key, candidates), there)
			good = false
		case !ok:
			t.Refuse(key, "must be text, a number, true, false, or a list of those")
			good = false
		default:
			m.Choice.Values[key] = text
		}
	}
	return good
}

// asText is a value as behaviours read it. Lists are separated by "+".
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			if _, nested := e.([]any); nested {
				return "", false
			}
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

// judge asks the behaviour whether its parameters are good.
func (s *Scenario) judge(m *Malicious) error {
	if m.Client != nil {
		return byzantine.CheckClient(m.Choice, s.Replicas)
	}
	return byzantine.Check(m.Choice, s.Replicas)
}

// trimmed is an error, ready to be continued, without the behaviour's name in front, which is there already.
func trimmed(err error, name string) string {
	var unknown *byzantine.UnknownError
	if errors.As(err, &unknown) {
		return unknown.Error() + ";" + strict.Meant(unknown.Name, unknown.Known)
	}
	return strings.TrimPrefix(err.Error(), "behaviour "+name+": ") + ";"
}

// parameterIn is the parameter that an error is about: errors of behaviours begin with it.
func parameterIn(err error, names []string) string {
	for _, name := range names {
		if strings.Contains(err.Error(), name+": ") || strings.Contains(err.Error(), "value of "+name) {
			return name
		}
	}
	return "behaviour"
}

// behaviour finds a behaviour of replicas or of clients, of those that are asked for first.
func behaviour(name string, ofClients bool) (parameters []byzantine.Parameter, isClients, known bool) {
	var found [2][]byzantine.Parameter
	var is [2]bool
	for _, b := range byzantine.Catalogue() {
		if b.Name == name {
			found[0], is[0] = b.Parameters, true
		}
	}
	for _, b := range byzantine.ClientBehaviours() {
		if b.Name == name {
			found[1], is[1] = b.Parameters, true
		}
	}
	if is[1] && (ofClients || !is[0]) {
		return found[1], true, true
	}
	return found[0], false, is[0]
}

func behaviourNames() (names []string) {
	for _, b := range byzantine.Catalogue() {
		names = append(names, b.Name)
	}
	for _, b := range byzantine.ClientBehaviours() {
		names = append(names, b.Name)
	}
	return names
}
