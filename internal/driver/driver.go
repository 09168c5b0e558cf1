package driver

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
)

// Verb is what a host does for an action.
type Verb uint8

// The verbs.
const (
	Execute Verb = 1 // have the group execute the operation, in its order
	Read    Verb = 2 // have the group answer the operation, which changes nothing
	Attest  Verb = 3 // collect a certificate of what the group vouches for on this operation
)

func (v Verb) String() string {
	return [...]string{"nothing", "execute", "read", "attest"}[v%4]
}

// Action is something that the host is to do. It reports the end of Execute and Read with Executed, and of Attest with
// Attested, in any order, even if it failed. A host should not try for longer than some seconds: the driver tries again.
type Action struct {
	Group [32]byte
	Do    Verb
	Op    []byte
}

// Config is a transaction to be driven.
type Config struct {
	Transaction *commit.Transaction
	Groups      []commit.Group // those of the transaction, as a client knows them from their cluster files; more may be listed
	Random      *rand.Rand     // spreads the times at which several drivers try again
	// Resolve makes the driver end what another one began: it prepares nothing, so that nobody is made part of a transaction
	// that its own driver gave up, and waits for the deadline if a group is not prepared.
	Resolve bool
}

// Outcome is what a driver knows.
type Outcome struct {
	// State is commit.StateCommitted or commit.StateAborted, as the coordinator decided, or commit.StateNone as long as its
	// decision is not known.
	State    commit.State
	Cause    commit.Cause        // of an abort
	Group    [32]byte            // the group that refused
	Why      string              // what a machine said against its part, if the driver was told
	Decision *attest.Certificate // the coordinator's receipt, which a third party can check; nil as long as it is not collected
	Open     [][32]byte          // the groups that may still hold keys or amounts of the transaction
	Last     error               // what hinders the driver, if anything does: the last error of any action
}

// Driver drives one transaction.
type Driver struct {
	txn     *commit.Transaction
	tid     commit.TID
	resolve bool
	random  *rand.Rand
	parties []*party // in the order of the transaction's parts
	leader  *party   // the coordinator
	outcome Outcome
	began   bool
}

// party is a group with how far the driver is there.
type party struct {
	group    commit.Group
	step     step
	underWay bool
	again    int64 // when to try again; 0: nothing to wait for
	wait     int64 // the last pause, doubled each time
	receipt  *attest.Certificate
	fact     commit.State // what the receipt says
}

// step is what the driver wants of a group next.
type step uint8

const (
	toLook    step = iota // ask what it knows
	toPrepare             // a participant
	toVouch               // collect what it vouches for
	toDecide              // the coordinator
	toWait                // for the others
	toFinish              // a participant
	finished              // nothing more is wanted
)

// The pauses before an action is tried again, in nanoseconds.
const (
	firstPause = int64(20e6)
	lastPause  = int64(1e9)
)

// New returns a driver. The error says that the transaction is malformed, or that a group of it is not listed.
func New(c Config) (*Driver, error) {
	if err := c.Transaction.Check(); err != nil {
		return nil, fmt.Errorf("drive a transaction: %w", err)
	}
	d := &Driver{txn: c.Transaction, tid: c.Transaction.ID(), resolve: c.Resolve, random: c.Random}
	for i := range d.txn.Parts {
		id := d.txn.Parts[i].Group
		at := slices.IndexFunc(c.Groups, func(g commit.Group) bool { return g.ID == id })
		if at < 0 {
			return nil, fmt.Errorf("drive a transaction: group %x takes part and is not known here; give its cluster file", id[:4])
		}
		p := &party{group: c.Groups[at], step: toPrepare}
		if d.resolve {
			p.step = toLook
		}
		if id == d.txn.Coordinator {
			d.leader = p
			if !d.resolve {
				p.step = toWait
			}
		}
		d.parties = append(d.parties, p)
	}
	return d, nil
}

// TID is the transaction's identifier.
func (d *Driver) TID() commit.TID { return d.tid }

