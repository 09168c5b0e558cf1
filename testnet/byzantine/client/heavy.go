package client

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// heavyClient sends valid requests that cost as much as is allowed, and has as many of them under way as is allowed (C6,
// C9).
var heavyClient = tamper.Describe[burden]("heavy-client", tamper.Byzantine,
	"sends hundreds of valid requests at once, each as expensive as allowed: counts over all keys, large values, transactions, "+
		"reads of the past, or counts over keys that it deleted, which cost it nothing",
	"other clients keep ≥ 50 % of their throughput; no view change")

type burden struct {
	many
	How string `default:"counts" words:"counts,values,transactions,past,deleted" doc:"what it asks for: counts (of all keys; each eighth "`
	_   any    `doc:"request writes), values (large ones are written), transactions (of 64 operations, half of them counts), past "`
	_   any    `doc:"(transactions of 64 counts on an older state, beside the order: on real processes only), or deleted (counts of keys "`
	_   any    `doc:"that it wrote and deleted; each eighth request puts one of them or deletes it again)"`

	Parallel uint64 `default:"256" max:"1024" doc:"requests that it has under way at once, or reads of the past at each replica"`
	Keys     uint64 `default:"500" max:"100000" doc:"keys that it writes before it counts them, and deletes if how is deleted"`
	Ops      uint64 `default:"200" max:"256" doc:"operations of this kind in a request"`
	Bytes    uint64 `default:"200000" max:"1048576" doc:"size of each value, if how is values"`
	Light    uint64 `default:"0" max:"1024" doc:"requests of one small write before each round of parallel heavy ones, so that it looks harmless"`
	written  uint64
	deleted  uint64
	reads    reads
}

// ready returns an error if the machine lacks an operation that this behaviour needs.
func (c *burden) ready() error {
	if b := &c.Burdens; (c.Operation != nil || b.Count != nil) && (c.How == "values" && b.Value == nil ||
		c.How == "transactions" && b.Transaction == nil || c.How == "past" && b.Past == nil ||
		c.How == "deleted" && b.Gone.Put == nil) {
		return fmt.Errorf("how: the machine has no %s; choose counts", c.How)
	}
	return nil
}

// Tick keeps c.Parallel requests under way at all replicas.
func (c *burden) Tick(now time.Duration) []Parcel {
	if c.How == "past" && c.written >= c.Keys {
		return c.read(now)
	}
	return c.keep(now, c.Parallel, c.work, func(frame []byte) { c.spread(true, frame) })
}

// work returns the operations of the next request.
func (c *burden) work() (ops [][]byte) {
	if round := c.Light + c.Parallel; c.Light > 0 && c.number%round < c.Light {
		c.made++
		return [][]byte{c.Operation(c.made)}
	}
	if c.How == "deleted" {
		return c.gone()
	}
	for range c.Ops {
		switch {
		case c.written < c.Keys && c.How != "values" || c.How == "counts" && (c.number%8 == 0 || c.Burdens.Count == nil):
			c.made++
			c.written++
			ops = append(ops, c.Operation(c.made))
		case c.How == "values":
			c.made++
			return append(ops, c.Burdens.Value(c.made, int(c.Bytes)))
		case c.How == "transactions":
			c.made++
			ops = append(ops, c.Burdens.Transaction(c.made))
		default:
			ops = append(ops, c.Burdens.Count)
		}
	}
	return ops
}

// gone returns operations that put keys, delete them, and then count them. Between two counts, single keys are put and
// deleted.
func (c *burden) gone() (ops [][]byte) {
	for range c.Ops {
		switch g := c.Burdens.Gone; {
		case c.written < c.Keys:
			ops = append(ops, g.Put(c.written))
			c.written++
		case c.deleted < c.Keys:
			ops = append(ops, g.Delete(c.deleted))
			c.deleted++
		case c.number%16 == 0 && len(ops) == 0:
			ops = append(ops, g.Put(c.number%c.Keys))
		case c.number%16 == 8 && len(ops) == 0:
			ops = append(ops, g.Delete((c.number-8)%c.Keys))
		default:
			ops = append(ops, g.Count)
		}
	}
	return ops
}

// emptyClient sends as many empty operations as it can. An empty operation has no bytes, but it takes memory for a list
// entry, and the machine is called for it (S4).
var emptyClient = tamper.Describe[hollow]("empty-client", tamper.Byzantine,
	"sends the primary alone hundreds of requests at once, each of as many empty operations as it may have",
	"other clients keep ≥ 50 % of what they ask for; no view change")

type hollow struct {
	many
	Parallel uint64 `default:"512" max:"1024" doc:"requests that it has under way at once"`
	Ops      uint64 `default:"256" max:"256" doc:"empty operations in a request"`
}

// Tick keeps c.Parallel requests under way at the primary.
func (c *hollow) Tick(now time.Duration) []Parcel {
	empty := func() [][]byte { return make([][]byte, c.Ops) }
	return c.keep(now, c.Parallel, empty, func(frame []byte) { c.send(c.primary(), true, frame) })
}

// many is a client with many requests under way.
type many struct {
	caller
	under []asked // requests under way, by number
}

// asked is a request that is under way.
type asked struct {
	number uint64
	frame  []byte
	at     time.Duration
	done   bool
}

// keep has two tasks: it sends a request again that was not answered within T/4, and it sends a new request for each one
// that was answered.
func (c *many) keep(now time.Duration, parallel uint64, work func() [][]byte, post func(frame []byte)) []Parcel {
	c.open()
	c.under = slices.DeleteFunc(c.under, func(a asked) bool { return a.done })
	for i := range c.under {
		if a := &c.under[i]; now-a.at >= c.ViewTimeout/4 {
			a.at = now
			post(a.frame)
		}
	}
	for uint64(len(c.under)) < parallel {
		c.number++
		m := &wire.Request{ID: wire.RequestID{Client: c.Key, Session: c.Session, T: c.number}, AckedBelow: c.number, Ops: work()}
		if len(c.under) > 0 {
			m.AckedBelow = c.under[0].number
		}
		wire.SignRequest(c.Cluster, m, c.sign)
		c.under = append(c.under, asked{number: c.number, frame: wire.Encode(m), at: now})
		post(c.under[len(c.under)-1].frame)
	}
	return c.flush()
}

// Replied treats every answer except Busy as the end of a request.
func (c *many) Replied(from wire.ReplicaID, m *wire.Reply) {
	c.caller.Replied(from, m)
	i, found := slices.BinarySearchFunc(c.under, m.ID.T, func(a asked, t uint64) int { return cmp.Compare(a.number, t) })
	if found && m.ID.Client == c.Key && m.ID.Session == c.Session && m.Outcome != wire.OutcomeBusy {
		c.under[i].done = true
	}
}
