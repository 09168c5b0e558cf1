package client

import (
	"errors"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// clientFlood sends more than its part (C6), and more that nobody may believe (S2).
var clientFlood = tamper.Describe[flooder]("client-flood", tamper.Byzantine,
	"sends request after request to all replicas and waits for nothing, valid ones and ones with bad signatures",
	"honest clients keep ≥ 80 % of their throughput; no view change")

type flooder struct {
	caller
	Valid   tamper.Rate `default:"1000" doc:"well signed requests a second"`
	Invalid tamper.Rate `default:"10000" doc:"requests a second whose signature does not hold"`
	Bytes   uint64      `default:"0" max:"1048576" doc:"makes each valid request that much longer, by operations repeated"`

	good, bad metronome
	forged    uint64
}

func (c *flooder) ready() error {
	if c.Valid == 0 && c.Invalid == 0 {
		return errors.New("valid: 0 or invalid must be above 0: otherwise there is no flood")
	}
	return nil
}

// Tick sends what has become due.
func (c *flooder) Tick(now time.Duration) []Parcel {
	c.open()
	for range c.good.beats(now, time.Duration(c.Valid)) {
		c.spread(true, wire.Encode(c.padded(c.next())))
	}
	for range c.bad.beats(now, time.Duration(c.Invalid)) {
		c.spread(true, c.forge())
	}
	return c.flush()
}

// padded repeats a request's operation until it is long enough.
func (c *flooder) padded(m *wire.Request) *wire.Request {
	if c.Bytes == 0 {
		return m
	}
	long := &wire.Request{ID: m.ID, AckedBelow: m.AckedBelow, Ops: m.Ops}
	for uint64(long.Size()) < c.Bytes && len(long.Ops) < wire.DefaultMaxOps {
		long.Ops = append(long.Ops, m.Ops[0])
	}
	wire.SignRequest(c.Cluster, long, c.sign)
	return long
}

// forge makes up a request. It costs no signing, which a flood would not pay for, and has another signature each time, so
// that none is remembered as bad.
func (c *flooder) forge() []byte {
	c.forged++
	m := &wire.Request{
		ID:  wire.RequestID{Client: c.Key, Session: c.Session, T: c.number + 1},
		Ops: [][]byte{c.Operation(c.made + 1)},
	}
	for i := range 8 {
		m.Sig[i] = byte(c.forged >> (8 * i))
	}
	return wire.Encode(m)
}

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
