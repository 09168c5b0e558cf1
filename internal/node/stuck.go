package node

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"tagma/pbft/wire"
)

// If an operation does not end, no later batch is executed. That happens on every replica, and a restart executes the
// operation again. Nothing can end the operation, because a goroutine cannot be killed. So the replica reports it, in
// its health and once in its log. An operator can then put the request on the list of refused requests.

// stuckAfter is how long the execution of a batch may take before it counts as stuck. Within the limits, no operation
// that ends takes nearly as long.
const stuckAfter = 10 * time.Second

// batchUnderWay is the batch that is being executed.
type batchUnderWay struct {
	seq   wire.Seq
	since time.Time
}

// overdue is the batch whose execution takes too long, or nil.
func (n *Node) overdue() *Executing {
	if i := n.instance.Load(); i != nil {
		return i.machine.overdue()
	}
	return nil
}

func (m *machine) overdue() *Executing {
	seq, took := m.executing()
	if took < stuckAfter {
		return nil
	}
	e := &Executing{Seq: uint64(seq), Seconds: int(took.Seconds())}
	e.Request, e.Client = m.underWay()
	return e
}

// underWay names the request that is being executed, and its client.
func (m *machine) underWay() (request, client string) {
	if r := m.executor.Service.UnderWay(); r != nil {
		return hex.EncodeToString(r.Digest[:]), hex.EncodeToString(r.Client[:])
	}
	return "", ""
}

// executing returns which batch is being executed and for how long; 0 and 0 if none is.
func (n *Node) executing() (wire.Seq, time.Duration) {
	if i := n.instance.Load(); i != nil {
		return i.machine.executing()
	}
	return 0, 0
}

func (m *machine) executing() (wire.Seq, time.Duration) {
	if e := m.doing.Load(); e != nil {
		return e.seq, time.Since(e.since)
	}
	return 0, 0
}

// watchStuck logs each batch whose execution takes too long, once, with the stack of the executing goroutine, until the
// context ends.
func (m *machine) watchStuck(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(stuckAfter / 10)
	defer ticker.Stop()
	told := wire.Seq(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if late := m.overdue(); late != nil && wire.Seq(late.Seq) != told {
			told = wire.Seq(late.Seq)
			log.Error("a batch does not end: its operation is an endless loop, or far too much for this machine",
				"seq", late.Seq, "seconds", late.Seconds, "request", late.Request, "client", late.Client,
				"stack", string(stacksIn(courseCode)))
		}
	}
}

// batchPatience is how long a stopping replica waits for the batch that is being executed. A batch that does not hang
// takes at most about a second.
const batchPatience = 10 * time.Second

// Stuck is the error of a replica that had to stop while it executed a batch that does not end. One of its goroutines
// still runs, so the process must end. Journal and store are as after a crash: everything durable is correct, and the
// next start executes the batch again.
type Stuck struct {
	Seq     uint64
	Request string // digest, in hex
	After   time.Duration
}

// Error is one line that says what to do.
func (s *Stuck) Error() string {
	return fmt.Sprintf("batch %d did not end within %v, nothing that was answered is lost; request %s hangs: if it ends on no replica,"+
		" stop them all, add it to refused_requests in every cluster.toml, and start them", s.Seq, s.After, s.Request)
}

// await waits until the parts of an instance have ended. After the instance was told to end, it waits for the executor
// only for a limited time.
func (i *instance) await(ctx context.Context, wait func() error) error {
	ended := make(chan error, 1)
	go func() {
		ended <- wait()
		close(i.over)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience := cmp.Or(i.node.opt.batchPatience, batchPatience)
	select {
	case err := <-ended:
		return err
	case <-time.After(patience / 10):
	}
	if seq, _ := i.machine.executing(); seq != 0 {
		i.node.log.Warn("the replica is to stop and waits for the batch that it executes; a second signal ends it at once",
			"seq", uint64(seq), "at_most", patience.String())
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(patience - patience/10):
	}
	seq, _ := i.machine.executing()
	if seq == 0 {
		return <-ended
	}
	i.stuck = true
	request, _ := i.machine.underWay()
	err := error(&Stuck{Seq: uint64(seq), Request: request, After: patience})
	if hasFailed(ctx) {
		err = errors.Join(context.Cause(ctx), err)
	}
	return err
}

// The names of functions by which a stack is recognised.
const (
	courseCode = "statemachine.(*course).goOn("
	queryCode  = "statemachine.(*Service).query("
)

// stacksIn returns the stacks of the goroutines that are executing the given function.
func stacksIn(code string) []byte {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var found []byte
	for _, one := range bytes.Split(all, []byte("\n\n")) {
		if bytes.Contains(one, []byte(code)) {
			found = append(append(found, one...), '\n')
		}
	}
	return found
}