// Begin returns the first actions. Now is the host's clock in nanoseconds since the Unix epoch, here and everywhere.
func (d *Driver) Begin(now int64) []Action {
	d.began = true
	return d.goOn(now)
}

// Tick returns what has become due.
func (d *Driver) Tick(now int64) []Action { return d.goOn(now) }

// Wake is when Tick is due, 0 if only the end of an action can bring anything new.
func (d *Driver) Wake() (at int64) {
	for _, p := range d.parties {
		if !p.underWay && p.again > 0 && (at == 0 || p.again < at) {
			at = p.again
		}
	}
	return at
}

// Ended reports whether nothing is left to do: the decision is known, and no group holds anything.
func (d *Driver) Ended() bool {
	return !slices.ContainsFunc(d.parties, func(p *party) bool { return p.step != finished })
}

// Outcome returns what is known so far, at any time.
func (d *Driver) Outcome() Outcome {
	o := d.outcome
	o.Decision = d.leader.receipt
	for _, p := range d.parties {
		if p != d.leader && p.step != finished {
			o.Open = append(o.Open, p.group.ID)
		}
	}
	return o
}

// Executed takes the result of an Execute or Read, or why there is none.
func (d *Driver) Executed(now int64, group [32]byte, result []byte, err error) []Action {
	p := d.party(group)
	if p == nil || !p.underWay {
		return nil
	}
	p.underWay = false
	if err != nil {
		d.later(p, now, err)
		return d.goOn(now)
	}
	switch p.step {
	case toLook:
		d.looked(p, now, result)
	case toPrepare:
		d.prepared(p, now, result)
	case toDecide:
		d.decided(p, now, result)
	case toFinish:
		d.finished(p, now, result)
	}
	return d.goOn(now)
}

// Attested takes the certificate of an Attest, or why there is none.
func (d *Driver) Attested(now int64, group [32]byte, c *attest.Certificate, err error) []Action {
	p := d.party(group)
	if p == nil || !p.underWay {
		return nil
	}
	p.underWay = false
	if err == nil {
		err = d.vouched(p, c)
	}
	if err != nil {
		d.later(p, now, err)
	}
	return d.goOn(now)
}

func (d *Driver) party(group [32]byte) *party {
	for _, p := range d.parties {
		if p.group.ID == group {
			return p
		}
	}
	return nil
}

// later notes that the group's step is to be tried again after a pause.
func (d *Driver) later(p *party, now int64, why error) {
	if why != nil {
		d.outcome.Last = fmt.Errorf("%s: %w", p.group.Name, why)
	}
	p.wait = min(max(2*p.wait, firstPause), lastPause)
	p.again = now + p.wait/2 + d.random.Int64N(p.wait/2+1)
}

// next moves a group to its next step, at once.
func (p *party) next(s step) { p.step, p.again, p.wait = s, 0, 0 }

// goOn returns every action that can be begun.
func (d *Driver) goOn(now int64) (actions []Action) {
	if !d.began {
		return nil
	}
	d.advance(now)
	for _, p := range d.parties {
		if p.underWay || p.again > now {
			continue
		}
		p.again = 0
		if a := d.action(p); a.Do != 0 {
			p.underWay = true
			actions = append(actions, a)
		}
	}
	return actions
}

// advance moves the groups that wait for others.
func (d *Driver) advance(now int64) {
	if d.outcome.State != commit.StateNone {
		for _, p := range d.parties {
			switch {
			case p == d.leader || p.underWay || p.step == finished || p.step == toFinish:
			case d.leader.receipt != nil:
				p.next(toFinish)
			default:
				p.next(toWait) // nothing is prepared any more
			}
		}
		return
	}
	if d.leader.step == toWait && d.mayDecide(now) {
		d.leader.next(toDecide)
	}
	if d.leader.step == toWait { // the deadline is tried a little later, because the coordinator's clock counts
		d.leader.again = d.txn.Deadline + firstPause
	}
}

