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

// The words of lists: everything, and the clients among destinations. Lists are separated by "+", since "," separates
// parameters.
const (
	All     = "all"
	clients = "clients"
)

// Onset is when an attacker begins: it is honest until it first speaks of a sequence number, and then no more.
type Onset struct {
	at    wire.Seq
	begun bool
}

func (o *Onset) read(f *field, text string) error {
	at, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return f.wrong("%q is not a sequence number", text)
	}
	*o = Onset{at: wire.Seq(at), begun: at == 0}
	return nil
}

// Reached reports whether it has begun, now that it speaks of a sequence number.
func (o *Onset) Reached(seq wire.Seq) bool {
	o.begun = o.begun || seq >= o.at
	return o.begun
}

// Begun reports whether it has begun.
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

// Peers is a list of replicas and clients, or one of the words that a parameter has besides. The zero value holds nobody.
type Peers struct {
	Word           string // "" for a list
	everybody      bool
	includesClient bool
	replicas       []wire.ReplicaID
}

// Everybody is the list of all.
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
		id, err := strconv.ParseUint(word, 10, 16)
		if err != nil {
			return f.wrong("%q is no destination; write %q, or replicas and %q such as 1+2+%s", word, All, clients, clients)
		}
		if f.cfg != nil && f.cfg.N() > 0 && id >= uint64(f.cfg.N()) {
			return f.wrong("there is no replica %d; there are 0 to %d", id, f.cfg.N()-1)
		}
		p.replicas = append(p.replicas, wire.ReplicaID(id))
	}
	return nil
}

// Has reports whether a replica or a client is in the list.
func (p *Peers) Has(who port.Source) bool {
	return p.everybody || who.Client && p.includesClient || !who.Client && slices.Contains(p.replicas, who.Replica)
}

// Replica reports whether a replica is in the list.
func (p *Peers) Replica(id wire.ReplicaID) bool { return p.Has(port.Source{Replica: id}) }

// List is a list of words, those of its parameter.
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

// Dice decides what is a matter of chance, by a seed. Behaviours with a stream tag draw differently from one seed.
type Dice struct{ *rand.Rand }

func (d *Dice) read(f *field, text string) error {
	seed, err := f.number(text)
	stream, _ := strconv.ParseUint(f.tag.Get("stream"), 0, 64)
	d.Rand = rand.New(rand.NewPCG(seed, stream))
	return err
}

// Strikes reports whether something of this probability is to happen this time.
func (d *Dice) Strikes(probability float64) bool {
	return probability >= 1 || d.Float64() < probability
}

// Rate is a number of things a second, as the time between two of them; 0: none.
type Rate time.Duration

// mostPerSecond bounds a rate: beyond it there would be no time between two.
const mostPerSecond = 1_000_000

func (r *Rate) read(f *field, text string) error {
	n, err := f.number(text)
	if err != nil || n == 0 {
		return err
	}
	if n > mostPerSecond {
		return f.wrong("%d is above %d a second", n, mostPerSecond)
	}
	*r = Rate(time.Second / time.Duration(n))
	return nil
}

// Backup is a replica that is not the attacker: the last such one if none is named.
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
	id, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return f.wrong("%q is no replica; write its number", text)
	}
	if f.cfg != nil && id >= uint64(f.cfg.N()) {
		return f.wrong("there is no replica %d; there are 0 to %d", id, f.cfg.N()-1)
	}
	*b = Backup(id)
	return nil
}
