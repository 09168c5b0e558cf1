package replica

import (
	"encoding/hex"
	"fmt"
	"strings"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// sendOmission receives all messages and does not send some of those that it should send.
var sendOmission = tamper.Describe[mute]("send-omission", tamper.Omission,
	"receives everything and keeps back what it should send: all messages, or some by type, destination and chance",
	"as a backup throughput ≥ 70 % and no view change; as primary commits again within 3T")

// silent is sendOmission for all messages.
var silent = sendOmission.Called("silent", tamper.Omission, "another name for send-omission", sendOmission.Bound)

type mute struct {
	rule
	Types       tamper.Types `default:"all" doc:"message types it keeps back, such as prepare+commit; reply is what clients get"`
	To          tamper.Peers `default:"all" doc:"whom it tells nothing: replicas and clients, such as 1+2+clients"`
	Probability float64      `default:"1" doc:"how likely it keeps each message back, above 0 and up to 1"`
	Seed        tamper.Dice  `default:"0" doc:"seed that decides which messages, if the probability is below 1"`
	FromSeq     tamper.Onset `default:"0" doc:"it falls silent when it first speaks of this sequence number"`
}

func (m *mute) ready() error {
	m.types, m.peers, m.chance, m.dice, m.onset, m.act = m.Types, m.To, m.Probability, m.Seed, &m.FromSeq, dropped
	return nil
}

// receiveOmission sends messages but does not receive any. So it suspects every primary. Other replicas do not leave a
// view because of a single Suspect (V7).
var receiveOmission = tamper.Describe[deaf]("receive-omission", tamper.Omission,
	"receives nothing, or not everything, and still sends: heartbeats, status, suspicions, requests",
	"as a backup, without an accomplice, no view change; as primary commits again within 3T")

type deaf struct {
	rule
	Types       tamper.Types `default:"all" doc:"message types it does not hear, such as pre-prepare+commit"`
	Peers       tamper.Peers `default:"all" doc:"whom it does not hear: replicas and clients, such as 1+2+clients"`
	Probability float64      `default:"1" doc:"how likely it misses each message, above 0 and up to 1"`
	Seed        tamper.Dice  `default:"0" doc:"seed that decides which messages, if the probability is below 1"`
}

func (d *deaf) ready() error {
	d.incoming, d.types, d.peers, d.chance, d.dice = true, d.Types, d.Peers, d.Probability, d.Seed
	return nil
}

// crash behaves towards the others like a killed replica, but its process runs and keeps its memory.
var crash = tamper.Describe[dead]("crash", tamper.Crash,
	"receives and sends nothing: crashed for everybody else, and back with its memory when its time is over",
	"as primary commits again within 3T; as a backup no view change")

type dead struct {
	rule
	FromSeq tamper.Onset `default:"0" doc:"it dies when it first speaks of this sequence number"`
}

func (d *dead) ready() error {
	d.peers, d.onset, d.act = tamper.Everybody(), &d.FromSeq, dropped
	return nil
}

// hear gives the core only ticks and the results of its own machine, which are not messages.
func (d *dead) hear(ev port.Event) []port.Event {
	if d.active && d.FromSeq.Begun() && received(ev) != nil {
		return nil
	}
	return []port.Event{ev}
}

// censor is a primary that ignores the requests of one client (T1).
var censor = tamper.Describe[censoring]("censor", tamper.Byzantine,
	"ignores one client's requests, from the client itself and from those who relay them, and does not answer it",
	"the client's request executes within 3T")

type censoring struct {
	liar
	Client string `default:"first" doc:"whom it ignores: first (the first client that it hears of), a name such as c0, or the beginning of "`
	_      any    `doc:"a key in hex"`
	prefix string // prefix of the client's key, in hex; "": no client is known yet
}

func (c *censoring) ready() error {
	if c.opt.Client != nil {
		if key, known := c.opt.Client(c.Client); known {
			c.prefix = hex.EncodeToString(key[:])
			return nil
		}
	}
	_, err := hex.DecodeString(c.Client)
	switch {
	case c.Client == "first":
	case err == nil && len(c.Client) >= 8:
		c.prefix = c.Client
	case c.Client == "" || c.core != nil: // a name is looked up where the attacker runs
		return fmt.Errorf("client: %q is neither first, nor a client of this run, nor 8 or more hex digits of a key", c.Client)
	}
	return nil
}

func (c *censoring) ignores(key wire.PublicKey) bool {
	name := hex.EncodeToString(key[:])
	if c.prefix == "" {
		c.prefix = name
	}
	return strings.HasPrefix(name, c.prefix)
}

func (c *censoring) hear(ev port.Event) []port.Event {
	if r, ok := received(ev).(*wire.Request); ok && c.active && c.ignores(r.ID.Client) {
		return nil
	}
	return []port.Event{ev}
}

func (c *censoring) tell(_ port.Source, m wire.Message) []wire.Message {
	if r, ok := m.(*wire.Reply); ok && c.ignores(r.ID.Client) {
		return nil
	}
	return []wire.Message{m}
}
