package byzantine

import (
	"time"

	"tagma/pbft"
)

// clientFlood sends more than its part (C6), and more that nobody may believe (S2).
var clientFlood = ClientBehaviour{
	Name:    "client-flood",
	Summary: "sends request after request to all replicas and waits for nothing, valid ones and ones with bad signatures",
	Bound:   "honest clients keep ≥ 80 % of their throughput; no view change",
	Parameters: []Parameter{
		{"valid", "1000", "well signed requests a second"},
		{"invalid", "10000", "requests a second whose signature does not hold"},
		{"bytes", "0", "makes each valid request that much longer, by operations repeated"},
	},
	build: newFlooder,
}

type flooder struct {
	caller
	valid, invalid metronome
	pad            int
	forged         uint64
}

// mostPerSecond bounds a rate: beyond it a metronome would have no period.
const mostPerSecond = 1_000_000

func newFlooder(v values, cfg ClientConfig, sign Sign) (Client, error) {
	c := &flooder{caller: newCaller(cfg, sign)}
	var err error
	if c.valid.every, err = v.period("valid"); err != nil {
		return nil, err
	}
	if c.invalid.every, err = v.period("invalid"); err != nil {
		return nil, err
	}
	if c.valid.every == 0 && c.invalid.every == 0 {
		return nil, v.wrong("valid", "or invalid must be above 0: otherwise there is no flood")
	}
	pad, err := v.number("bytes")
	if err != nil {
		return nil, err
	}
	if pad > pbft.DefaultMaxBatchBytes {
		return nil, v.wrong("bytes", "is more than a batch holds")
	}
	c.pad = int(pad)
	return c, nil
}

// Tick sends what has become due.
func (c *flooder) Tick(now time.Duration) []Parcel {
	c.open()
	if c.valid.every > 0 {
		for range c.valid.beats(now) {
			c.spread(true, pbft.Encode(c.padded(c.next())))
		}
	}
	if c.invalid.every > 0 {
		for range c.invalid.beats(now) {
			c.spread(true, c.forge())
		}
	}
	return c.flush()
}

// padded repeats a request's operation until it is long enough.
func (c *flooder) padded(m *pbft.Request) *pbft.Request {
	if c.pad == 0 {
		return m
	}
	long := &pbft.Request{ID: m.ID, AckedBelow: m.AckedBelow, Ops: m.Ops}
	for long.Size() < c.pad && len(long.Ops) < pbft.DefaultMaxOps {
		long.Ops = append(long.Ops, m.Ops[0])
	}
	pbft.SignRequest(c.Cluster, long, c.sign)
	return long
}

// forge makes up a request. It costs no signing, which a flood would not pay for, and has another signature each time, so
// that none is remembered as bad.
func (c *flooder) forge() []byte {
	c.forged++
	m := &pbft.Request{
		ID:  pbft.RequestID{Client: c.Key, Session: c.Session, T: c.number + 1},
		Ops: [][]byte{c.Operation(c.made + 1)},
	}
	for i := range 8 {
		m.Sig[i] = byte(c.forged >> (8 * i))
	}
	return pbft.Encode(m)
}
