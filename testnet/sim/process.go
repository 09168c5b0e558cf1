package sim

import (
	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/testnet/sim/disk"
)

// open makes a process from what the disk holds, as a node does.
func (n *node) open() (err error) {
	n.process = process{}
	if n.data, err = replica.Open(n.home()); err != nil {
		n.process = process{}
		return err
	}
	n.replica = n.data.Replica
	n.data.Votes.Rotated = func() { n.spare, n.turn.rotated = true, true }
	n.data.Votes.Written = func(records []wire.Record) { n.turn.written = append(n.turn.written, records...) }
	n.data.Votes.Waits = n.waits
	n.prepareSegment()
	service, err := n.data.Serve(n.state, n.w.opt.Limits, nil)
	if err == nil {
		err = n.connect(service)
	}
	if err != nil {
		return err
	}
	n.mustReach()
	if at := n.data.Applied; at.Seq > 0 {
		n.durableAt(at.Seq, at.Root)
	}
	n.hear(n.replica.Position().Executed, n.data.Log)
	n.recall(n.data.Log)
	n.data.Log = nil
	return nil
}

// connect connects the parts of a process, after its disk was found to be usable.
func (n *node) connect(service *statemachine.Service) (err error) {
	if n.core, err = n.actor(); err != nil {
		return err
	}
	n.turn = turn{}
	service.LeapFrom(1)
	service.VerifyWith(func(key [32]byte, message []byte, sig [64]byte) bool {
		return n.w.keys.holds([]wire.Claim{{Signer: key, Signed: message, Sig: sig}})
	})
	n.room.passed = service.PassedDeleted()
	n.exec = replica.NewExecutor(n.cfg, n, n.data.Store, service)
	n.exec.Applied, n.exec.Durable, n.exec.Adopted = n.applied, n.durableAt, n.adopted
	n.donor = replica.NewDonor(n.cfg, n.data.Store, n.data.Votes, n.Send)
	p := ports{n}
	n.driver = driver.New(n.cfg, watched{n.core, n}, driver.Ports{
		Journal: p, Signer: n.party, Transport: p, Machine: p, Observers: n.observers(), Log: n.data.Log, Unguarded: len(n.malice) > 0,
	})
	return nil
}

// mustReach checks D5: if a replica could follow, and its disk was damaged only by crashes, it must be able to start
// from its disk. Its journal may begin above its state only if commit certificates did not reach that far (X1).
func (n *node) mustReach() {
	if n.replica.Inspect().LeftBehind && !n.strayed && n.w.Correct(n.id) {
		n.w.fail("D5", n.id, "its own disk holds no state that it can start from")
	}
}

// prepareSegment makes the file of the next segment in the background.
func (n *node) prepareSegment() {
	if err := n.data.Votes.Prepare(); err != nil {
		n.tap.Emit(&trace.Process{Step: trace.Noted, Why: err.Error()}) // not fatal: the next rotation is slower, or fails
	}
}

// ask starts a replica that may have forgotten its own votes. It asks the others (D8.6).
func (n *node) ask(why string) {
	if n.w.Correct(n.id) && !n.harmed {
		n.w.fail("D8.3", n.id, "its disk was never harmed, and a start finds that it may have forgotten: %s", why)
	}
	n.w.counts.Forgotten++
	n.lapses++
	n.tap.Emit(&trace.Process{Step: trace.Stopped, Why: "it may have forgotten what it signed: " + why})
	n.disk.Crash(disk.Kill, n.w.damage) // the process has no file open any more
	n.asking = replica.NewAsking(n.home(), why)
	n.strayed = true
}

// askingStep gives an event to a replica that asks. Once its new life is written, the replica is started in it.
func (n *node) askingStep(ev port.Event) {
	if _, is := ev.(port.Tick); is {
		if text, err := n.asking.Waits(n.Now()); err != nil {
			n.again("its journal is there again")
			return
		} else if text != "" {
			n.tap.Emit(&trace.Process{Step: trace.Noted, Why: text})
		}
	}
	begins, err := n.asking.Take(ev, asks{n}, n.observers()...)
	if begins || err != nil {
		n.asking = nil
	}
	switch {
	case err != nil:
		n.die(err)
	case begins:
		n.putBack = false
		n.disk.Settle()
		if m := n.observed(); m != nil {
			m.Forgot(n.id)
		}
		n.again("it begins a new life")
	}
}

// again ends the process and starts it at once.
func (n *node) again(why string) {
	n.tap.Emit(&trace.Process{Step: trace.Stopped, Why: why})
	n.stop()
	n.disk.Crash(disk.Kill, n.w.damage)
	if err := n.start(); err != nil && n.w.Correct(n.id) {
		n.w.fail("refused to start", n.id, "after %s: %v", why, err)
	}
}

// forget ends the process of a replica to which another one has shown a statement that its journal lacks (D8.5). If the
// replica's disk has kept everything, that is a violation, because the replica would begin a new life without reason.
func (n *node) forget() {
	why := n.lost
	if n.w.Correct(n.id) {
		n.w.fail("D8.5", n.id, "its disk has lost nothing, and it was shown a loss: %s", why)
	}
	n.stop()
	n.starts++
	n.ask(why)
	n.begin()
}