// mayDecide reports whether a decision can be expected: every other group is prepared, one has refused, or time is up.
func (d *Driver) mayDecide(now int64) bool {
	all := true
	for _, p := range d.parties {
		if p != d.leader {
			if p.fact == commit.StateRefused {
				return true
			}
			all = all && p.fact == commit.StatePrepared
		}
	}
	return all || now > d.txn.Deadline
}

// action is what a group is to be asked for in its step.
func (d *Driver) action(p *party) Action {
	a := Action{Group: p.group.ID}
	switch p.step {
	case toLook:
		a.Do, a.Op = Read, commit.ReadRecord(d.tid)
	case toPrepare:
		a.Do, a.Op = Execute, commit.Prepare(d.txn)
	case toVouch:
		a.Do, a.Op = Attest, commit.ReadRecord(d.tid)
	case toDecide:
		a.Do, a.Op = Execute, commit.Decide(d.txn, d.receipts())
	case toFinish:
		a.Do, a.Op = Execute, commit.Finish(d.tid, d.leader.receipt)
	}
	return a
}

// receipts are those that were collected, ascending by group.
func (d *Driver) receipts() (all []*attest.Certificate) {
	for _, p := range d.parties {
		if p != d.leader && p.receipt != nil {
			all = append(all, p.receipt)
		}
	}
	return all
}

// looked is what a group said that it knows, to a driver that resolves.
func (d *Driver) looked(p *party, now int64, result []byte) {
	_, err := commit.DecodeRecord(result)
	switch {
	case err == nil:
		p.next(toVouch)
	case !errors.Is(err, commit.NoRecord):
		d.later(p, now, err)
	case p == d.leader:
		p.next(toWait)
	default:
		d.later(p, now, nil) // it may be prepared later, or the deadline decides
	}
}

// prepared is what a participant answered to Prepare.
func (d *Driver) prepared(p *party, now int64, result []byte) {
	o, err := commit.DecodeOutcome(result)
	if err != nil { // a lock, or refused without a record: nothing is held there, and the deadline ends it
		d.outcome.Why = err.Error()
		d.later(p, now, err)
		return
	}
	if o.State == commit.StateRefused {
		d.outcome.Why = o.Why
	}
	p.next(toVouch)
}

// decided is what the coordinator answered to Decide.
func (d *Driver) decided(p *party, now int64, result []byte) {
	o, err := commit.DecodeOutcome(result)
	if err != nil {
		d.later(p, now, err)
		return
	}
	d.learn(o.State)
	d.outcome.Cause, d.outcome.Group = o.Cause, o.Group
	switch o.Cause {
	case commit.CauseOwnPart:
		d.outcome.Group, d.outcome.Why = p.group.ID, o.Why
	case commit.CauseNone:
		d.outcome.Why = ""
	}
	p.next(toVouch)
}

// learn takes the coordinator's decision.
func (d *Driver) learn(s commit.State) {
	if d.outcome.State == commit.StateNone {
		d.outcome.State = s
	}
}

// finished is what a participant answered to Finish.
func (d *Driver) finished(p *party, now int64, result []byte) {
	_, err := commit.DecodeOutcome(result)
	if err == nil || errors.Is(err, commit.NoRecord) {
		p.next(finished)
		return
	}
	d.later(p, now, err)
}

// vouched takes what a group vouches for.
func (d *Driver) vouched(p *party, c *attest.Certificate) error {
	tid, fact, ok := commit.FactOf(&p.group, c)
	participants := fact == commit.StatePrepared || fact == commit.StateRefused
	if !ok || !bytes.Equal(tid[:], d.tid[:]) || participants == (p == d.leader) {
		return errors.New("the replicas vouch for something else than what they were asked for")
	}
	p.receipt, p.fact = c, fact
	switch {
	case p == d.leader:
		d.learn(fact)
		p.next(finished)
	case fact == commit.StateRefused:
		p.next(finished) // it holds nothing, whatever is decided
	default:
		p.next(toWait)
	}
	return nil
}
