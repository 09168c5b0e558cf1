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
