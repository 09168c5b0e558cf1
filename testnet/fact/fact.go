// Package fact defines what a scenario can wait for: that a replica did a certain step of the protocol, such as "replica
// 2 executed 1".
//
// A Fact is a text. It is recognised in the stream of events that every replica makes (internal/trace), so both engines
// see the same facts. A Watch counts facts as they happen. The package does not know which engine runs, and reads no
// clock.
package fact

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"tagma/internal/nearest"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Fact is one step of one replica, or of any replica.
type Fact struct {
	Replica int // trace.None: any replica
	step    *step
	message wire.Type // of a message that is sent or received
	number  *uint64   // nil: any
	text    string
}

// step is one kind of fact about a replica.
type step struct {
	name string
	// The fact names a type of message; its number is the message's sequence number, or its view if it has none.
	message bool
	view    bool // its number is a view instead of a sequence number
	onwards bool // a higher number is enough: a replica that has executed 5 has also executed 3
	// reports whether an event is such a step, and returns its number; for messages it returns the message instead
	is func(trace.Event) (number uint64, about trace.Event, yes bool)
}

func phase(name string) func(trace.Event) (uint64, trace.Event, bool) {
	return func(e trace.Event) (uint64, trace.Event, bool) {
		p, is := e.(*trace.Phase)
		if !is || p.Phase != name {
			return 0, nil, false
		}
		return uint64(p.Seq), nil, true
	}
}

func view(name string) func(trace.Event) (uint64, trace.Event, bool) {
	return func(e trace.Event) (uint64, trace.Event, bool) {
		v, is := e.(*trace.View)
		if !is || v.Step != name {
			return 0, nil, false
		}
		return uint64(v.View), nil, true
	}
}

func checkpoint(name string) func(trace.Event) (uint64, trace.Event, bool) {
	return func(e trace.Event) (uint64, trace.Event, bool) {
		c, is := e.(*trace.Checkpoint)
		if !is || c.Step != name {
			return 0, nil, false
		}
		return uint64(c.Seq), nil, true
	}
}

var steps = []step{
	{name: "sent", message: true, is: func(e trace.Event) (uint64, trace.Event, bool) {
		_, is := e.(*trace.Sent)
		return 0, e, is
	}},
	{name: "received", message: true, is: func(e trace.Event) (uint64, trace.Event, bool) {
		_, is := e.(*trace.Received)
		return 0, e, is
	}},
	{name: "pre-prepared", is: phase(trace.PrePrepared)},
	{name: "prepared", is: phase(trace.Prepared)},
	{name: "committed", is: phase(trace.Committed)},
	{name: "executed", onwards: true, is: func(e trace.Event) (uint64, trace.Event, bool) {
		x, is := e.(*trace.Executed)
		if !is {
			return 0, nil, false
		}
		return uint64(x.Seq), nil, true
	}},
	{name: "checkpointed", onwards: true, is: checkpoint(trace.Taken)},
	{name: "stabilized", onwards: true, is: checkpoint(trace.Stable)},
	{name: "suspected", view: true, onwards: true, is: view(trace.Suspected)},
	{name: "entered", view: true, onwards: true, is: view(trace.Entered)},
}

// Steps returns the names of all kinds of facts about a replica.
func Steps() (names []string) {
	for _, s := range steps {
		names = append(names, s.name)
	}
	return names
}

