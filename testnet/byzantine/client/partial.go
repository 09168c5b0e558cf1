package client

import (
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// partialClient asks some replicas only, so that the others would blame the primary for what it never saw (C3).
var partialClient = tamper.Describe[partial]("partial-client", tamper.Byzantine,
	"sends its requests to some replicas only, well signed or not, and does not care about the answers",
	"no timer runs for an invalid request; no view change")

type partial struct {
	caller
	To        tamper.Peers  `default:"backups" words:"backups,one" doc:"who is asked: backups, one (a single backup, by turns), or "`
	_         any           `doc:"replicas such as 1+2"`
	Signature string        `default:"good" words:"good,bad" doc:"good, or bad: then nobody may believe it, nor start a timer"`
	Every     time.Duration `default:"0.1T" doc:"time between two requests, a duration or a multiple of T"`
	beat      metronome
}

// Tick asks when it is time to.
func (c *partial) Tick(now time.Duration) []Parcel {
	c.open()
	for range c.beat.beats(now, c.Every) {
		var m wire.Message = c.next()
		if c.Signature == "bad" { // another one for every request
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
