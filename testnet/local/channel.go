package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
	"sync"
	"time"

	"tagma/internal/node"
	"tagma/internal/page"
)

// channel is the parent program's connection with a replica's process. The parent writes orders to the process's
// standard input, and reads answers from its standard output.
type channel struct {
	*rpc.Client
	asking sync.WaitGroup
	gone   chan struct{} // closed when the process has ended

	mu    sync.Mutex
	told  Told
	asked time.Time // when the replica was asked for its last report
}

// askEvery is the time between two questions for a replica's report.
const askEvery = 50 * time.Millisecond

// openChannel sends a process the orders that were given before its start, and asks it for reports until it ends.
func openChannel(ends pipes, first *Setup) *channel {
	ch := &channel{Client: jsonrpc.NewClient(ends), gone: make(chan struct{})}
	// A replica that could not begin ends, and its log says why.
	ch.Go("Replica.Begin", first, new(bool), make(chan *rpc.Call, 1))
	ch.asking.Go(func() {
		for {
			var told Told
			asked := time.Now()
			if ch.Call("Replica.Tell", 0, &told) != nil {
				return
			}
			ch.mu.Lock()
			ch.told, ch.asked = told, asked
			ch.mu.Unlock()
			select {
			case <-time.After(askEvery):
			case <-ch.gone:
				return
			}
		}
	})
	return ch
}

func (ch *channel) last() (told Told, asked time.Time) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.told, ch.asked
}

// end waits until everything that an ended process wrote was read, and returns the process's last counts.
func (ch *channel) end() Counts {
	close(ch.gone)
	_ = ch.Close() // the process has ended and writes nothing more
	ch.asking.Wait()
	told, _ := ch.last()
	return told.Counts
}

// pipes are a connection of two pipes.
type pipes struct {
	io.ReadCloser
	out io.WriteCloser
}

// writePatience bounds a write. A running replica reads within microseconds.
const writePatience = 2 * time.Second

// Write implements io.ReadWriteCloser. It has a deadline, because a paused replica reads nothing and a pipe holds only
// 64 KiB.
func (p pipes) Write(b []byte) (int, error) {
	if pipe, ok := p.out.(interface{ SetWriteDeadline(at time.Time) error }); ok {
		_ = pipe.SetWriteDeadline(time.Now().Add(writePatience)) // if the pipe takes no deadline, the write may block
	}
	return p.out.Write(b)
}

// Close implements io.ReadWriteCloser.
func (p pipes) Close() error { return errors.Join(p.ReadCloser.Close(), p.out.Close()) }

// Counts returns the sums over all lives of a replica, up to its last report. A replica sends reports twenty times a
// second.
func (c *Cluster) Counts(id int) Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum Counts
	sum.add(c.past[id])
	if p := c.processes[id]; p != nil {
		told, _ := p.channel.last()
		sum.add(told.Counts)
	}
	return sum
}

// Report returns the last report of a running replica, and when it was asked for: the zero time if there is none yet.
func (c *Cluster) Report(id int) (r node.Report, asked time.Time, runs bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.processes[id]; p != nil {
		told, asked := p.channel.last()
		return told.Report, asked, true
	}
	return r, asked, false
}

// Ask asks replicas for reports, and returns those of replicas that run, are not paused, and answer before ctx ends.
func (c *Cluster) Ask(ctx context.Context, ids []int) map[int]node.Report {
	calls := make(map[int]*rpc.Call)
	for _, id := range ids {
		if call := c.call(id, "Replica.Tell", 0, new(Told)); call != nil {
			calls[id] = call
		}
	}
	got := make(map[int]node.Report, len(calls))
	for id, call := range calls {
		select {
		case <-call.Done:
			if call.Error == nil {
				got[id] = call.Reply.(*Told).Report
			}
		case <-ctx.Done():
		}
	}
	return got
}

// Gather returns the events of a replica since the last call. The cluster must be Shown. Runs is false if the replica
// does not run or is paused.
func (c *Cluster) Gather(ctx context.Context, id int, g Gathering) (b *page.Batch, runs bool, err error) {
	b = new(page.Batch)
	call := c.call(id, "Replica.Gather", &g, b)
	if call == nil {
		return nil, false, nil
	}
	select {
	case <-call.Done:
		return b, true, call.Error
	case <-ctx.Done():
		return nil, true, ctx.Err() // the answer may still be written into b, so b must not be used
	}
}

// Metrics returns the present values of a replica's counters, in the order of names.
func (c *Cluster) Metrics(ctx context.Context, id int, names ...string) (values []float64, err error) {
	call := c.call(id, "Replica.Measure", names, &values)
	if call == nil {
		return nil, fmt.Errorf("replica %d does not run", id)
	}
	select {
	case <-call.Done:
		return values, call.Error
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// call calls a method of a replica. It returns nil if the replica does not run or is paused.
func (c *Cluster) call(id int, method string, about, answer any) *rpc.Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.processes[id]
	if p == nil || p.paused {
		return nil
	}
	return p.channel.Go(method, about, answer, make(chan *rpc.Call, 1))
}

// askPatience bounds the time of a report. A replica answers from memory.
const askPatience = time.Second

// Until asks replicas again and again until their reports satisfy a condition. The error says that ctx ended first.
func (c *Cluster) Until(ctx context.Context, ids []int, holds func(map[int]node.Report) bool) error {
	for {
		short, cancel := context.WithTimeout(ctx, askPatience)
		got := c.Ask(short, ids)
		cancel()
		if holds(got) {
			return nil
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// WaitReady waits until all of these replicas report that they are healthy: connected with a quorum, in an active view,
// and not behind. The error says what is wrong with the first one that is not.
func (c *Cluster) WaitReady(ctx context.Context, ids ...int) error {
	wrong := ""
	err := c.Until(ctx, ids, func(got map[int]node.Report) bool {
		wrong = Unwell(got, ids)
		return wrong == ""
	})
	if err != nil {
		return fmt.Errorf("wait for the replicas: %w: %s", err, wrong)
	}
	return nil
}

// Unwell says what is wrong with the first of these replicas that is not healthy according to its report; "" if all are
// healthy.
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
