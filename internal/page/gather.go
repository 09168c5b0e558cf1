package page

import (
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"

	"tagma/internal/trace"
)

// Gatherer collects the events of a replica until they are fetched. It never blocks, and has room for few events. Under
// load it takes only the events of one slot in so many, and counts the events that it leaves out.
type Gatherer struct {
	every  atomic.Uint64
	follow atomic.Int64 // a client's number plus 1; 0: none

	mu      sync.Mutex
	whole   [followed]uint64 // slots with requests of that client; a new one replaces the oldest
	next    int
	events  []trace.Event
	left    uint64 // events of slots that are not shown
	lost    uint64 // events for which there was no room
	counted uint64
}

// room is how many events a Gatherer holds.
const room = 1 << 14

// Every sets that the events of only one slot in n are taken.
func (g *Gatherer) Every(n uint64) { g.every.Store(max(n, 1)) }

// Follow makes the gatherer take all events about the requests of one client, whatever Every says. The client is given
// by its number.
func (g *Gatherer) Follow(client int) { g.follow.Store(int64(client) + 1) }

// followed is how many slots of a followed client are remembered. That is more slots than can be under way.
const followed = 64

// follows reports whether an event is about a request of the followed client. The mutex is held.
func (g *Gatherer) follows(e trace.Event, p trace.Place) bool {
	client := int(g.follow.Load()) - 1
	if client < 0 {
		return false
	}
	known := p.Ordered && slices.Contains(g.whole[:], p.Number)
	if known || !trace.Asks(e, client) {
		return known
	}
	if p.Ordered {
		g.whole[g.next%followed] = p.Number
		g.next++
	}
	return true
}

// Put takes an event. It may be called from any goroutine.
func (g *Gatherer) Put(e trace.Event) {
	every := g.every.Load()
	var p trace.Place
	if every > 1 {
		p = trace.PlaceOf(e)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, syncs := e.(*trace.Synced); syncs { // such an event happens in each turn, which would be too many
		g.counted++
		p = trace.Place{Number: g.counted}
	}
	switch {
	case every > 1 && p.Number%every != 0 && !g.follows(e, p):
		g.left++
	case len(g.events) >= room:
		g.lost++
	default:
		g.events = append(g.events, e)
	}
}

// Batch is what was gathered since the last fetch.
type Batch struct {
	Events  []Event `json:"events"`
	LeftOut uint64  `json:"left_out"` // not shown, to spare whoever looks
}

// Event is an event as a line, without its end.
type Event struct {
	At   int64           `json:"at"`
	Line json.RawMessage `json:"line"`
}

// Take returns at most so many events, the oldest first.
func (g *Gatherer) Take(most int) Batch {
	g.mu.Lock()
	n := min(most, len(g.events))
	taken := g.events[:n:n]
	g.events = g.events[n:]
	if len(g.events) == 0 {
		g.events = nil
	}
	b := Batch{LeftOut: g.left}
	lost := g.lost
	g.left, g.lost = 0, 0
	g.mu.Unlock()
	for _, e := range taken {
		if line, err := json.Marshal(e); err == nil {
			b.Events = append(b.Events, Event{trace.Of(e).At, line})
		}
	}
	if n > 0 && lost > 0 {
		gap := &trace.Lost{Stamp: trace.Of(taken[n-1]), Events: lost}
		gap.Event = gap.Kind()
		if line, err := json.Marshal(gap); err == nil {
			b.Events = append(b.Events, Event{gap.At, line})
		}
	}
	return b
}

// Sampled returns n if the events of one slot in n should be shown. It is given how many lines came in a second, how
// many may be shown, and the present n as was. n is a power of two, so that the slots of a larger n are also slots of a
// smaller one. It becomes smaller only if there is much room.
func Sampled(was uint64, lines, most float64) uint64 {
	every := uint64(1)
	for lines/float64(every) > most {
		every *= 2
	}
	if every < was && lines/float64(every) > most*2/3 {
		return was
	}
	return every
}
