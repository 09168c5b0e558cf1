package local

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"tagma/internal/node"
	"tagma/network"
	"tagma/pbft/wire"
)

// Observer asks replicas how they are, over links of its own.
type Observer struct {
	host *network.ClientHost

	mu      sync.Mutex
	latest  []node.Report // by replica
	heard   []uint64      // by replica: how many reports came
	arrived chan struct{} // closed and replaced when one comes
}

// Observe connects to the cluster's replicas, now and whenever they come back.
func (c *Cluster) Observe() (*Observer, error) {
	n := len(c.File.Replicas)
	o := &Observer{latest: make([]node.Report, n), heard: make([]uint64, n), arrived: make(chan struct{})}
	host, err := network.Dial(network.ClientConfig{
		Seed: c.observer.Seed(), Members: c.File.Members(), Greeting: c.File.Greeting(),
	}, o)
	if err != nil {
		return nil, fmt.Errorf("observe the replicas: %w", err)
	}
	o.host = host
	return o, nil
}

// Close ends the links.
func (o *Observer) Close() error { return o.host.Close() }

// FromReplica takes a report.
func (o *Observer) FromReplica(from int, frame []byte) {
	m, err := wire.Decode(frame)
	if err != nil {
		return
	}
	answer, ok := m.(*wire.Report)
	if !ok {
		return
	}
	var r node.Report
	if json.Unmarshal(answer.Document, &r) != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.latest[from] = r
	o.heard[from]++
	close(o.arrived)
	o.arrived = make(chan struct{})
}

// Ask asks replicas for reports and returns those that arrive before ctx ends, by replica.
func (o *Observer) Ask(ctx context.Context, ids []int) map[int]node.Report {
	o.mu.Lock()
	before := append([]uint64(nil), o.heard...)
	o.mu.Unlock()
	inquiry := wire.Encode(&wire.Inquire{})
	asked := 0
	for _, id := range ids {
		if o.host.Send(id, inquiry) {
			asked++
		}
	}
	for {
		got := make(map[int]node.Report, len(ids))
		o.mu.Lock()
		for _, id := range ids {
			if o.heard[id] > before[id] {
				got[id] = o.latest[id]
			}
		}
		arrived := o.arrived
		o.mu.Unlock()
		if len(got) >= asked {
			return got
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return got
		}
	}
}

// askPatience is how long a report may take: a replica answers from memory.
const askPatience = time.Second

// Until asks replicas again and again until their reports satisfy a condition. It returns the last reports; when ctx
// ends first the error says so.
func (o *Observer) Until(ctx context.Context, ids []int, every time.Duration, holds func(map[int]node.Report) bool) (map[int]node.Report, error) {
	for {
		short, cancel := context.WithTimeout(ctx, askPatience)
		got := o.Ask(short, ids)
		cancel()
		if holds(got) {
			return got, nil
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return got, ctx.Err()
		}
	}
}

// WaitReady waits until all of these replicas report that they are well: connected to a quorum, in an active view, and
// not behind. The error says what is wrong with the first one that is not.
func (o *Observer) WaitReady(ctx context.Context, ids []int) error {
	got, err := o.Until(ctx, ids, 50*time.Millisecond, func(got map[int]node.Report) bool {
		return Unwell(got, ids) == ""
	})
	if err != nil {
		return fmt.Errorf("wait for the replicas: %w: %s", err, Unwell(got, ids))
	}
	return nil
}

// Unwell says what is wrong with the first of these replicas that is not well, going by reports; "" if all are.
func Unwell(got map[int]node.Report, ids []int) string {
	for _, id := range ids {
		switch r, answered := got[id]; {
		case !answered:
			return fmt.Sprintf("replica %d does not answer", id)
		case r.Health != "ok":
			return fmt.Sprintf("replica %d: %s", id, r.Health)
		}
	}
	return ""
}
