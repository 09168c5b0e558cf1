package trace

import (
	"fmt"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Sent says that a message was handed to the network; it may be lost on the way.
type Sent struct {
	Stamp
	To      int     `json:"to"` // a replica; None: a client
	Bytes   int     `json:"bytes"`
	Message Message `json:"message"`
}

// Received says that a message was verified and passed to the core.
type Received struct {
	Stamp
	From    int     `json:"from"` // a replica; None: a client
	Message Message `json:"message"`
}

// Refused says that a frame was refused: it could not be decoded, was invalid, or had a false signature.
type Refused struct {
	Stamp
	From    int     `json:"from"`    // a replica; None: a client
	Message Message `json:"message"` // without a type if it could not be decoded
	Why     string  `json:"why"`
}

// Dropped says that the core ignored a message.
type Dropped struct {
	Stamp
	Message Message     `json:"message"`
	Why     port.Reason `json:"why"`
}

// Quarantined says that a link is not read for a while, because of what arrived over it.
type Quarantined struct {
	Stamp
	From int   `json:"from"` // a replica; None: a client
	For  int64 `json:"for_us"`
}

// Request is a step of a client's request.
type Request struct {
	Stamp
	Client int      `json:"client"`
	Step   string   `json:"step"`          // asked or answered
	Number uint64   `json:"number"`        // of the request in its session
	Seq    wire.Seq `json:"seq,omitempty"` // of the batch that executed it, for an answer
}

// The steps of a Request.
const (
	Asked    = "asked"
	Answered = "answered"
)

// Lost is a gap in a stream: this many events were left out, because the listener was too slow.
type Lost struct {
	Stamp
	Events uint64 `json:"events"`
}

// Kind implements Event.
func (*Sent) Kind() string { return "sent" }

// Kind implements Event.
func (*Received) Kind() string { return "received" }

// Kind implements Event.
func (*Refused) Kind() string { return "refused" }

// Kind implements Event.
func (*Dropped) Kind() string { return "dropped" }

// Kind implements Event.
func (*Quarantined) Kind() string { return "quarantined" }

// Kind implements Event.
func (*Request) Kind() string { return "request" }

// Kind implements Event.
func (*Lost) Kind() string { return "lost" }

// What implements Event.
func (e *Sent) What() string { return fmt.Sprintf("→ %s  %v", party(e.To), e.Message) }

// What implements Event.
func (e *Received) What() string { return fmt.Sprintf("← %s  %v", party(e.From), e.Message) }

// What implements Event.
func (e *Refused) What() string {
	if e.Message.nothing() {
		return fmt.Sprintf("← %s  refused a frame: %s", party(e.From), e.Why)
	}
	return fmt.Sprintf("← %s  refused %v: %s", party(e.From), e.Message, e.Why)
}

// What implements Event.
func (e *Dropped) What() string { return fmt.Sprintf("drops %v: %s", e.Message, e.Why) }

// What implements Event.
func (e *Quarantined) What() string {
	return fmt.Sprintf("does not read %s for %v", party(e.From), time.Duration(e.For)*time.Microsecond)
}

// What implements Event.
func (e *Request) What() string {
	text := fmt.Sprintf("client %d: %s #%d", e.Client, e.Step, e.Number)
	if e.Seq > 0 {
		text += fmt.Sprintf(", executed at s%d", e.Seq)
	}
	return text
}

// What implements Event.
func (e *Lost) What() string {
	return fmt.Sprintf("%d events are not in this trace: they came too fast", e.Events)
}

// party returns the name of a replica or a client.
func party(id int) string {
	if id == None {
		return "client"
	}
	return fmt.Sprintf("r%d", id)
}
