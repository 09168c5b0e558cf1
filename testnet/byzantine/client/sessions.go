package client

import (
	"math"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// absurdSessions uses session numbers that make the replicas evict its own sessions, and request numbers beyond every
// window (C1, C2).
var absurdSessions = tamper.Describe[numberer]("absurd-sessions", tamper.Byzantine,
	"numbers its sessions and requests absurdly: 0, 2⁶⁴−1, falling, a new session for every request",
	"it harms its own key only")

type numberer struct {
	caller
	Numbers string      `default:"mixed" words:"highest,rising,falling,mixed" doc:"sessions: highest (2⁶⁴−1 and down), rising, "`
	_       any         `doc:"falling, or mixed (any, with absurd request numbers too)"`
	Every   tamper.Pace `default:"0.1T" doc:"time between two requests, a duration or a multiple of T"`
	Seed    tamper.Dice `default:"0" stream:"1" doc:"seed that decides which numbers, if they are mixed"`
	asked   uint64
}

// Tick sends a request with the next absurd number when that is due.
func (c *numberer) Tick(now time.Duration) []Parcel {
	for range c.Every.Due(now) {
		c.asked++
		session, number := c.choose()
		c.attach(session)
		c.spread(true, wire.Encode(c.request(session, number)))
	}
	return c.flush()
}

func (c *numberer) choose() (wire.Session, uint64) {
	switch c.Numbers {
	case "highest":
		return wire.Session(math.MaxUint64 - c.asked + 1), 1
	case "rising":
		return c.Session + wire.Session(c.asked), 1
	case "falling":
		return c.Session - wire.Session(c.asked), 1
	default:
		return wire.Session(c.absurd()), max(1, c.absurd())
	}
}

// absurd draws a number near one end of the range, near its middle, near the first session, or anywhere.
func (c *numberer) absurd() uint64 {
	near := c.Seed.Uint64N(4)
	switch c.Seed.IntN(5) {
	case 0:
		return near
	case 1:
		return math.MaxUint64 - near
	case 2:
		return 1<<63 - near
	case 3:
		return uint64(c.Session) + near
	default:
		return c.Seed.Uint64()
	}
}
