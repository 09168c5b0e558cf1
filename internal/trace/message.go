package trace

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"tagma/pbft/wire"
)

// Message is a message in an event. It is described in words only when somebody reads them.
type Message struct {
	of wire.Message // nil if it was read from a file or could not be decoded
	shown
}

// shown is the form of a message in a file.
type shown struct {
	Type   string     `json:"type,omitempty"`
	View   *wire.View `json:"view,omitempty"`
	Seq    *wire.Seq  `json:"seq,omitempty"`
	Digest *Digest    `json:"digest,omitempty"` // of the batch or of the state
	Text   string     `json:"text"`             // as wire.Describe returns it
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

// Say wraps a message; nil stands for one that could not be decoded.
func Say(m wire.Message) Message { return Message{of: m} }

// MarshalJSON implements json.Marshaler.
func (m Message) MarshalJSON() ([]byte, error) {
	if m.of != nil {
		m.shown = show(m.of)
	}
	return json.Marshal(m.shown)
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Message) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &m.shown) }

func (m Message) String() string {
	if m.of == nil && m.Text != "" {
		return m.Text
	}
	return wire.Describe(m.of).Text
}

// nothing reports whether it stands for a message that could not be decoded.
func (m Message) nothing() bool { return m.of == nil && m.Type == "" }

func show(m wire.Message) shown {
	d := wire.Describe(m)
	return shown{Type: d.Type, View: d.View, Seq: d.Seq, Digest: (*Digest)(d.Digest), Text: d.Text}
}
