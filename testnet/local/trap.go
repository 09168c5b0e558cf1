package local

import (
	"os"
	"slices"
	"sync/atomic"
	"syscall"

	"tagma/internal/trace"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Moment is a point in a replica's work at which its process must end. When says which point. It refers to the next
// message of Type, or to the batch at Seq or the first one after it.
type Moment struct {
	When When
	Type wire.Type
	Seq  wire.Seq
}

// When says which moment.
type When string

// The moments.
const (
	BeforeDurable When = "before durable" // the sync of the message is under way
	BeforeSend    When = "before send"    // the message is durable, and was not sent to any replica
	BeforeExecute When = "before execute" // the batch's certificate is durable, and the machine does not have the batch
	AfterExecute  When = "after execute"  // the machine has executed the batch, and the core does not know
)

// trap ends the process at the moment that is set. It wraps the driver's ports.
type trap struct {
	end func() // does not return
	driver.Journal
	driver.Machine
	set    atomic.Pointer[Moment]
	anchor func() []wire.Record // of the driver
}

// around puts the trap around the ports of a driver.
func (t *trap) around(p driver.Ports) driver.Ports {
	t.Journal, t.Machine = p.Journal, p.Machine
	p.Journal, p.Machine = t, t
	return p
}

// waits reports whether the trap waits for such a moment.
func (t *trap) waits(when When) (m *Moment, waits bool) {
	m = t.set.Load()
	return m, m != nil && m.When == when
}

// endProcess ends the process in the same way as SIGKILL. It does not return.
func endProcess() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// Append implements driver.Journal.
func (t *trap) Append(turn []wire.Record, anchor func() []wire.Record) error {
	return t.write(t.Journal.Append, turn, anchor)
}

// Later implements driver.Journal.
func (t *trap) Later(turn []wire.Record, anchor func() []wire.Record) error {
	return t.write(t.Journal.Later, turn, anchor)
}

func (t *trap) write(how func([]wire.Record, func() []wire.Record) error, turn []wire.Record, anchor func() []wire.Record) error {
	t.anchor = anchor
	switch m := t.set.Load(); {
	case m == nil || !says(turn, m.Type):
	case m.When == BeforeDurable:
		go t.end()
		_ = t.Journal.Append(turn, anchor)
		select {} // the message must not leave, so this never returns
	case m.When == BeforeSend:
		if err := t.Journal.Append(turn, anchor); err != nil {
			return err
		}
		t.end()
	}
	return how(turn, anchor)
}

// says reports whether records hold a message of a type that the replica itself sends.
func says(turn []wire.Record, t wire.Type) bool {
	return t != 0 && slices.ContainsFunc(turn, func(r wire.Record) bool {
		sent, is := r.(*wire.Sent)
		return is && wire.TypeOf(sent.Msg) == t
	})
}

// Do implements driver.Machine.
func (t *trap) Do(work port.Effect) {
	if m, waits := t.waits(BeforeExecute); waits {
		if e, is := work.(port.Execute); is && e.Seq >= m.Seq && t.Journal.Append(nil, t.anchor) == nil {
			t.end()
		}
	}
	t.Machine.Do(work)
}

// hear sees each event before the core does.
func (t *trap) hear(e trace.Event) {
	if m, waits := t.waits(AfterExecute); waits {
		if x, is := e.(*trace.Executed); is && x.Seq >= m.Seq {
			t.end()
		}
	}
}
