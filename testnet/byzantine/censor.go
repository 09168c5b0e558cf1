package byzantine

import (
	"encoding/hex"
	"fmt"
	"strings"

	"tagma/pbft"
)

// censor is a primary for everybody but one client (T1).
var censor = Behaviour{
	Name:    "censor",
	Model:   Byzantine,
	Summary: "ignores one client's requests, from the client itself and from those who relay them, and does not answer it",
	Bound:   "the client's request executes within 3T",
	Parameters: []Parameter{
		{"client", "first", "whom it ignores: first (that it hears of), a client's name such as c0, or the beginning of a key in hex"},
	},
	build: newCensor,
}

type censoring struct {
	honest
	named  bool // the client is known
	hidden pbft.PublicKey
	prefix string // of the key, in hex; "" fits the first one that it hears of
}

func newCensor(v values, at seat) (Core, error) {
	c := new(censoring)
	name := v["client"]
	if at.opt.Client != nil && name != "first" {
		c.hidden, c.named = at.opt.Client(name)
	}
	switch {
	case c.named || name == "first":
	case isHex(name) && len(name) >= 8:
		c.prefix = name
	case name == "" || at.core != nil: // a name is looked up where the attacker runs
		return nil, fmt.Errorf("client: %q is neither first, nor a client of this run, nor 8 or more hex digits of a key", name)
	}
	return at.speaks(c), nil
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && s != ""
}

func (c *censoring) hear(ev pbft.Event, awake bool) []pbft.Event {
	if e, ok := ev.(pbft.Received); ok && awake {
		if r, ok := e.Msg.Message().(*pbft.Request); ok && c.ignores(r.ID.Client) {
			return nil
		}
	}
	return []pbft.Event{ev}
}

func (c *censoring) ignores(key pbft.PublicKey) bool {
	if !c.named && strings.HasPrefix(hex.EncodeToString(key[:]), c.prefix) {
		c.hidden, c.named = key, true
	}
	return c.named && key == c.hidden
}

func (c *censoring) answer(r *pbft.Reply) []pbft.Effect {
	if c.ignores(r.ID.Client) {
		return nil
	}
	return c.honest.answer(r)
}
