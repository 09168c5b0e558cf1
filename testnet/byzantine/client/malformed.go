package client

import (
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// malformedClient sends what no decoder may believe, or choke on (S4).
var malformedClient = tamper.Describe[babbler]("malformed", tamper.Byzantine,
	"sends frames that are no message: lists of a million entries, deep nesting, cut short, bits turned",
	"memory is bounded, and its link is dropped")

type babbler struct {
	caller
	Every time.Duration `default:"20ms" doc:"time between two frames to each replica, a duration or a multiple of T"`
	tamper.Malformed
	beat metronome
	with *tamper.Malformer
}

func (c *babbler) ready() error {
	c.with = c.Malformer(0)
	return nil
}

// Tick sends every replica a frame of its own when it is time to.
func (c *babbler) Tick(now time.Duration) []Parcel {
	for range c.beat.beats(now, c.Every) {
		for to := range c.Replicas {
			_, frame := c.with.Next()
			c.send(wire.ReplicaID(to), true, frame)
		}
	}
	return c.flush()
}

// exhaustClient holds what links are made of and gives nothing back (I14), by a client or by whoever has its key.
var exhaustClient = tamper.Describe[idler](tamper.Exhaust, tamper.Byzantine,
	"opens streams by the thousand, begins frames and never ends them, reads nothing: on real processes only",
	"≥ 80 % of the throughput; connections, streams and memory of a peer stay bounded")

// idler says nothing: what it does is done to its links.
type idler struct {
	caller
	tamper.Exhaustion
}

// Tick returns nothing.
func (*idler) Tick(time.Duration) []Parcel { return nil }
