package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tagma/client"
)

// Caller sends requests to a cluster. Several goroutines use it at once.
type Caller interface {
	// Call returns nil once the request was executed, or an error.
	Call(ctx context.Context, r *Request) error
}

// Session makes a client a Caller.
func Session(c interface {
	DoMany(ctx context.Context, ops [][]byte, opts ...client.CallOption) (client.Result, error)
},
) Caller {
	return session(c.DoMany)
}

type session func(ctx context.Context, ops [][]byte, opts ...client.CallOption) (client.Result, error)

func (s session) Call(ctx context.Context, r *Request) error {
	var options []client.CallOption
	if r.Read {
		options = append(options, client.ReadOnly())
	}
	result, err := s(ctx, r.Operations(), options...)
	if err != nil {
		return err
	}
	return r.judge(result.Outputs)
}

// Progress says how far a run is.
type Progress struct {
	Warming bool
	Done    int // operations acknowledged in this phase
	Of      int // operations in this phase; 0: Length ends it
	Elapsed time.Duration
	Length  time.Duration // of this phase; 0: Of ends it
}

// Run puts the load that the options describe on the callers: client i uses caller i mod len(callers). Progress, if
// not nil, is called at every interval on a goroutine of Run. Run returns an error only if the options are invalid or
// the context ends. Operations that fail are counted in the result.
func Run(ctx context.Context, callers []Caller, opt Options, every time.Duration, progress func(Progress)) (*Result, error) {
	if err := opt.Check(); err != nil {
		return nil, err
	}
	if progress == nil {
		progress, every = func(Progress) {}, time.Hour
	}
	run := &run{callers: callers, opt: &opt, every: every, progress: progress}
	if opt.Warmup > 0 {
		run.phase(ctx, true, 0, opt.Warmup)
	}
	measured := run.phase(ctx, false, opt.Ops, opt.Duration)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("the run was interrupted: %w", context.Cause(ctx))
	}
	return measured.result(), nil
}

type run struct {
	callers  []Caller
	opt      *Options
	every    time.Duration
	progress func(Progress)
}

// phase runs all clients until ops operations were sent, or, if ops is 0, until the time is over. It returns when all
// requests are answered.
func (r *run) phase(ctx context.Context, warming bool, ops int, length time.Duration) *recorder {
	began := time.Now()
	plan, record := newSchedule(r.opt, began, ops, length), newRecorder(began)
	var clients, watch sync.WaitGroup
	for i := range r.opt.Clients {
		clients.Go(func() { r.client(ctx, r.callers[i%len(r.callers)], plan, record) })
	}
	over := make(chan struct{})
	watch.Go(func() {
		p := Progress{Warming: warming, Of: ops}
		if ops == 0 {
			p.Length = length
		}
		r.watch(over, began, record, p)
	})
	clients.Wait()
	close(over)
	watch.Wait()
	return record
}

func (r *run) watch(over <-chan struct{}, began time.Time, record *recorder, p Progress) {
	ticker := time.NewTicker(r.every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.Done, p.Elapsed = record.acknowledged(), time.Since(began)
			r.progress(p)
		case <-over:
			return
		}
	}
}

// client sends one request after the other.
func (r *run) client(ctx context.Context, c Caller, plan *schedule, record *recorder) {
	for {
		t, ok := plan.take()
		if !ok {
			return
		}
		from, ok := t.wait(ctx)
		if !ok {
			return
		}
		req := workload{r.opt}.request(t.first, t.n)
		record.submitted(t.n)
		err := r.call(ctx, c, &req)
		record.answered(t.n, time.Since(from), err)
	}
}

func (r *run) call(ctx context.Context, c Caller, req *Request) error {
	ctx, cancel := context.WithTimeout(ctx, r.opt.Timeout)
	defer cancel()
	return c.Call(ctx, req)
}
