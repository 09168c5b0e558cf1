package byzantine

import (
	"fmt"
	"strings"

	"tagma/pbft"
)

// Core is what an attacker wraps, and what it looks like to a driver.
type Core interface {
	pbft.Actor
	// Anchor returns the records that a journal segment begins with (D9).
	Anchor() []pbft.Record
}

// Sign signs with the attacker's own key.
type Sign func([]byte) pbft.Signature

// Parameter is one setting of a behaviour.
type Parameter struct {
	Name    string
	Default string
	Summary string // one line
}

// Behaviour is one way in which a replica misbehaves.
type Behaviour struct {
	Name       string
	Model      Model
	Summary    string // one line
	Bound      string // what the cluster keeps up in spite of it, beside safety; T is the view timeout
	Parameters []Parameter

	build  func(values, seat) (Core, error)
	frames func(values) (spoiler, error) // nil: it leaves frames alone
}

// catalogue is sorted by name.
var catalogue = []Behaviour{
	badNewView, censor, clockSkew, collude, corrupt, crash, equivocate, exhaust, forgedCertificates, lyingCheckpoint, lyingReply,
	lyingStatus, lyingViewChange, malformed, mutate, oldViewChange, outrun, poisonTransfer, receiveOmission, replay,
	replayedRequests, sendOmission, sequenceAbuse, silent, slow, slowBackup, slowPrimary, twins, viewChangeStorm,
}

// Catalogue lists all behaviours by name.
func Catalogue() []Behaviour { return append([]Behaviour(nil), catalogue...) }

// UnknownError names a behaviour, a behaviour's parameter, or a word as its value, that does not exist.
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
	Values map[string]string // by parameter; what is missing has its default
}

// ParseChoice reads "name" or "name,parameter=value,…". What does not exist is an *UnknownError.
func ParseChoice(text string) (Choice, error) {
	c, err := SplitChoice(text)
	if err == nil {
		_, _, err = c.resolve()
	}
	return c, err
}

// SplitChoice reads "name" or "name,parameter=value,…" without asking whether there is such a behaviour.
func SplitChoice(text string) (Choice, error) {
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

// String is what ParseChoice reads. Parameters are in the catalogue's order.
func (c Choice) String() string {
	text := c.Name
	b, _, err := c.resolve()
	if err != nil {
		return text
	}
	for _, p := range b.Parameters {
		if v, given := c.Values[p.Name]; given {
			text += "," + p.Name + "=" + v
		}
	}
	return text
}

// Check reports whether the choice suits a cluster of so many replicas: whether those that it names are in it.
func (c Choice) Check(replicas int) error {
	_, err := New(c, &pbft.Config{Members: make([]pbft.PublicKey, replicas)}, nil, nil)
	return err
}

// New puts an attacker around a core. It signs its lies itself, since a driver signs what is broadcast only. At most one
// Options is given.
func New(c Choice, cfg *pbft.Config, core Core, sign Sign, options ...Options) (Core, error) {
	b, v, err := c.resolve()
	if err != nil {
		return nil, err
	}
	at := seat{cfg: cfg, core: core, sign: sign}
	if len(options) > 0 {
		at.opt = options[0]
	}
	attacker, err := b.build(v, at)
	if err != nil {
		return nil, fmt.Errorf("behaviour %s: %w", b.Name, err)
	}
	return attacker, nil
}

// resolve finds the behaviour and fills in its defaults.
func (c Choice) resolve() (Behaviour, values, error) {
	var names []string
	for _, b := range catalogue {
		if b.Name == c.Name {
			v, err := fill(c, b.Parameters)
			if err != nil {
				return b, nil, err
			}
			// Built around nothing, a behaviour only judges its values.
			if _, err := b.build(v, seat{}); err != nil {
				return b, nil, fmt.Errorf("behaviour %s: %w", b.Name, err)
			}
			return b, v, nil
		}
		names = append(names, b.Name)
	}
	return Behaviour{}, nil, &UnknownError{What: "behaviour", Name: c.Name, Known: names}
}

// fill has every parameter, with its default where the choice has no value. A parameter that does not exist is an error.
func fill(c Choice, parameters []Parameter) (values, error) {
	v := make(values, len(parameters))
	var names []string
	for _, p := range parameters {
		v[p.Name] = p.Default
		names = append(names, p.Name)
	}
	for name, value := range c.Values {
		if _, known := v[name]; !known {
			return nil, &UnknownError{What: "parameter of " + c.Name, Name: name, Known: names}
		}
		v[name] = value
	}
	return v, nil
}