// Parse reads a fact of a cluster of n replicas: "replica 2 executed 1", "any replica sent view-change", "replica 1 sent
// commit 5". The error says in one sentence what is wrong with it.
func Parse(text string, n int) (f Fact, err error) {
	words := strings.Fields(text)
	f = Fact{Replica: trace.None, text: strings.Join(words, " ")}
	const like = `write it like "replica 2 executed 1" or "any replica sent view-change"`
	if len(words) < 3 || (words[0] == "any") == (words[0] == "replica") || words[0] == "any" && words[1] != "replica" {
		return f, fmt.Errorf("%q is no fact; %s", text, like)
	}
	if words[0] == "replica" {
		if f.Replica, err = strconv.Atoi(words[1]); err != nil {
			return f, fmt.Errorf("%q is no fact; %s", text, like)
		}
		if f.Replica < 0 || f.Replica >= n {
			return f, fmt.Errorf("there is no replica %d; there are 0 to %d", f.Replica, n-1)
		}
	}
	name, rest := words[2], words[3:]
	i := slices.IndexFunc(steps, func(s step) bool { return s.name == name })
	if i < 0 {
		return f, fmt.Errorf("there is no step %q;%s there is %s", name, meant(name, Steps()), strings.Join(Steps(), ", "))
	}
	if f.step = &steps[i]; f.step.message {
		if len(rest) == 0 {
			return f, fmt.Errorf("%q does not say what was %s; write for instance \"%s view-change\"", text, name, name)
		}
		var known bool
		if f.message, known = wire.ParseType(rest[0]); !known {
			return f, fmt.Errorf("there is no type of message %q;%s docs/wire.md has them all", rest[0], meant(rest[0], messages()))
		}
		rest = rest[1:]
	}
	switch {
	case len(rest) > 1:
		return f, fmt.Errorf("%q says too much after %q; %s", text, words[3], like)
	case len(rest) == 1:
		number, err := strconv.ParseUint(rest[0], 10, 64)
		if err != nil {
			return f, fmt.Errorf("%q must end with a number, and not with %q", text, rest[0])
		}
		f.number = &number
	}
	return f, nil
}

// messages names the types of messages.
func messages() (names []string) {
	for t := range 1 << 8 {
		if name := wire.Type(t).String(); name != "" {
			if _, known := wire.ParseType(name); known {
				names = append(names, name)
			}
		}
	}
	return names
}

// meant returns the most similar one of some words as a part of a sentence, or "" if none is similar.
func meant(word string, known []string) string {
	if near := nearest.To(word, known); near != "" {
		return fmt.Sprintf(" did you mean %s?", near)
	}
	return ""
}

// String returns the fact as it was written, which identifies it.
func (f Fact) String() string { return f.text }

// Is reports whether an event is the fact.
func (f Fact) Is(e trace.Event) bool {
	at := trace.Of(e).Replica
	if f.step == nil || at == trace.None || f.Replica != trace.None && f.Replica != at {
		return false
	}
	number, about, yes := f.step.is(e)
	if !yes {
		return false
	}
	if f.step.message {
		m := trace.About(about)
		if m == nil || wire.TypeOf(m) != f.message {
			return false
		}
		number = numberOf(m)
	}
	return f.number == nil || number == *f.number || f.step.onwards && number > *f.number
}

// numberOf returns the sequence number that a message is about, or its view if it is about none.
func numberOf(m wire.Message) uint64 {
	if seq := tamper.SeqOf(m); seq > 0 {
		return uint64(seq)
	}
	v, _ := tamper.ViewOf(m)
	return uint64(v)
}

// Watch counts facts as they happen. A nil Watch watches nothing. Its methods may be called from any goroutine.
type Watch struct {
	facts []Fact
	mu    sync.Mutex
	seen  map[string]int
}

// NewWatch returns a watch of some facts, nil if there are none.
func NewWatch(facts []Fact) *Watch {
	if len(facts) == 0 {
		return nil
	}
	return &Watch{facts: facts, seen: make(map[string]int)}
}

// Hear takes an event.
func (w *Watch) Hear(e trace.Event) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.facts {
		if f.Is(e) {
			w.seen[f.text]++
		}
	}
}

// Seen counts how often each fact has happened, by its text.
func (w *Watch) Seen() map[string]int {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.seen)
}

// Happened reports whether a fact has.
func (w *Watch) Happened(f Fact) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[f.text] > 0
}
