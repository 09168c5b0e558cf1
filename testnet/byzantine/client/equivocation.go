package client

import (
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// clientEquivocation sends two operations under one request number (C2). Exactly one of them may be executed, and it
// must be the same one on all replicas.
var clientEquivocation = tamper.Describe[twoFaced]("client-equivocation", tamper.Byzantine,
	"signs two operations under one number and tells replicas different ones",
	"at most one view change; one of the operations executes, everywhere the same one")

type twoFaced struct {
	caller
	Split  string          `default:"halves" words:"halves,primary,each" doc:"who gets which: halves, primary (it gets one, the backups the "`
	_      any             `doc:"other), or each (all get different ones)"`
	Every  tamper.Pace     `default:"0.1T" doc:"time between two such numbers, a duration or a multiple of T"`
	Repeat time.Duration   `default:"0.5T" doc:"time after which it sends all operations of a number to everybody"`
	told   []contradiction // to be repeated, oldest first
}

// contradiction is the set of requests that were sent under one number.
type contradiction struct {
	at     time.Duration
	frames [][]byte
}

// Tick sends contradicting requests when they are due.
func (c *twoFaced) Tick(now time.Duration) []Parcel {
	c.open()
	for range c.Every.Due(now) {
		c.contradict(now)
	}
	for len(c.told) > 0 && now-c.told[0].at >= c.Repeat {
		for _, frame := range c.told[0].frames {
			c.spread(true, frame)
		}
		c.told = c.told[1:]
	}
	return c.flush()
}

func (c *twoFaced) contradict(now time.Duration) {
	c.number++
	said := contradiction{at: now}
	variants := 2
	if c.Split == "each" {
		variants = c.Replicas
	}
	for range variants {
		said.frames = append(said.frames, wire.Encode(c.request(c.Session, c.number)))
	}
	for to := range c.Replicas {
		c.send(wire.ReplicaID(to), true, said.frames[c.variant(to)])
	}
	c.told = append(c.told, said)
}

// variant returns which of the operations a replica gets. In the mode halves, the two halves of the replicas swap their
// operations from one number to the next.
func (c *twoFaced) variant(to int) int {
	switch c.Split {
	case "each":
		return to
	case "primary":
		if wire.ReplicaID(to) == c.primary() {
			return 0
		}
		return 1
	default:
		return (2*to/c.Replicas + int(c.number%2)) % 2
	}
}

// partialClient sends requests to only some replicas. These might then suspect the primary because of requests that it
// never received (C3).
var partialClient = tamper.Describe[partial]("partial-client", tamper.Byzantine,
	"sends its requests to some replicas only, well signed or not, and does not care about the answers",
	"no timer runs for an invalid request; no view change")

type partial struct {
	caller
	To        tamper.Peers `default:"backups" words:"backups,one" doc:"who is asked: backups, one (a single backup, by turns), or "`
	_         any          `doc:"replicas such as 1+2"`
	Signature string       `default:"good" words:"good,bad" doc:"good, or bad: then nobody may believe it, nor start a timer"`
	Every     tamper.Pace  `default:"0.1T" doc:"time between two requests, a duration or a multiple of T"`
}

// Tick sends requests when they are due.
func (c *partial) Tick(now time.Duration) []Parcel {
	c.open()
	for range c.Every.Due(now) {
		var m wire.Message = c.next()
		if c.Signature == "bad" { // a different invalid signature for every request
			m = tamper.Altered(m, "Sig", func(s wire.Signature) wire.Signature { s[0] ^= 0x01; return s })
		}
		frame := wire.Encode(m)
		for to := range c.Replicas {
			if c.asks(wire.ReplicaID(to)) {
				c.send(wire.ReplicaID(to), true, frame)
			}
		}
	}
	return c.flush()
}

func (c *partial) asks(to wire.ReplicaID) bool {
	switch c.To.Word {
	case "backups":
		return to != c.primary()
	case "one":
		turn := 1 + c.number%uint64(c.Replicas-1)
		return uint64(to) == (uint64(c.primary())+turn)%uint64(c.Replicas)
	default:
		return c.To.Replica(to)
	}
}
