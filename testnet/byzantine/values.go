package byzantine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"tagma/pbft"
)

// values holds every parameter of a behaviour. Its methods read them strictly; an error names the parameter and what
// may stand there.
type values map[string]string

// all stands for everything in a list. Lists are separated by "+", since "," separates parameters.
const all = "all"

// seq reads a sequence number.
func (v values) seq(name string) (pbft.Seq, error) {
	n, err := strconv.ParseUint(v[name], 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a sequence number", name, v[name])
	}
	return pbft.Seq(n), nil
}

// probability reads a number above 0, up to 1.
func (v values) probability(name string) (float64, error) {
	p, err := strconv.ParseFloat(v[name], 64)
	if err != nil || !(p > 0 && p <= 1) {
		return 0, fmt.Errorf("%s: %q is not a number above 0 and up to 1", name, v[name])
	}
	return p, nil
}

// luck decides what is a matter of chance.
type luck struct {
	chance float64
	dice   *rand.Rand
}

// strikes reports whether it is to happen this time.
func (l luck) strikes() bool { return l.chance >= 1 || l.dice.Float64() < l.chance }

// luck reads the parameters probability and seed. Behaviours with streams of their own draw differently from one seed.
func (v values) luck(stream uint64) (luck, error) {
	chance, err := v.probability("probability")
	if err != nil {
		return luck{}, err
	}
	seed, err := v.number("seed")
	return luck{chance, rand.New(rand.NewPCG(seed, stream))}, err
}

// number reads a whole number.
func (v values) number(name string) (uint64, error) {
	n, err := strconv.ParseUint(v[name], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a whole number", name, v[name])
	}
	return n, nil
}

// oneOf reads a word.
func (v values) oneOf(name string, words ...string) (string, error) {
	if !slices.Contains(words, v[name]) {
		return "", &UnknownError{What: "value of " + name, Name: v[name], Known: words}
	}
	return v[name], nil
}

// types reads a list of message types and returns whether one is in it.
func (v values) types(name string) (func(pbft.Type) bool, error) {
	if v[name] == all {
		return func(pbft.Type) bool { return true }, nil
	}
	listed := make(map[pbft.Type]bool)
	for word := range strings.SplitSeq(v[name], "+") {
		t, known := pbft.ParseType(word)
		if !known {
			return nil, fmt.Errorf("%s: %q is not a message type; write %q, or types such as prepare+commit", name, word, all)
		}
		listed[t] = true
	}
	return func(t pbft.Type) bool { return listed[t] }, nil
}

// clients stands for the clients in a list of destinations.
const clients = "clients"

// destinations is whom a behaviour is directed at.
type destinations struct {
	everybody, clients bool
	replicas           map[pbft.ReplicaID]bool
}

func (d *destinations) replica(id pbft.ReplicaID) bool { return d.everybody || d.replicas[id] }
func (d *destinations) client() bool                   { return d.everybody || d.clients }

// destinations reads a list of replicas. Cfg is nil while values are only judged.
func (v values) destinations(name string, cfg *pbft.Config) (*destinations, error) {
	d := &destinations{everybody: v[name] == all, replicas: make(map[pbft.ReplicaID]bool)}
	if d.everybody {
		return d, nil
	}
	for word := range strings.SplitSeq(v[name], "+") {
		if word == clients {
			d.clients = true
			continue
		}
		id, err := strconv.ParseUint(word, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no destination; write %q, or replicas and %q such as 1+2+%s",
				name, word, all, clients, clients)
		}
		if cfg != nil && id >= uint64(cfg.N()) {
			return nil, fmt.Errorf("%s: there is no replica %d; there are 0 to %d", name, id, cfg.N()-1)
		}
		d.replicas[pbft.ReplicaID(id)] = true
	}
	return d, nil
}

// delay reads a positive duration, or a multiple of the view timeout T such as "0.9T". Cfg is nil while values are only
// judged.
func (v values) delay(name string, cfg *pbft.Config) (time.Duration, error) {
	const longest = float64(24 * time.Hour)
	factor, relative := strings.CutSuffix(v[name], "T")
	if !relative {
		d, err := time.ParseDuration(v[name])
		if err != nil || d <= 0 {
			return 0, fmt.Errorf("%s: %q is not a duration such as 200ms, nor a multiple of the view timeout such as 0.9T", name, v[name])
		}
		return d, nil
	}
	f, err := strconv.ParseFloat(factor, 64)
	if err != nil || !(f > 0) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%s: %q is not a multiple of the view timeout such as 0.9T", name, v[name])
	}
	timeout := pbft.DefaultViewTimeout
	if cfg != nil {
		timeout = cfg.ViewTimeout
	}
	return time.Duration(min(f*float64(timeout), longest)), nil
}
