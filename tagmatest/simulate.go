package tagmatest

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/internal/machines"
	"tagma/statemachine"
	"tagma/testnet/sim"
	"tagma/testnet/swarm"
)

// Workload says what the clients of a simulated cluster do.
type Workload struct {
	// Next returns an operation. It must take all randomness from r, so that a seed always gives the same run.
	Next func(r *rand.Rand) Op
	// Operations is how many operations all clients together send in a run; 0: 60.
	Operations int
	// Before, if not nil, makes the machine of the previous release of the program. It is for an application whose state
	// has versions (statemachine.Versioned). The run begins with it on every replica. When half of the operations were
	// asked for, the program is replaced on one replica after the other. Then a client upgrades the state to the newest
	// version, step by step, while the others continue; MayUpgrade must allow that to this client.
	Before func() statemachine.Machine
	// Model, if not nil, makes an empty model of the application: a function that is called with one operation after
	// the other and returns the result that the application must give. It may be simple and slow.
	Model func() func(o Executed) (result []byte)

	upgraded int // runs in which all upgrades were answered
}

// Executed is an operation with what the machine could see when it executed it.
type Executed struct {
	Op
	Client [32]byte  // the caller's public key, as from Txn.Client
	Seq    uint64    // the sequence number of the batch
	Time   time.Time // the agreed time of the batch

	Version int // of the state; 1 for an application without versions
}

// Op is one operation.
type Op struct {
	Bytes []byte
	Query bool // it modifies nothing, and is executed by Query
}

// defaultOperations is how many operations a run has by default.
const defaultOperations = 60

// Simulate runs clusters of the application in virtual time, one for each seed from 0 on. The seed decides everything:
// how many replicas there are (4 to 10), how fast their links and disks are, when messages are lost, links are cut and
// replicas crash, and which replicas lie and how; there are at most as many of these as the cluster masks. The replicas
// run the code of real replicas.
//
// In every run the invariants of replication are checked: correct replicas give equal answers, have equal states at
// every checkpoint, and execute no operation twice. In about half of the runs the faults end, and then every operation
// must be answered. With a model, each answer must equal the model's, in one order of execution that agrees with the
// order in which clients were answered. The failure names the seed, says what was violated, and lists the last events.
// The same seed fails again.
func Simulate(t *testing.T, newMachine func() statemachine.Machine, w Workload, seeds int) {
	t.Helper()
	if w.Next == nil || seeds < 1 {
		t.Fatal("Simulate: give a Workload with Next, and at least one seed")
	}
	answered := 0
	for seed := range uint64(seeds) {
		n, why := w.simulate(newMachine, seed)
		if why != "" {
			t.Fatalf("seed %d: %s", seed, why)
		}
		answered += n
	}
	if answered == 0 {
		t.Fatalf("Simulate: not one operation was answered in %d runs, so nothing was tested", seeds)
	}
	if w.Before != nil && w.upgraded == 0 {
		t.Fatalf("Simulate: in none of %d runs the state was upgraded, so no upgrade was tested", seeds)
	}
}

// simulate makes the run of a seed. It returns how many operations were answered, and which rules were violated.
func (w *Workload) simulate(newMachine func() statemachine.Machine, seed uint64) (answered int, why string) {
	r := newRollout(w, newMachine)
	out, err := sim.Run(planOf(seed), func(o *sim.Options) {
		o.Application, o.Limits.FirstVersion = r.newMachine, r.first
		o.Begin = func(world *sim.World) { w.begin(world, o.Clients, seed, r) }
	})
	if err != nil {
		return 0, err.Error()
	}
	if v := out.Violation; v != nil {
		hint := ""
		if v.Invariant == "I5" { // I5 is the rule that equal operations give equal states
			hint = "; the machine is not deterministic, and Deterministic may say why"
		}
		return 0, fmt.Sprintf("%v%s\nthe last events:\n%s", v, hint, strings.Join(out.Trace, "\n"))
	}
	if !r.unfinished() {
		w.upgraded++
	}
	return w.judge(out.World.History(), r)
}

// planOf draws a run in which the plan makes no client send anything and kills no client. The workload decides what
// clients send.
func planOf(seed uint64) *sim.Plan {
	p := swarm.Narrow.Draw(seed, 0)
	p.Machine, p.History, p.Sessions, p.ReplyBytes = machines.KV, 0, 0, 0
	p.Workload = sim.Workload{Kind: sim.None, NoHedging: p.Workload.NoHedging}
	p.Faults = slices.DeleteFunc(p.Faults, func(f sim.Fault) bool { return f.Do == sim.ClientKill })
	return p
}

// begin makes the clients send one operation after the other, with some time in between.
func (w *Workload) begin(world *sim.World, clients int, seed uint64, r *rollout) {
	random := rand.New(rand.NewPCG(seed, 0x776f_726b))
	all := cmp.Or(w.Operations, defaultOperations)
	left := all
	think := func() time.Duration {
		return 10*time.Millisecond + time.Duration(random.Int64N(int64(150*time.Millisecond)))
	}
	for i := range clients {
		var next func()
		next = func() {
			if left == 0 {
				return
			}
			if left == 1 && r.unfinished() { // the last operation waits until the state was upgraded
				world.At(world.Now()+think(), next)
				return
			}
			left--
			if left == all/2 {
				r.begin(world)
			}
			op := w.Next(random)
			world.SubmitThen(i, [][]byte{op.Bytes}, op.Query, func() { world.At(world.Now()+think(), next) })
		}
		world.At(think(), next)
	}
}

// judge compares the answers with the model's.
func (w *Workload) judge(history []*sim.Operation, r *rollout) (answered int, why string) {
	type execution struct {
		*sim.Operation
		sim.Execution
	}
	var executed []execution
	for _, o := range history {
		if o.Known && len(o.Results) > 0 {
			answered++
		}
		if e, ran := o.Execution(); ran {
			executed = append(executed, execution{o, e})
		}
	}
	if w.Model == nil {
		return answered, ""
	}
	slices.SortFunc(executed, func(a, b execution) int { return cmp.Compare(a.Order, b.Order) })
	apply := w.Model()
	latest := time.Duration(0) // when the latest of the operations executed before was sent
	for _, o := range executed {
		if r.upgrades(o.Operation) {
			if r.failed != "" {
				return answered, r.failed
			}
			continue
		}
		want := apply(Executed{Op{o.Ops[0], o.Kind.ReadOnly}, o.Execution.Client, uint64(o.Execution.Seq), o.Time, r.version})
		if !o.Known || len(o.Results) == 0 {
			latest = max(latest, o.Invoked)
			continue
		}
		if got := o.Results[0]; !bytes.Equal(got, want) {
			return answered, fmt.Sprintf("operation %q was answered %q, and the model says %q", o.Ops[0], got, want)
		}
		if o.Returned < latest {
			return answered, fmt.Sprintf("operation %q was answered before one was asked for that was executed before it", o.Ops[0])
		}
		latest = max(latest, o.Invoked)
	}
	return answered, ""
}
