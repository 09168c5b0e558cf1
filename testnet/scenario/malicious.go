package scenario

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
)

// parameter is one setting of a behaviour, of replicas or of clients.
type parameter = byzantine.Parameter

// readMalicious takes all attackers.
func (s *Scenario) readMalicious(t *table) {
	seen := map[string]int{}
	for _, in := range t.tables("malicious") {
		m, ok := s.readAttacker(in)
		if !ok {
			continue
		}
		who := m.Who()
		if line, twice := seen[who+m.Choice.Name]; twice {
			in.refuse(in.at(), "%s is %s in line %d already; make one entry of the two", who, m.Choice.Name, line)
		}
		seen[who+m.Choice.Name] = in.at()
		s.Malicious = append(s.Malicious, m)
	}
}

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

// readAttacker takes one attacker. Whatever is not a key of the entry itself is a parameter of its behaviour.
func (s *Scenario) readAttacker(t *table) (m Malicious, ok bool) {
	m = Malicious{Line: t.at(), Choice: byzantine.Choice{Name: t.text("behaviour"), Values: map[string]string{}}}
	asClient := t.has("client") && !t.has("replica")
	parameters, isClients, known := behaviour(m.Choice.Name, asClient)
	if !known {
		names := behaviourNames()
		t.refuse(t.line("behaviour"), "there is no behaviour %q;%s `tagma-testnet behaviours` lists them all",
			m.Choice.Name, meant(m.Choice.Name, names))
		return m, false
	}
	party, other, most := "replica", "client", s.Replicas-1
	if isClients {
		party, other, most = "client", "replica", 2*maxClients
	}
	if !t.has(party) {
		t.refuse(t.at(), "%s is a behaviour of %ss; write %s = 0", m.Choice.Name, party, party)
		return m, false
	}
	number := typed(t, party, "a whole number", int64(0))
	if number < 0 || number > int64(most) {
		t.refuse(t.line(party), "there is no %s %d; there are 0 to %d", party, number, most)
		return m, false
	}
	if isClients {
		m.Client = new(int(number))
	} else {
		m.Replica = wire.ReplicaID(number)
	}
	m.From, m.Until = t.since("from", 0), t.since("until", 0)
	if t.has("until") && m.Until <= m.From {
		t.refuse(t.line("until"), "until = %v is not after from = %v", m.Until, m.From)
	}
	names := make([]string, len(parameters))
	for i, p := range parameters {
		names[i] = p.Name
	}
	s.readParameters(t, &m, names, other)
	before := len(t.wrong)
	if err := s.judge(&m); err != nil && before == len(t.wrong) {
		t.refuse(t.line(parameterIn(err, names)), "%s: %s `tagma-testnet behaviours` explains it", m.Choice.Name, trimmed(err, m.Choice.Name))
	}
	return m, true
}

func (s *Scenario) readParameters(t *table, m *Malicious, names []string, other string) {
	// A parameter with the name of one of the entry's own keys is written into a table of its own.
	apart, _ := t.below("parameters")
	for _, in := range []*table{t, apart} {
		for _, key := range slices.Sorted(maps.Keys(in.values)) {
			if !slices.Contains(in.known, key) {
				s.readParameter(in, m, key, names, other)
			}
		}
	}
}

func (s *Scenario) readParameter(t *table, m *Malicious, key string, names []string, other string) {
	if !slices.Contains(names, key) {
		if key == other {
			t.refuse(t.line(key), "%s is not a behaviour of a %s; leave out %s", m.Choice.Name, other, other)
			return
		}
		there := "it has none"
		if len(names) > 0 {
			there = "there is " + strings.Join(names, ", ")
		}
		candidates := append([]string{"from", "until", "behaviour"}, names...)
		t.refuse(t.line(key), "%s has no parameter %q;%s %s", m.Choice.Name, key, meant(key, candidates), there)
		return
	}
	text, ok := asText(t.values[key])
	if !ok {
		t.mistyped(key, "text, a number, true, false, or a list of those")
		return
	}
	m.Choice.Values[key] = text
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

// trimmed is an error in one line, ready to be continued, without the behaviour's name in front, which is there already.
func trimmed(err error, name string) string {
	var unknown *byzantine.UnknownError
	if errors.As(err, &unknown) {
		return unknown.Error() + ";" + meant(unknown.Name, unknown.Known)
	}
	return oneLine(strings.TrimPrefix(err.Error(), "behaviour "+name+": ")) + ";"
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
func behaviour(name string, ofClients bool) (parameters []parameter, isClients, known bool) {
	var found [2][]parameter
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
