package replica

import (
	"encoding/hex"
	"fmt"
	"strings"

	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// censor is a primary for everybody but one client (T1).
var censor = tamper.Describe[censoring]("censor", tamper.Byzantine,
	"ignores one client's requests, from the client itself and from those who relay them, and does not answer it",
	"the client's request executes within 3T")

type censoring struct {
	liar
	Client string `default:"first" doc:"whom it ignores: first (that it hears of), a client's name such as c0, or the beginning of "`
	_      any    `doc:"a key in hex"`
	named  bool   // the client is known
	hidden wire.PublicKey
	prefix string // of the key, in hex; "" fits the first one that it hears of
}

func (c *censoring) ready() error {
	name := c.Client
	if c.opt.Client != nil && name != "first" {
		c.hidden, c.named = c.opt.Client(name)
	}
	_, err := hex.DecodeString(name)
	switch {
	case c.named || name == "first":
	case err == nil && len(name) >= 8:
		c.prefix = name
	case name == "" || c.core != nil: // a name is looked up where the attacker runs
		return fmt.Errorf("client: %q is neither first, nor a client of this run, nor 8 or more hex digits of a key", name)
	}
	return nil
}

func (c *censoring) ignores(key wire.PublicKey) bool {
	if !c.named && strings.HasPrefix(hex.EncodeToString(key[:]), c.prefix) {
		c.hidden, c.named = key, true
	}
	return c.named && key == c.hidden
}

func (c *censoring) hear(ev pbft.Event) []pbft.Event {
	if r, ok := received(ev).(*wire.Request); ok && c.awake && c.ignores(r.ID.Client) {
		return nil
	}
	return []pbft.Event{ev}
}

func (c *censoring) twists(m wire.Message) bool {
	r, ok := m.(*wire.Reply)
	return ok && c.ignores(r.ID.Client)
}

func (*censoring) tell(pbft.Source, wire.Message) []wire.Message { return nil }
