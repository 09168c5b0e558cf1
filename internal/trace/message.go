package trace

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"tagma/pbft/wire"
)

// Message is a message in an event. Its description is made only when it is read.
type Message struct {
	of    wire.Message // nil if it was read from a file or could not be decoded
	names Names        // the names that the tap of the event uses
	shown
}

// shown is the form of a message in a file.
type shown struct {
	Type   string     `json:"type,omitempty"`
	View   *wire.View `json:"view,omitempty"`
	Seq    *wire.Seq  `json:"seq,omitempty"`
	Digest *Digest    `json:"digest,omitempty"` // of the batch or of the state
	*Asking
	Requests []Asking `json:"requests,omitempty"` // of a pre-prepare's batch, at most mostRequests
	Text     string   `json:"text"`               // as wire.Describe tells it
}

// mostRequests bounds how many requests of a batch are listed: a batch may have hundreds, and each replica makes events
// of it.
const mostRequests = 16

// Asking names a client's request.
type Asking struct {
	Client Client `json:"client"`
	Number uint64 `json:"number"` // in its session
}

// Names returns the number of the client with a key, among the clients of the cluster. It may be called from any
// goroutine.
type Names func(wire.PublicKey) (number int, known bool)

// Client returns the name of a client: its number among the cluster's clients, or the beginning of its key if the number
// is not known.
type Client struct {
	number int
	key    string // "": the number counts
}

// MarshalJSON implements json.Marshaler.
func (c Client) MarshalJSON() ([]byte, error) {
	if c.key != "" {
		return json.Marshal(c.key)
	}
	return json.Marshal(c.number)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Client) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &c.key)
	}
	return json.Unmarshal(data, &c.number)
}

// asking names a request.
func (n Names) asking(id *wire.RequestID) Asking {
	if n != nil {
		if number, known := n(id.Client); known {
			return Asking{Client{number: number}, id.T}
		}
	}
	return Asking{Client{key: id.Client.String()}, id.T}
}

// Digest is a digest that JSON shows in full, as hex.
type Digest wire.Digest

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(text []byte) error {
	if n, err := hex.Decode(d[:], text[:min(len(text), 2*len(d))]); err != nil || n != len(d) || len(text) != 2*len(d) {
		return fmt.Errorf("%q is no digest of %d bytes in hex", text, len(d))
	}
	return nil
}

func (d Digest) String() string { return wire.Digest(d).Name() }

// Say makes a Message of a message; nil stands for one that could not be decoded.
func Say(m wire.Message) Message { return Message{of: m} }

// MarshalJSON implements json.Marshaler.
func (m Message) MarshalJSON() ([]byte, error) {
	if m.of != nil {
		m.shown = m.show()
	}
	return json.Marshal(m.shown)
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Message) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &m.shown) }

func (m Message) String() string {
	if m.of == nil && m.Text != "" {
		return m.Text
	}
	d := wire.Describe(m.of)
	return d.Text()
}

// nothing reports whether it stands for a message that could not be decoded.
func (m Message) nothing() bool { return m.of == nil && m.Type == "" }

func (m *Message) show() shown {
	d := wire.Describe(m.of)
	s := shown{Type: d.Type, View: d.View, Seq: d.Seq, Digest: (*Digest)(d.Digest), Text: d.Text()}
	if d.Request != nil {
		s.Asking = new(m.names.asking(d.Request))
	}
	if d.Batch != nil {
		for _, r := range d.Batch.Requests[:min(len(d.Batch.Requests), mostRequests)] {
			s.Requests = append(s.Requests, m.names.asking(&r.ID))
		}
	}
	return s
}

// of returns the message that an event is about, or nil.
func of(e Event) *Message {
	switch e := e.(type) {
	case *Sent:
		return &e.Message
	case *Received:
		return &e.Message
	case *Refused:
		return &e.Message
	case *Dropped:
		return &e.Message
	default:
		return nil
	}
}

// Asks reports whether an event is about a certain client's request: about the request itself, a reply to it, or a batch
// that contains it. The client is given by its number.
func Asks(e Event, client int) bool {
	if r, is := e.(*Request); is {
		return r.Client == client
	}
	m := of(e)
	if m == nil || m.of == nil || m.names == nil {
		return false
	}
	is := func(id *wire.RequestID) bool {
		number, known := m.names(id.Client)
		return known && number == client
	}
	d := wire.Describe(m.of)
	if d.Request != nil {
		return is(d.Request)
	}
	return d.Batch != nil && slices.ContainsFunc(d.Batch.Requests, func(r *wire.Request) bool { return is(&r.ID) })
}
