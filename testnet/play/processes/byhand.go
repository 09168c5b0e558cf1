package processes

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"tagma/testnet/check"
	"tagma/testnet/local"
)

// The methods in this file are for programs that control a cluster step by step, without a timetable. Load must have
// been called.

// Local returns the cluster's processes.
func (c *Cluster) Local() *local.Cluster { return c.local }

// Deaths returns the processes that have ended so far without being asked to.
func (c *Cluster) Deaths() []local.Death {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	return slices.Clone(c.watch.dead)
}

// End ends replicas cleanly, all of them if none is named.
func (c *Cluster) End(ids ...int) error {
	if len(ids) == 0 {
		ids = c.local.Running()
	}
	c.watch.set(down, ids...)
	return c.local.Stop(local.Patience, ids...)
}

// Found returns how many keys the last ReadBack found.
func (c *Cluster) Found() int { return len(c.found) }

// Pace changes how many operations of the workload are sent in a second; 0: each worker sends the next one when the one
// before is done.
func (c *Cluster) Pace(perSecond float64) { c.load.pace(perSecond) }

// Overwrite makes the first client write the n-th key, from 0 on, of its first worker. It returns the sequence number of
// the batch. The workload must be stopped.
func (c *Cluster) Overwrite(ctx context.Context, n int) (seq uint64, err error) {
	first := &c.load.makers[0]
	return c.write(ctx, keyOf(ownedBy(first.client)+"00", 1+n%first.keys))
}

// Probe makes the first client write a key that nobody has written before. The workload may continue meanwhile.
func (c *Cluster) Probe(ctx context.Context) error {
	c.probes++
	_, err := c.write(ctx, keyOf(ownedBy(c.load.makers[0].client)+"probe", c.probes))
	return err
}

func (c *Cluster) write(ctx context.Context, key string) (seq uint64, err error) {
	since := c.load.beside()
	value := text(c.s.Workload.ValueBytes, rand.New(rand.NewPCG(c.s.Seed, uint64(since))))
	seq, err = c.load.perform(ctx, c.load.makers[0].client, since, check.Op{Kind: check.Put, Key: key, Value: value})
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", key, err)
	}
	return seq, nil
}
