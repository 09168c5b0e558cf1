package byzantine

import (
	"time"

	"tagma/pbft"
)

// partialClient asks some replicas only, so that the others would blame the primary for what it never saw (C3).
var partialClient = ClientBehaviour{
	Name:    "partial-client",
	Summary: "sends its requests to some replicas only, well signed or not, and does not care about the answers",
	Bound:   "no timer runs for an invalid request; no view change",
	Parameters: []Parameter{
		{"to", "backups", "who is asked: backups, one (a single backup, by turns), or replicas such as 1+2"},
		{"signature", "good", "good, or bad: then nobody may believe it, nor start a timer"},
		{"every", "0.1T", "time between two requests, a duration or a multiple of T"},
	},
	build: newPartial,
}

type partial struct {
	caller
	to   string
	only *destinations // unless to says it
	bad  bool
	beat metronome
}

func newPartial(v values, cfg ClientConfig, sign Sign) (Client, error) {
	c := &partial{caller: newCaller(cfg, sign), to: v["to"]}
	var err error
	if c.to != "backups" && c.to != "one" {
		limits := cfg.protocol()
		if cfg.Replicas == 0 {
			limits = nil
		}
		if c.only, err = v.destinations("to", limits); err != nil {
			return nil, err
		}
	}
	signature, err := v.oneOf("signature", "good", "bad")
	if err != nil {
		return nil, err
	}
	c.bad = signature == "bad"
	if c.beat.every, err = v.delay("every", cfg.protocol()); err != nil {
		return nil, err
	}
	return c, nil
}

// Tick asks when it is time to.
func (c *partial) Tick(now time.Duration) []Parcel {
	c.open()
	for range c.beat.beats(now) {
		m := c.next()
		if c.bad {
			m = unsigned(m)
		}
		frame := pbft.Encode(m)
		for to := range c.Replicas {
			if c.asks(pbft.ReplicaID(to)) {
				c.send(pbft.ReplicaID(to), true, frame)
			}
		}
	}
	return c.flush()
}

func (c *partial) asks(to pbft.ReplicaID) bool {
	switch c.to {
	case "backups":
		return to != c.primary()
	case "one":
		turn := 1 + c.number%uint64(c.Replicas-1)
		return uint64(to) == (uint64(c.primary())+turn)%uint64(c.Replicas)
	default:
		return c.only.replica(to)
	}
}

// unsigned returns a copy of a request with a signature that does not hold, another one for every request.
func unsigned(m *pbft.Request) *pbft.Request {
	bad := &pbft.Request{ID: m.ID, AckedBelow: m.AckedBelow, ReadOnly: m.ReadOnly, Ops: m.Ops, Sig: m.Sig}
	bad.Sig[0] ^= 0x01
	return bad
}
