package tamper

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The words that lists may contain: all, and, for lists of receivers, clients. Entries of a list are separated by "+",
// because "," separates parameters.
const (
	All     = "all"
	clients = "clients"
)

// Onset says when an attacker begins: it is honest before its first message about this sequence number or a later one.
type Onset struct {
	at    wire.Seq
	begun bool
}

func (o *Onset) read(f *field, text string) error {
	at, err := f.seq(text)
	*o = Onset{at: at, begun: at == 0}
	return err
}

// Reached records that the attacker sends a message about a sequence number, and reports whether the attack has begun.
func (o *Onset) Reached(seq wire.Seq) bool {
	o.begun = o.begun || seq >= o.at
	return o.begun
}

// Begun reports whether the attacker has begun.
func (o *Onset) Begun() bool { return o.begun }

// Types is a list of message types. The zero value holds all.
type Types struct{ only []wire.Type }

// Only is a list of these types.
func Only(types ...wire.Type) Types { return Types{types} }

func (t *Types) read(f *field, text string) error {
	if text == All {
		return nil
	}
	for word := range strings.SplitSeq(text, "+") {
		one, known := wire.ParseType(word)
		if !known {
			return f.wrong("%q is not a message type; write %q, or types such as prepare+commit", word, All)
		}
		t.only = append(t.only, one)
	}
	return nil
}

// Has reports whether a type is in the list.
func (t *Types) Has(one wire.Type) bool { return t.only == nil || slices.Contains(t.only, one) }

// Peers is a list of replicas and clients, or one of the words that its parameter allows. The zero value is empty.
type Peers struct {
	Word           string // "" for a list
	everybody      bool
	includesClient bool
	replicas       []wire.ReplicaID
}

// Everybody returns the list of all.
func Everybody() Peers { return Peers{everybody: true} }

func (p *Peers) read(f *field, text string) error {
	switch {
	case text == All:
		p.everybody = true
		return nil
	case slices.Contains(f.Words, text):
		p.Word = text
		return nil
	}
	for word := range strings.SplitSeq(text, "+") {
		if word == clients {
			p.includesClient = true
			continue
		}
		id, err := f.replica(word, `destination; write "all", or replicas and "clients" such as 1+2+clients`)
		if err != nil {
			return err
		}
		p.replicas = append(p.replicas, id)
	}
	return nil
}

// replica parses the number of a replica. If the cluster is known, the replica must be in it. The argument what is used
// in the error.
func (f *field) replica(text, what string) (wire.ReplicaID, error) {
	id, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, f.wrong("%q is no %s", text, what)
	}
	if f.cfg != nil && f.cfg.N() > 0 && id >= uint64(f.cfg.N()) {
		return 0, f.wrong("there is no replica %d; there are 0 to %d", id, f.cfg.N()-1)
	}
	return wire.ReplicaID(id), nil
}

// Has reports whether a replica or a client is in the list.
func (p *Peers) Has(who port.Source) bool {
	return p.everybody || who.Client && p.includesClient || !who.Client && slices.Contains(p.replicas, who.Replica)
}

// Replica reports whether a replica is in the list.
func (p *Peers) Replica(id wire.ReplicaID) bool { return p.Has(port.Source{Replica: id}) }

// List is a list of words that its parameter allows.
type List []string

func (l *List) read(f *field, text string) error {
	if *l = f.Words; text == All {
		return nil
	}
	*l = strings.Split(text, "+")
	for _, word := range *l {
		if !slices.Contains(f.Words, word) {
			return &UnknownError{What: "value of " + f.Name, Name: word, Known: append(slices.Clone(f.Words), All)}
		}
	}
	return nil
}

// Has reports whether a word is in the list.
func (l List) Has(word string) bool { return slices.Contains(l, word) }

// Dice makes random choices from a seed. Behaviours with different stream tags make different choices from the same
// seed.
type Dice struct{ *rand.Rand }

func (d *Dice) read(f *field, text string) error {
	seed, err := f.number(text)
	stream, _ := strconv.ParseUint(f.tag.Get("stream"), 0, 64)
	d.Rand = rand.New(rand.NewPCG(seed, stream))
	return err
}

// Strikes returns true with a probability.
func (d *Dice) Strikes(probability float64) bool {
	return probability >= 1 || d.Float64() < probability
}

// Pace says how often something happens. Its parameter is the time between two occurrences, or, with a rate tag, how
// many there are in a second; 0 means none.
type Pace struct{ every, last time.Duration }

func (p *Pace) read(f *field, text string) (err error) {
	if f.tag.Get("rate") == "" {
		p.every, err = f.delay(text)
		return err
	}
	n, err := f.number(text)
	if n > 0 {
		p.every = time.Second / time.Duration(n)
	}
	return err
}

// Never reports whether it never happens.
func (p *Pace) Never() bool { return p.every == 0 }

// mostAtOnce bounds how many missed occurrences Due returns after a long time.
const mostAtOnce = 1 << 12

// Due returns how many occurrences have become due since the last call.
func (p *Pace) Due(now time.Duration) int {
	if p.Never() {
		return 0
	}
	n := (now - p.last) / p.every
	p.last += n * p.every
	return int(min(n, mostAtOnce))
}

// Backup is a replica other than the attacker. If the parameter is not given, it is the last one.
type Backup wire.ReplicaID

func (b *Backup) read(f *field, text string) error {
	if text == "" {
		if f.cfg != nil {
			if *b = Backup(f.cfg.N() - 1); wire.ReplicaID(*b) == f.cfg.Self {
				*b--
			}
		}
		return nil
	}
	id, err := f.replica(text, "replica; write its number")
	*b = Backup(id)
	return err
}
