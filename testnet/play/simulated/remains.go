package simulated

import (
	"encoding/hex"
	"fmt"
	"slices"

	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/history"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// Remains implements play.Cluster.
func (c *cluster) Remains() (*play.Remains, error) {
	if err := c.traced(); err != nil {
		return nil, fmt.Errorf("write the trace: %w", err)
	}
	v := c.w.Violation()
	if v == nil && len(c.s.Events)+len(c.s.Malicious) > 0 {
		c.w.Monitor().Converged(c.rested()...)
	}
	r := &play.Remains{
		Invariants: c.w.Monitor().Results(), Violated: v != nil, Replicas: c.Replicas(), Views: len(c.w.Monitor().Views()), Order: c.order(),
	}
	if v == nil && c.s.Workload.Kind != scenario.KindNone {
		r.Calls = c.w.Calls()
	}
	if v != nil && !slices.ContainsFunc(r.Invariants, func(c check.Result) bool { return !c.Held }) {
		r.Invariants = append(r.Invariants, check.Result{ID: v.Invariant, Checked: 1, Why: v.Error()})
	}
	for _, a := range c.w.Evidence() {
		e := a.Evidence
		holds := e.Verify(c.w.Config(), c.w.Holds) == nil // with the public keys alone
		r.Proofs = append(r.Proofs, play.Proof{Replica: int(e.Replica), Kind: string(e.Kind), Holds: holds})
	}
	for id := range wire.ReplicaID(c.s.Replicas) {
		if !c.w.Up(id) && c.w.Why(id) != nil {
			r.Stopped = append(r.Stopped, int(id))
		}
	}
	_, r.Failed = c.heard.sent()
	r.Course = c.heard.course
	r.Course.Slots = c.slots()
	return r, nil
}

// rested returns the correct replicas that must have converged.
func (c *cluster) rested() (ids []wire.ReplicaID) {
	apart := c.w.Links().Apart(c.w.Config().Quorum())
	for id := range wire.ReplicaID(c.s.Replicas) {
		if c.w.Correct(id) && c.w.Up(id) && !slices.Contains(apart, id) && !(c.s.Expect.Halts() && c.w.Asks(id)) {
			ids = append(ids, id)
		}
	}
	return ids
}

// order lists the executed operations in order, each once. Operations that are not written in the scenario are named by
// number.
func (c *cluster) order() (names []string) {
	if len(c.s.Expect.Order) == 0 {
		return nil
	}
	ran := map[wire.RequestID]bool{}
	for seq := wire.Seq(1); c.heard.order[seq] != nil; seq++ {
		for _, q := range c.heard.order[seq].Requests {
			if !ran[q.ID] {
				ran[q.ID] = true
				names = append(names, c.name(q))
			}
		}
	}
	return names
}

// named returns all operations that the scenario writes down.
func (c *cluster) named() (all []scenario.Operation) {
	all = append(all, c.s.Expect.Order...)
	for _, e := range c.s.Events {
		all = append(all, e.Submit...)
	}
	for _, l := range c.s.Scripts {
		all = append(all, l.Send.Batch...)
	}
	return all
}

// slots returns what correct replicas executed at the sequence numbers that the scenario asks for.
func (c *cluster) slots() map[wire.Seq]string {
	found := map[wire.Seq]string{}
	for _, s := range c.s.Expect.Slots {
		switch body := c.heard.order[s.Seq]; {
		case body == nil:
		case body.Digest() == wire.NullDigest:
			found[s.Seq] = scenario.NullSlot
		default:
			d := body.Digest()
			found[s.Seq] = hex.EncodeToString(d[:])
		}
	}
	return found
}

func (c *cluster) name(q *wire.Request) string {
	for _, o := range c.named() {
		o.T = q.ID.T
		if q.ID.Client == c.w.ClientKey(o.Client) && len(q.Ops) == 1 && string(q.Ops[0]) == string(history.Encode(&o.Op)) {
			return o.String()
		}
	}
	return fmt.Sprintf("%v:%d", q.ID.Client, q.ID.T)
}
