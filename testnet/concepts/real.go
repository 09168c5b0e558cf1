package concepts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tagma/client"
	"tagma/internal/cluster"
	"tagma/internal/trace"
	"tagma/statemachine/kv"
	"tagma/testnet/local"
	"tagma/testnet/play"
)

// Some concepts are about what replicas report to other programs, or leave on disks. They are demonstrated with replicas
// as real processes, on ports of the loopback.

// Place is where a concept is demonstrated with processes.
type Place struct {
	Dir     string // for the files; made if it is not there
	Trace   play.Trace
	patient time.Duration // how long the effect of a fault may take; 0: local.Patience
}

func (p *Place) patience() time.Duration { return cmp.Or(p.patient, local.Patience) }

// cluster starts four replicas with admin addresses. End ends them and writes the trace.
func (p *Place) cluster(ctx context.Context, name string) (c *local.Cluster, end func() error, err error) {
	o := local.Options{
		Dir: filepath.Join(p.Dir, "site"), Replicas: 4, Admin: true, TraceOnly: p.Trace.Only,
		Protocol: cluster.Protocol{CheckpointInterval: 16, LogWindow: 32},
	}
	written := func() error { return nil }
	if p.Trace.File != "" {
		o.Trace = filepath.Join(p.Dir, "trace")
		written = func() error {
			return trace.MergeDir(p.Trace.File, o.Trace, trace.Header{Engine: play.Processes, Replicas: o.Replicas, Name: name})
		}
		if err := os.MkdirAll(o.Trace, 0o755); err != nil {
			return nil, nil, fmt.Errorf("make a directory for traces: %w", err)
		}
	}
	if c, err = local.Create(o); err != nil {
		return nil, nil, err
	}
	end = func() error {
		stopped := c.Stop(local.Patience) // so that the ends of their traces are written
		c.Close()
		return errors.Join(stopped, written())
	}
	if err := serving(ctx, c); err != nil {
		return nil, nil, errors.Join(err, end())
	}
	return c, end, nil
}

// serving starts all replicas of a cluster and waits until they serve.
func serving(ctx context.Context, c *local.Cluster) error {
	if err := c.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, local.Patience)
	defer cancel()
	return c.WaitReady(ctx, 0, 1, 2, 3)
}

// writes puts so many keys, and returns the sequence number at which each was written.
func writes(ctx context.Context, clusterFile, key, prefix string, n int) (at []uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, local.Patience)
	defer cancel()
	c, err := client.Dial(ctx, clusterFile, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for i := range n {
		w, err := kv.NewClient(c).Put(ctx, prefix+strconv.Itoa(i), []byte(prefix+"value"))
		if err != nil {
			return nil, err
		}
		at = append(at, w.Seq)
	}
	return at, nil
}

// harm causes the fault that a card needs in some replicas.
type harm func(c *local.Cluster, ids ...int)

func kill(c *local.Cluster, ids ...int) { c.Kill(ids...) }

// lose ends replicas and removes their disks with everything on them.
func lose(c *local.Cluster, ids ...int) {
	c.Kill(ids...)
	for _, id := range ids {
		_ = os.RemoveAll(c.Home(id)) // what remains is checked: the replica is asked afterwards
	}
}
