package sim

import (
	"encoding/binary"
	"time"

	"tagma/checkpoint/store"
	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// executorHost runs a node's executor and its mover in virtual time. The core gets the result of a batch when the batch's
// execution time has passed, and a write ends with its sync.
type executorHost struct {
	busy    bool          // the executor is doing a piece of work
	results []port.Event  // results of that piece of work; the core gets them when it ends
	takes   time.Duration // how long that piece takes
	timer   uint64        // token of the timer of the next flush

	received uint64 // bytes of a fetched state, as last reported
	passed   uint64 // deleted keys that range reads have skipped so far
}

var _ replica.Host = (*node)(nil)

// Beside implements replica.Host. It does the job at once, and reports its end when the job's sync is over.
func (n *node) Beside(job func() func()) {
	done := job()
	n.synced(func() {
		done()
		n.tell()
	})
}

// synced begins a sync of the store, and calls do when the sync is over.
func (n *node) synced(do func()) {
	n.after(n.w.opt.Sync, func() {
		n.medium.all((*medium).settle)
		do()
		n.work()
		n.wake()
	})
}

// FlushAfter implements replica.Host.
func (n *node) FlushAfter(d time.Duration) {
	n.room.timer++
	timer := n.room.timer
	n.after(d, func() {
		if timer == n.room.timer {
			n.exec.Due()
			n.work()
		}
	})
}

// Now implements replica.Host. It returns the time of the process's own clock, which begins with the process.
func (n *node) Now() time.Duration { return n.w.now - n.began }

// Report implements replica.Host. The core is told that a fetched state is complete only when all of it is durable.
func (n *node) Report(ev port.Event) {
	if _, whole := ev.(port.Transferred); whole {
		n.synced(func() { n.lanes.executed = append(n.lanes.executed, ev) })
		return
	}
	if done, is := ev.(port.Executed); is {
		for _, cost := range done.Costs {
			n.room.takes += time.Duration(cost) * n.w.opt.Unit
		}
		passed := n.exec.Service.PassedDeleted() // skipping takes time, although it is not part of the request's cost
		n.room.takes += time.Duration(passed-n.room.passed) * n.w.opt.Unit
		n.room.passed = passed
		done.Took = n.room.takes
		ev = done
	}
	n.room.results = append(n.room.results, ev)
}

// Send implements replica.Host and replica.Outlet. It sends a message that does not come from the core.
func (n *node) Send(to wire.ReplicaID, m wire.Message) {
	asks{n}.Send(to, wire.Encode(m))
}

// work lets the executor do its next piece of work.
func (n *node) work() {
	if !n.up || n.exec == nil || n.room.busy {
		return
	}
	n.room.takes = n.w.opt.Execution
	more, err := n.exec.Step()
	switch {
	case err != nil:
		n.die(err)
	case more:
		n.room.busy = true
		n.after(n.room.takes, n.executed)
	default:
		n.tell()
	}
}

// executed is called when a piece of work has ended.
func (n *node) executed() {
	n.room.busy = false
	if n.strike.batch(AfterExecute, wire.Seq(n.exec.Service.Executed())) {
		n.hit()
		n.crash(n.strike.Loss)
		return
	}
	n.tell()
	n.work()
	n.wake()
}

// tell gives the results of the work to the core in its next turn.
func (n *node) tell() {
	n.lanes.executed = append(n.lanes.executed, n.room.results...)
	clear(n.room.results)
	n.room.results = n.room.results[:0]
}

// backTick gives the time to the mover, which fetches states, and to the donor, which serves them.
func (n *node) backTick() {
	if n.exec == nil {
		return
	}
	if n.exec.Mover().Active() {
		n.exec.Mover().Tick(n.Now())
		if p := n.exec.Mover().Progress(); n.tap != nil && p.Bytes != n.room.received {
			n.room.received = p.Bytes
			n.tap.Emit(&trace.Transfer{Step: trace.Moving, Seq: p.Seq, Share: p.Share, Bytes: p.Bytes})
		}
		n.tell()
		n.work()
	}
	if n.beats%scrubBeats == 0 && !n.exec.Mover().Active() {
		n.scrub()
	}
	if n.beats%64 == 0 && n.donor != nil {
		n.donor.Tick(n.Now())
	}
}

// scrubBeats is how often a replica searches its store for damage, in ticks.
const scrubBeats = 256

// scrub makes a whole pass over the store at once. A real node makes it in small steps.
func (n *node) scrub() {
	if found, err := n.searched(); err == nil && found.Damaged() {
		n.lanes.executed = append(n.lanes.executed, port.Damaged{})
		n.wake()
	}
}

// searched returns what a whole pass over a store finds. The error says that there is no checkpoint yet.
func (n *node) searched() (store.Findings, error) {
	pass, err := n.data.Store.Scrub()
	if err != nil {
		return store.Findings{}, err
	}
	defer pass.Close()
	pass.Step(1 << 30)
	return pass.Findings(), nil
}

// toDonor lets the donor answer a question of another replica.
func (n *node) toDonor(from wire.ReplicaID, v wire.Verified) {
	if n.donor == nil || n.paused {
		return
	}
	n.donor.Ask(from, v.Message(), n.Now())
	for n.donor.Step(n.Now()) {
	}
}

// toMover gives a donor's answer to the mover, which fetches states.
func (n *node) toMover(from wire.ReplicaID, v wire.Verified) {
	if n.exec == nil || n.paused {
		return
	}
	n.exec.Mover().Data(from, v, n.Now())
	n.tell()
	n.work()
	n.wake()
}

func (n *node) applied(e port.Execute, replies []*wire.Reply) {
	if m := n.observed(); m != nil {
		m.Applied(n.id, e.Seq, e.Body, replies)
		n.w.tellApplied(e, replies)
		n.w.executedIn(n.id, e.Seq, e.Body.Time, replies)
	}
	n.w.mark('e', int(n.id), uint64(e.Seq), prefix(e.Body.Digest()))
}

// durableAt reports that the store holds a state durably.
func (n *node) durableAt(seq wire.Seq, root wire.Digest) {
	if m := n.observed(); m != nil {
		m.Root(n.id, seq, root)
	}
	n.w.mark('k', int(n.id), uint64(seq), prefix(root))
}

// adopted reports that a fetched state has become the state of the store.
func (n *node) adopted(seq wire.Seq, _ wire.Digest) {
	root := n.rootAt(seq) // computed from what is stored, and not taken from what was announced (I13)
	n.w.counts.Transfers++
	if m := n.observed(); m != nil {
		m.Transferred(n.id, seq, root)
	}
	n.w.mark('d', int(n.id), uint64(seq), prefix(root))
}

// rootAt is the root of the state that the store serves as that of a sequence number.
func (n *node) rootAt(seq wire.Seq) wire.Digest {
	tree, view, err := n.data.Store.Pin(uint64(seq))
	if err != nil {
		n.w.fail("I13", n.id, "the state after %d cannot be read: %v", seq, err)
		return wire.Digest{}
	}
	defer view.Close()
	defer tree.Release()
	return tree.Root()
}

func prefix(d wire.Digest) uint64 { return binary.LittleEndian.Uint64(d[:]) }
