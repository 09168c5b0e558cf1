package sim

import (
	"fmt"
	"time"

	"tagma/internal/machines"
	"tagma/internal/session"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
)

// Options are the options of a world. The zero value, with WithDefaults, gives four correct replicas over links with a
// delay of a millisecond.
type Options struct {
	Seed     uint64
	Replicas int    // default 4
	Cluster  string // its name, if there are several; traces and violations say it
	Beside   *World // a world whose clock this one goes by, too; nil: it has a clock of its own
	// Administrators are numbers of programs, in the order in which they join, whose keys are those of administrators.
	Administrators []int
	Config         wire.Config // parameters; members, cluster and self are filled in
	Limits         statemachine.Limits
	Machine        string // kv or bank; default kv
	// Application makes the machine of each replica, instead of the named machine; nil: the named one is used.
	Application func() statemachine.Machine
	Begin       func(*World) // Run calls it before the first event, so that clients can Ask, for example
	History     int          // how many sequence numbers back a kv machine can read and revert
	Signatures  Signatures   // default Fast

	Base    links.Link  // quality of links between replicas; default 1 ms
	Reach   *links.Link // quality of links to clients; nil: like Base, without loss or doubling
	Clients int
	Workload
	Malicious []Malicious
	Twins     []Twin
	Absent    []wire.ReplicaID // not started before Restart

	Sync         time.Duration // how long a sync takes; default 200 µs
	SyncJitter   time.Duration // upper bound of what is added to Sync, drawn uniformly from 0 on
	WriteDelay   time.Duration // how long votes that were sent early wait to be written (D8.14); default 2 ms
	Execution    time.Duration // how long a batch takes to execute; default 20 µs
	Unit         time.Duration // what each unit of a batch's cost adds to Execution; default 0
	SegmentBytes int64         // of the journals; default 256 KiB

	Inside Wrap // wraps each core; attackers are outside of it
	Around Wrap // wraps each core with its attackers

	Aftermath time.Duration // how long the run continues after a violation, so that evidence against its cause can be found
	// Vouch, unless nil, says what a faulty replica signs when it is asked to attest something, in the place of what it
	// should; not ok: it is silent.
	Vouch func(id wire.ReplicaID, truth []byte) (statement []byte, ok bool)
	// Applied, unless nil, is called with every operation that is executed, once and in the order of execution.
	Applied func(Applied)

	Steps      int               // the run ends after so many events; 0: no such bound
	Unwatched  bool              // no invariant is checked while it runs
	Trace      func(trace.Event) // is called with every event; nil: only the last events are kept
	TraceLines int               // how many last events are kept; default 2000, negative: none
}

// Malicious is a replica with a behaviour, from one time until another.
type Malicious struct {
	Replica wire.ReplicaID
	Choice  byzantine.Choice
	From    time.Duration
	Until   time.Duration // 0: until the run ends
}

// Twin is a second, honest process under the key of a replica, which counts as faulty for that. The twin talks to Peers
// alone, and the first process to all others; without Peers both talk to all.
type Twin struct {
	Replica wire.ReplicaID
	Peers   []wire.ReplicaID
}

// WithDefaults fills in what is zero.
func (o Options) WithDefaults() Options {
	setDefault(&o.Replicas, 4)
	setDefault(&o.Machine, machines.KV)
	setDefault(&o.Base, links.Link{Delay: time.Millisecond})
	setDefault(&o.Sync, 200*time.Microsecond)
	setDefault(&o.WriteDelay, 2*time.Millisecond)
	setDefault(&o.Execution, 20*time.Microsecond)
	setDefault(&o.SegmentBytes, 256<<10)
	setDefault(&o.TraceLines, 2000)
	setDefault(&o.Limits.Window, statemachine.DefaultWindow)
	setDefault(&o.Limits.Sessions, statemachine.DefaultSessions)
	setDefault(&o.Limits.MaxRequestCost, statemachine.DefaultMaxRequestCost)
	setDefault(&o.Limits.MaxBatchCost, statemachine.DefaultMaxBatchCost)
	setDefault(&o.Limits.Rules, statemachine.NewestRules)
	if o.Application == nil {
		setDefault(&o.Limits.FirstVersion, machines.Shipped.FirstVersion(o.Machine))
	}
	if o.Reach == nil {
		o.Reach = &links.Link{Delay: o.Base.Delay, Jitter: o.Base.Jitter}
	}
	o.Config = o.Config.WithDefaults()
	o.Workload = o.Workload.withDefaults(o.Machine)
	o.Limits.MaxResultBytes = o.Config.MaxResultBytes
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o *Options) check() error {
	if least := o.Config.Least(); o.Replicas < least || o.Replicas > wire.MaxMembers {
		return fmt.Errorf("a cluster has %d to %d replicas, not %d", least, wire.MaxMembers, o.Replicas)
	}
	for _, m := range o.Malicious {
		if int(m.Replica) >= o.Replicas {
			return fmt.Errorf("there is no replica %d to be malicious; there are 0 to %d", m.Replica, o.Replicas-1)
		}
		if err := byzantine.Check(m.Choice, o.Replicas); err != nil {
			return err
		}
	}
	for _, t := range o.Twins {
		if int(t.Replica) >= o.Replicas {
			return fmt.Errorf("there is no replica %d to have a twin; there are 0 to %d", t.Replica, o.Replicas-1)
		}
	}
	if s := o.Workload.Semantics; s != "" && s != MixedSemantics {
		if _, err := session.ParseSemantics(s); err != nil {
			return err
		}
	}
	if err := o.Base.Check(); err != nil {
		return err
	}
	return o.Reach.Check()
}
