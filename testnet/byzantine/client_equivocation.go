package byzantine

import (
	"time"

	"tagma/pbft"
)

// clientEquivocation gives one number to two operations (C2): exactly one of them may execute, the same one everywhere.
var clientEquivocation = ClientBehaviour{
	Name:    "client-equivocation",
	Summary: "signs two operations under one number and tells replicas different ones",
	Bound:   "at most one view change; one of the operations executes, everywhere the same one",
	Parameters: []Parameter{
		{"split", "halves", "who is told what: halves, primary (it one, the backups the other), or each (no two the same)"},
		{"every", "0.1T", "time between two such numbers, a duration or a multiple of T"},
		{"repeat", "0.5T", "time after which it sends all of them to everybody"},
	},
	build: newTwoFaced,
}

type twoFaced struct {
	caller
	split  string
	beat   metronome
	repeat time.Duration
	told   []contradiction // to be repeated, oldest first
}

// contradiction is what was said under one number.
type contradiction struct {
	at     time.Duration
	frames [][]byte
}

func newTwoFaced(v values, cfg ClientConfig, sign Sign) (Client, error) {
	c := &twoFaced{caller: newCaller(cfg, sign)}
	var err error
	if c.split, err = v.oneOf("split", "halves", "primary", "each"); err != nil {
		return nil, err
	}
	if c.beat.every, err = v.delay("every", cfg.protocol()); err != nil {
		return nil, err
	}
	if c.repeat, err = v.delay("repeat", cfg.protocol()); err != nil {
		return nil, err
	}
	return c, nil
}

// Tick contradicts itself when it is time to.
func (c *twoFaced) Tick(now time.Duration) []Parcel {
	c.open()
	for range c.beat.beats(now) {
		c.contradict(now)
	}
	for len(c.told) > 0 && now-c.told[0].at >= c.repeat {
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
	if c.split == "each" {
		variants = c.Replicas
	}
	for range variants {
		said.frames = append(said.frames, pbft.Encode(c.request(c.Session, c.number)))
	}
	for to := range c.Replicas {
		c.send(pbft.ReplicaID(to), true, said.frames[c.variant(to)])
	}
	c.told = append(c.told, said)
}

// variant is which of the operations a replica is told. Halves and the first half change sides from number to number.
func (c *twoFaced) variant(to int) int {
	switch c.split {
	case "each":
		return to
	case "primary":
		if pbft.ReplicaID(to) == c.primary() {
			return 0
		}
		return 1
	default:
		return (2*to/c.Replicas + int(c.number%2)) % 2
	}
}
