package links

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Match selects frames by their messages. An empty field matches everything.
type Match struct {
	Types   Types            `json:"types,omitempty" toml:"type"`
	View    *wire.View       `json:"view,omitempty" toml:"view"`
	SeqFrom wire.Seq         `json:"seq_from,omitempty"` // together with SeqTo; 0 and 0: any
	SeqTo   wire.Seq         `json:"seq_to,omitempty"`
	From    []wire.ReplicaID `json:"from,omitempty" toml:"from"`
	To      []wire.ReplicaID `json:"to,omitempty" toml:"to"`
	Except  []Match          `json:"except,omitempty"` // what one of these covers is not selected
}

// Types are types of messages. Their JSON is their names.
type Types []wire.Type

// MarshalJSON implements json.Marshaler.
func (t Types) MarshalJSON() ([]byte, error) {
	names := make([]string, len(t))
	for i, x := range t {
		names[i] = x.String()
	}
	return json.Marshal(names)
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Types) UnmarshalJSON(text []byte) error {
	var names []string
	if err := json.Unmarshal(text, &names); err != nil {
		return err
	}
	*t = nil
	for _, name := range names {
		x, known := wire.ParseType(name)
		if !known {
			return fmt.Errorf("there is no type of message %q", name)
		}
		*t = append(*t, x)
	}
	return nil
}

// Covers reports whether m selects a frame. A view matches a message that names one, and a view-change by the view it
// asks for. A sequence number matches a message about one; a view-change is about every one that it shows prepared, a
// new-view about every one that it proposes for.
func (m *Match) Covers(f Frame) bool {
	if len(m.From) > 0 && !slices.Contains(m.From, f.From) || len(m.To) > 0 && !slices.Contains(m.To, f.To) {
		return false
	}
	if slices.ContainsFunc(m.Except, func(e Match) bool { return e.Covers(f) }) {
		return false
	}
	if len(m.Types) == 0 && m.View == nil && m.SeqTo == 0 {
		return true
	}
	if f.Message == nil || len(m.Types) > 0 && !slices.Contains(m.Types, wire.TypeOf(f.Message)) {
		return false
	}
	if m.View != nil {
		if v, has := tamper.ViewOf(f.Message); !has || v != *m.View {
			return false
		}
	}
	return m.SeqTo == 0 || tamper.About(f.Message, m.SeqFrom, m.SeqTo)
}

// Action is what a rule does with a message that it matches.
type Action string

// The actions.
const (
	Drop      Action = "drop"
	Delay     Action = "delay"
	Hold      Action = "hold" // until the rule ends
	Duplicate Action = "duplicate"
	Corrupt   Action = "corrupt" // a bit of the frame is turned
)

// Actions lists them.
func Actions() []Action { return []Action{Drop, Delay, Hold, Duplicate, Corrupt} }

// Rule acts on single messages. If several rules match a message, the one that was added first acts.
type Rule struct {
	ID     string        `json:"id,omitempty"`   // for Fired
	Name   string        `json:"name,omitempty"` // DoRelease ends all rules of one name
	Match  Match         `json:"match"`
	Action Action        `json:"action" toml:"action"`
	By     time.Duration `json:"by,omitempty" toml:"by"` // the delay, if Action is Delay
	// Until is the time at which the rule ends; 0: never, or with a release of its name. The frames that it holds leave
	// then, over links as they were when the frames were sent.
	Until time.Duration `json:"until,omitempty"`
	Place
}

// Place says which bit of a frame or file is flipped. A nil field is chosen at random.
type Place struct {
	Byte *int `json:"byte,omitempty" toml:"byte" range:"-67108864..67108863"` // negative: counted from the end, -1 is the last
	Bit  *int `json:"bit,omitempty" toml:"bit" range:"0..7"`                  // 0 is the lowest
}

// In returns the position of the bit in so many bytes. It returns false if that is outside of them.
func (p *Place) In(bytes int, dice *rand.Rand) (at int, bit byte, ok bool) {
	if p.Byte == nil && p.Bit == nil && bytes > 0 { // one draw
		drawn := dice.IntN(8 * bytes)
		return drawn / 8, byte(drawn % 8), true
	}
	switch {
	case p.Byte == nil && bytes > 0:
		at = dice.IntN(bytes)
	case p.Byte != nil && *p.Byte < 0:
		at = bytes + *p.Byte
	case p.Byte != nil:
		at = *p.Byte
	}
	if at < 0 || at >= bytes {
		return 0, 0, false
	}
	if p.Bit != nil {
		return at, byte(*p.Bit), true
	}
	return at, byte(dice.IntN(8)), true
}

func (p *Place) String() string {
	switch {
	case p.Byte == nil && p.Bit == nil:
		return ""
	case p.Bit == nil:
		return fmt.Sprintf("in byte %d", *p.Byte)
	case p.Byte == nil:
		return fmt.Sprintf("at bit %d", *p.Bit)
	}
	return fmt.Sprintf("in byte %d at bit %d", *p.Byte, *p.Bit)
}

// mostHeld bounds how many frames a rule holds: messages that are sent again and again must not fill the memory. Further
// frames are dropped, as by a full buffer.
const mostHeld = 1 << 16

type activeRule struct {
	Rule
	held []Frame
}

func (p *Policy) end(now time.Duration, ends func(*activeRule) bool) (out []Delivery) {
	var kept []*activeRule
	for _, r := range p.rules {
		if !ends(r) {
			kept = append(kept, r)
			continue
		}
		for _, f := range r.held {
			out = append(out, p.send(now, f, 0, 1)...)
		}
	}
	p.rules = kept
	return out
}

func (p *Policy) ruleFor(now time.Duration, f Frame) *activeRule {
	for _, r := range p.rules {
		if (r.Until == 0 || now < r.Until) && r.Match.Covers(f) {
			return r
		}
	}
	return nil
}

// Forget drops the frames that rules hold from or to a replica: a crash loses its buffers.
func (p *Policy) Forget(id wire.ReplicaID) {
	for _, r := range p.rules {
		r.held = slices.DeleteFunc(r.held, func(f Frame) bool { return f.From == id || f.To == id })
	}
}
