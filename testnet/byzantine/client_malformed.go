package byzantine

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"tagma/pbft"
)

// malformations reads a list of malformations.
func (v values) malformations(name string) ([]Malformation, error) {
	if v[name] == all {
		return Malformations(), nil
	}
	var kinds []Malformation
	for word := range strings.SplitSeq(v[name], "+") {
		known := false
		var names []string
		for _, k := range Malformations() {
			known = known || string(k) == word
			names = append(names, string(k))
		}
		if !known {
			return nil, &UnknownError{What: "value of " + name, Name: word, Known: append(names, all)}
		}
		kinds = append(kinds, Malformation(word))
	}
	return kinds, nil
}

// malformer makes one from the parameters kinds, bytes and seed.
func (v values) malformer() (*Malformer, error) {
	kinds, err := v.malformations("kinds")
	if err != nil {
		return nil, err
	}
	most, err := v.number("bytes")
	if err != nil {
		return nil, err
	}
	if most < 256 || most > pbft.MaxFrame {
		return nil, fmt.Errorf("bytes: %d is outside 256 to %d", most, pbft.MaxFrame)
	}
	seed, err := v.number("seed")
	return NewMalformer(seed, int(most), kinds...), err
}

// malformedParameters are common to clients and replicas that send what is no message.
var malformedParameters = []Parameter{
	{"kinds", all, "what is wrong with them, such as entries+truncated: entries, nesting, truncated, trailing, flipped, noise, extreme"},
	{"bytes", "65536", "length of the longest, 256 to 16777216; a client's link takes 4194304"},
	{"seed", "0", "decides which ones"},
}

// malformedClient sends what no decoder may believe, or choke on (S4).
var malformedClient = ClientBehaviour{
	Name:       "malformed",
	Summary:    "sends frames that are no message: lists of a million entries, deep nesting, cut short, bits turned",
	Bound:      "memory is bounded, and its link is dropped",
	Parameters: append([]Parameter{{"every", "20ms", "time between two frames to each replica, a duration or a multiple of T"}}, malformedParameters...),
	build:      newBabbler,
}

type babbler struct {
	caller
	beat metronome
	made *Malformer
}

func newBabbler(v values, cfg ClientConfig, sign Sign) (Client, error) {
	c := &babbler{caller: newCaller(cfg, sign)}
	var err error
	if c.beat.every, err = v.delay("every", cfg.protocol()); err != nil {
		return nil, err
	}
	c.made, err = v.malformer()
	return c, err
}

// Tick sends every replica a frame of its own when it is time to.
func (c *babbler) Tick(now time.Duration) []Parcel {
	for range c.beat.beats(now) {
		for to := range c.Replicas {
			_, frame := c.made.Next()
			c.send(pbft.ReplicaID(to), true, frame)
		}
	}
	return c.flush()
}

// NewMalformerOf returns what makes the frames of the behaviour "malformed", of a replica or a client: one Malformer for
// each number.
func NewMalformerOf(c Choice) (func(number uint64) *Malformer, error) {
	v, err := fill(Choice{Name: c.Name, Values: without(c.Values, "every")}, malformedParameters)
	if err != nil {
		return nil, err
	}
	kinds, err := v.malformations("kinds")
	if err != nil {
		return nil, err
	}
	if _, err := v.malformer(); err != nil {
		return nil, err
	}
	most, _ := v.number("bytes") // malformer has read both
	seed, _ := v.number("seed")
	return func(number uint64) *Malformer { return NewMalformer(seed+number, int(most), kinds...) }, nil
}

// without is a copy of values without one of them.
func without(values map[string]string, name string) map[string]string {
	rest := maps.Clone(values)
	delete(rest, name)
	return rest
}
