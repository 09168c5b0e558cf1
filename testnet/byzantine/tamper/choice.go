package tamper

import (
	"fmt"
	"slices"
	"strings"

	"tagma/pbft/wire"
)

// Sign signs with the attacker's own key.
type Sign func([]byte) wire.Signature

// Behaviour is one way to misbehave. It is an entry of a catalogue.
type Behaviour struct {
	Name       string      `json:"name"`
	Model      Model       `json:"model"`
	Summary    string      `json:"summary"` // one line
	Bound      string      `json:"bound"`   // what the cluster still achieves, beside safety; T is the view timeout
	Parameters []Parameter `json:"parameters"`

	make func() any // makes a struct that declares the parameters; its fields are not set yet
}

// orders holds the names of the parameters of each behaviour, in order.
var orders = map[string][]string{}

// Describe makes an entry of a catalogue from a struct whose tags declare its parameters.
func Describe[T any](name string, model Model, summary, bound string) Behaviour {
	b := Behaviour{Parameters: Parameters(new(T)), make: func() any { return new(T) }}
	return b.Called(name, model, summary, bound)
}

// Called returns the same behaviour under another name.
func (b Behaviour) Called(name string, model Model, summary, bound string) Behaviour {
	b.Name, b.Model, b.Summary, b.Bound = name, model, summary, bound
	orders[name] = names(b.Parameters)
	return b
}

// Make returns the struct of the chosen behaviour of a catalogue, with its values. For a name that does not exist the
// error is an *UnknownError, in which kind says what was asked for. If the values are only to be checked, cfg is nil.
func Make(catalogue []Behaviour, kind string, c Choice, cfg *wire.Config) (any, error) {
	i := slices.IndexFunc(catalogue, func(b Behaviour) bool { return b.Name == c.Name })
	if i < 0 {
		e := &UnknownError{What: kind, Name: c.Name}
		for _, b := range catalogue {
			e.Known = append(e.Known, b.Name)
		}
		return nil, e
	}
	made := catalogue[i].make()
	return made, Bind(made, c, cfg)
}

// UnknownError says that a behaviour, a parameter of a behaviour, or a word as its value does not exist.
type UnknownError struct {
	What  string   // "behaviour", "parameter of …" or "value of …"
	Name  string   // that was asked for
	Known []string // what there is
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no %s %q; there is %s", e.What, e.Name, strings.Join(e.Known, ", "))
}

// Choice is a behaviour with values for some of its parameters, as a user chose them.
type Choice struct {
	Name   string
	Values map[string]string // by parameter; a parameter that is missing has its default
}

// Split parses "name" or "name,parameter=value,…". It does not check that the behaviour exists.
func Split(text string) (Choice, error) {
	parts := strings.Split(text, ",")
	c := Choice{Name: parts[0], Values: make(map[string]string, len(parts)-1)}
	for _, p := range parts[1:] {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			return Choice{}, fmt.Errorf("behaviour %s: %q has no value; write parameter=value", c.Name, p)
		}
		if _, twice := c.Values[name]; twice {
			return Choice{}, fmt.Errorf("behaviour %s: parameter %s is given twice; give it once", c.Name, name)
		}
		c.Values[name] = value
	}
	return c, nil
}

// Suggest lists how a choice from a catalogue can continue: with names, then with parameters that are not given yet,
// then with the words that are allowed as values.
func Suggest(given string, catalogue []Behaviour) (all []string) {
	parts := strings.Split(given, ",")
	last := parts[len(parts)-1]
	before := strings.TrimSuffix(given, last)
	for _, b := range catalogue {
		switch {
		case len(parts) == 1:
			all = append(all, b.Name)
		case b.Name == parts[0]:
			for _, p := range b.Parameters {
				again := slices.ContainsFunc(parts[1:len(parts)-1], func(part string) bool { return strings.HasPrefix(part, p.Name+"=") })
				switch {
				case strings.HasPrefix(last, p.Name+"="):
					for _, w := range p.Words {
						all = append(all, before+p.Name+"="+w)
					}
				case !again && !strings.Contains(last, "="):
					all = append(all, before+p.Name+"=")
				}
			}
		}
	}
	return all
}

// String returns the text that Split parses. The parameters are in the order of the catalogue.
func (c Choice) String() string {
	text := c.Name
	for _, name := range orders[c.Name] {
		if v, given := c.Values[name]; given {
			text += "," + name + "=" + v
		}
	}
	return text
}

// Model is one of the four classical failure models, from the mildest to the worst: each includes those before it.
type Model string

// The failure models.
const (
	Crash     Model = "crash"     // a part stops, and may start again
	Omission  Model = "omission"  // some of the messages that a part sends or should receive are lost
	Timing    Model = "timing"    // a part does the right things at the wrong time
	Byzantine Model = "Byzantine" // a part does anything that its key allows
)

// Models lists the failure models, the mildest first.
func Models() []Model { return []Model{Crash, Omission, Timing, Byzantine} }

// Summary says in one line what a faulty part may do under the model.
func (m Model) Summary() string {
	return map[Model]string{
		Crash:     "it stops, and may come back",
		Omission:  "some of what it sends or should hear is lost: send, receive and channel omission",
		Timing:    "what it does is right, at the wrong time",
		Byzantine: "it does anything that its key allows",
	}[m]
}

// Rank is the position of a model in that order.
func (m Model) Rank() int { return slices.Index(Models(), m) }
