// Package trace represents what happens in a replica and around it as a stream of typed events.
//
// A Tap makes events: it observes a driver, and the code that runs the replica tells it of everything else. Listeners
// get each event as it happens. They can be added and removed at any time, and while there is none, no event is made. A
// Recorder writes events to a trace file in the background. It never delays the replica, and counts the events that it
// had to leave out. A Reader reads such a file, Merge combines several files, and Text writes an event for people.
// docs/trace.md describes the format.
//
// The package reads no clock and judges nothing, so that a simulated run makes the same events each time.
package trace

import (
	"reflect"
	"slices"

	"tagma/pbft/wire"
)

// Event is something that happened in a run. The set of types is closed; kinds lists it. In JSON an event has the fields
// of its type and those of the Stamp.
type Event interface {
	// Kind names the type of the event in files and on command lines.
	Kind() string
	// What describes the event for people, without time and place.
	What() string

	stamp() *Stamp
}

// None is used in place of a replica's number, for a client or for the cluster as a whole.
const None = -1

// Stamp is when and where an event happened.
type Stamp struct {
	// Microseconds: since the beginning of a simulated run, or since the Unix epoch if the run is real.
	At      int64  `json:"at_us"`
	Cluster string `json:"cluster,omitempty"` // its name, if the trace is of several clusters
	Replica int    `json:"replica"`           // the replica where it happened; None: at no replica
	Event   string `json:"event"`             // its Kind
}

func (s *Stamp) stamp() *Stamp { return s }

// Of returns when and where an event happened.
func Of(e Event) Stamp { return *e.stamp() }

// kinds holds one event of each type.
var kinds = []Event{
	&Sent{}, &Received{}, &Refused{}, &Dropped{}, &Quarantined{}, &Phase{}, &Executed{}, &View{}, &Checkpoint{}, &Synced{},
	&Transfer{}, &Evidence{}, &Diverged{}, &Split{}, &Forgot{}, &Process{}, &Fault{}, &Request{}, &Lost{},
}

var typeOf = func() map[string]reflect.Type {
	types := make(map[string]reflect.Type, len(kinds))
	for _, e := range kinds {
		types[e.Kind()] = reflect.TypeOf(e).Elem()
	}
	return types
}()

// blank returns an empty event of a kind, nil if there is no such kind.
func blank(kind string) Event {
	t := typeOf[kind]
	if t == nil {
		return nil
	}
	return reflect.New(t).Interface().(Event)
}

// Kinds lists the names of all types of events.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, e := range kinds {
		names[i] = e.Kind()
	}
	return names
}

// About returns the message that an event is about. It is nil if there is no message, or if the event was read from a
// file.
func About(e Event) wire.Message {
	if m := of(e); m != nil {
		return m.of
	}
	return nil
}

// Place says to which sequence number or request an event belongs.
type Place struct {
	Number  uint64
	Ordered bool // the number is a sequence number; otherwise it is the number of a client's request in its session
}

// PlaceOf returns the place of an event. It is zero for events without a place, such as those of view changes,
// checkpoints, evidence and faults. These are shown whatever the load is.
func PlaceOf(e Event) Place {
	switch e := e.(type) {
	case *Phase:
		return Place{uint64(e.Seq), true}
	case *Executed:
		return Place{uint64(e.Seq), true}
	case *Request: // its answer too, so that both are shown or none
		return Place{e.Number, false}
	}
	m := About(e)
	if m == nil {
		return Place{}
	}
	switch d := wire.Describe(m); {
	case d.Seq != nil && *d.Seq > 0 && (d.View != nil || d.Request != nil || d.Batch != nil): // a checkpoint has no view
		return Place{uint64(*d.Seq), true}
	case d.Request != nil:
		return Place{d.Request.T, false}
	default:
		return Place{}
	}
}

// Only returns a listener that passes on events of the named kinds; of all kinds if none is named.
func Only(names []string, next func(Event)) func(Event) {
	if len(names) == 0 {
		return next
	}
	return func(e Event) {
		if slices.Contains(names, e.Kind()) {
			next(e)
		}
	}
}
