package kv

import (
	"encoding/binary"
	"fmt"

	"tagma/statemachine/internal/wire"
)

// EventType says what an event did to its key.
type EventType uint8

// The types of events.
const (
	EventPut    EventType = 1
	EventDelete EventType = 2
)

// String is the name that commands print.
func (t EventType) String() string {
	if t == EventDelete {
		return "delete"
	}
	return "put"
}

// Event is one change of one key. Events are ordered by revision and, within one, by place: a transaction may change
// several keys in one revision.
type Event struct {
	Type     EventType
	Revision uint64
	Place    int       // of the event among all changes of its revision that match what is watched, from 0
	Seq      uint64    // the sequence number of the batch that made the change
	Pair     KeyValue  // what was put; of a delete the key, with the delete's revision as ModRevision
	Previous *KeyValue // what was there before; nil if there was nothing
}

// eventFormat is the first byte of an event.
const eventFormat = 1

func (e *Event) encode() []byte {
	b := make([]byte, 0, 2+8+8+pairBytes(&e.Pair)+1)
	b = append(b, eventFormat, byte(e.Type))
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, e.Revision), e.Seq)
	b = appendPair(b, &e.Pair)
	if e.Previous == nil {
		return append(b, 0)
	}
	b = append(b, 1)
	return appendPair(b, e.Previous)
}

// DecodeEvent reads an event of the machine, whose place it does not know.
func DecodeEvent(b []byte) (Event, error) {
	c := &cursor{wire.Cursor{Rest: b}}
	format := c.Byte()
	e := Event{Type: EventType(c.Byte()), Revision: c.Uint64(), Seq: c.Uint64(), Pair: c.pair(), Previous: c.optionalPair()}
	if !c.Done() || format != eventFormat || e.Type < EventPut || e.Type > EventDelete {
		return Event{}, fmt.Errorf("decode an event of the key-value store: %w", ErrResult)
	}
	return e, nil
}
