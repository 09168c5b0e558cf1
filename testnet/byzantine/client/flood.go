package client

import (
	"errors"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// clientFlood sends more valid requests than its share (C6), and many requests with invalid signatures (S2).
var clientFlood = tamper.Describe[flooder]("client-flood", tamper.Byzantine,
	"sends requests to all replicas without waiting for answers, valid ones and ones with bad signatures",
	"honest clients keep ≥ 80 % of their throughput; no view change")

type flooder struct {
	caller
	Valid   tamper.Pace `rate:"yes" default:"1000" max:"1000000" doc:"well signed requests a second"`
	Invalid tamper.Pace `rate:"yes" default:"10000" max:"1000000" doc:"requests a second whose signature does not hold"`
	Bytes   uint64      `default:"0" max:"1048576" doc:"size of each valid request in bytes at least, by repeating its operation"`
	forged  uint64
}

func (c *flooder) ready() error {
	if c.Valid.Never() && c.Invalid.Never() {
		return errors.New("valid: 0 or invalid must be above 0: otherwise there is no flood")
	}
	return nil
}

// Tick sends the requests that are due.
func (c *flooder) Tick(now time.Duration) []Parcel {
	c.open()
	for range c.Valid.Due(now) {
		c.spread(true, wire.Encode(c.padded(c.next())))
	}
	for range c.Invalid.Due(now) {
		c.spread(true, c.forge())
	}
	return c.flush()
}

// padded repeats the operation of a request until the request is long enough.
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

// forge makes a request with a made-up signature, since signing would slow the flood. Each signature is different, so
// that no replica can recognise it as one that failed before.
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

// burstClient sends the backups at once as many requests as they admit. Without C6 and T1, the backups' timers would end
// and they would suspect the primary.
var burstClient = tamper.Describe[burster]("burst-client", tamper.Byzantine,
	"sends each of f+1 backups hundreds of requests of its own at one moment, again and again, and nothing to the primary",
	"honest clients keep ≥ 80 % of their throughput; no view change")

type burster struct {
	caller
	Requests uint64      `default:"600" max:"4096" doc:"how many requests each of the f+1 backups gets at once"`
	Every    tamper.Pace `default:"1.5s" doc:"time between two bursts, a duration or a multiple of T"`
}

// Tick sends many requests at once when that is due.
func (c *burster) Tick(now time.Duration) []Parcel {
	c.open()
	if c.Every.Due(now) == 0 {
		return c.flush()
	}
	for range c.Requests {
		for i := range (c.Replicas-1)/3 + 1 {
			to := (int(c.primary()) + 1 + i) % c.Replicas
			c.send(wire.ReplicaID(to), true, wire.Encode(c.next()))
		}
	}
	return c.flush()
}

// malformedClient sends frames that every decoder must refuse without other effects (S4).
var malformedClient = tamper.Describe[babbler]("malformed", tamper.Byzantine,
	"sends frames that are no message: lists of a million entries, deep nesting, cut short, bits turned",
	"memory is bounded, and its link is dropped")

type babbler struct {
	caller
	Every tamper.Pace `default:"20ms" doc:"time between two frames to each replica, a duration or a multiple of T"`
	tamper.Malformed
	with *tamper.Malformer
}

func (c *babbler) ready() error {
	c.with = c.Malformer(0)
	return nil
}

// Tick sends every replica a different malformed frame.
func (c *babbler) Tick(now time.Duration) []Parcel {
	for range c.Every.Due(now) {
		for to := range c.Replicas {
			c.send(wire.ReplicaID(to), true, c.with.Next())
		}
	}
	return c.flush()
}

// exhaustClient uses up connections, streams and memory of links, and never releases them (I14).
var exhaustClient = tamper.Describe[idler](tamper.Exhaust, tamper.Byzantine,
	"opens streams by the thousand, begins frames and never ends them, reads nothing: on real processes only",
	"≥ 80 % of the throughput; connections, streams and memory of a peer stay bounded")

// idler sends no message. Its attack on links is in package link.
type idler struct {
	caller
	tamper.Exhaustion
}

// Tick returns nothing.
func (*idler) Tick(time.Duration) []Parcel { return nil }
