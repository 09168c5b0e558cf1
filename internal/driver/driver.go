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

// Verb says what a host must do for an action.
type Verb uint8

// The verbs.
const (
	Execute Verb = 1 // the group must execute the operation, in its order
	Read    Verb = 2 // the group must answer the operation, which changes nothing
	Attest  Verb = 3 // collect a certificate of what the group vouches for with this operation
)

func (v Verb) String() string {
	return [...]string{"nothing", "execute", "read", "attest"}[v%4]
}

// Action is something that the host must do. When it has ended, even if it failed, the host reports it: Execute and Read
// with Executed, and Attest with Attested, in any order. A host should stop trying after some seconds, because the
// driver tries again.
type Action struct {
	Group [32]byte
	Do    Verb
	Op    []byte
}

// Config is a transaction, and what a driver needs to run it.
type Config struct {
	Transaction *commit.Transaction
	// The groups of the transaction, as a client knows them from their cluster files; others may be listed, too.
	Groups []commit.Group
	Random *rand.Rand // spreads the times at which several drivers try again
	// Resolve makes the driver complete a transaction that another driver began. It prepares nothing, so that no group
	// becomes part of a transaction that its own driver gave up. If a group is not prepared, it waits for the deadline.
	Resolve bool
}

// Outcome is what a driver knows.
type Outcome struct {
	// State is commit.StateCommitted or commit.StateAborted, as the coordinator decided, or commit.StateNone as long as its
	// decision is not known.
	State commit.State
	Cause commit.Cause // of an abort
	Group [32]byte     // the group that refused
	Why   string       // why a machine refused its part, if the driver was told
	// The coordinator's receipt, which a third party can check; nil as long as it is not collected.
	Decision *attest.Certificate
	Open     [][32]byte // the groups that may still hold keys or amounts of the transaction
	Last     error      // the last error of any action, if it keeps the driver from continuing
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

// party is a group of the transaction, with the driver's progress there.
type party struct {
	group    commit.Group
	step     step
	underWay bool
	again    int64 // when to try again; 0: there is nothing to try again
	wait     int64 // the last pause; each pause is twice the one before
	receipt  *attest.Certificate
	fact     commit.State // what the receipt says
}

// step is what the driver does next with a group.
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

// New returns a driver. It returns an error if the transaction is malformed, or if one of its groups is not listed.
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

// Tick returns the actions that have become due.
func (d *Driver) Tick(now int64) []Action { return d.goOn(now) }

// Wake returns when Tick is due. It is 0 if the driver only waits for the end of an action.
func (d *Driver) Wake() (at int64) {
	for _, p := range d.parties {
		if !p.underWay && p.again > 0 && (at == 0 || p.again < at) {
			at = p.again
		}
	}
	return at
}

// Ended reports whether nothing is left to do: the decision is known, and no group holds locks or amounts any more.
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

// Executed handles the result of an Execute or Read, or the error that it had.
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

// Attested handles the certificate of an Attest, or the error that it had.
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

// later makes the driver try the group's step again after a pause.
func (d *Driver) later(p *party, now int64, why error) {
	if why != nil {
		d.outcome.Last = fmt.Errorf("%s: %w", p.group.Name, why)
	}
	p.wait = min(max(2*p.wait, firstPause), lastPause)
	p.again = now + p.wait/2 + d.random.Int64N(p.wait/2+1)
}

// next moves a group to its next step, at once.
func (p *party) next(s step) { p.step, p.again, p.wait = s, 0, 0 }

// goOn returns every action that can begin now.
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

// advance moves on the groups that have waited for other groups.
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
	if d.leader.step == toWait { // wait a little longer than the deadline, because the coordinator's clock decides
		d.leader.again = d.txn.Deadline + firstPause
	}
}

// mayDecide reports whether the coordinator can decide: every other group is prepared, one of them has refused, or the
// deadline has passed.
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

// action returns the action for a group's step.
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

// receipts returns the receipts that were collected, ascending by group.
func (d *Driver) receipts() (all []*attest.Certificate) {
	for _, p := range d.parties {
		if p != d.leader && p.receipt != nil {
			all = append(all, p.receipt)
		}
	}
	return all
}

// looked handles a group's answer to the question what it knows, in a driver that resolves.
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
		d.later(p, now, nil) // the group may be prepared later, or the deadline will decide
	}
}

// prepared handles a participant's answer to Prepare.
func (d *Driver) prepared(p *party, now int64, result []byte) {
	o, err := commit.DecodeOutcome(result)
	// The key is locked, or the part was refused without a record: the group holds nothing, and the deadline ends the
	// transaction.
	if err != nil {
		d.outcome.Why = err.Error()
		d.later(p, now, err)
		return
	}
	if o.State == commit.StateRefused {
		d.outcome.Why = o.Why
	}
	p.next(toVouch)
}

// decided handles the coordinator's answer to Decide.
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

// finished handles a participant's answer to Finish.
func (d *Driver) finished(p *party, now int64, result []byte) {
	_, err := commit.DecodeOutcome(result)
	if err == nil || errors.Is(err, commit.NoRecord) {
		p.next(finished)
		return
	}
	d.later(p, now, err)
}

// vouched handles a certificate of a group.
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
		p.next(finished) // the group holds nothing, whatever the decision is
	default:
		p.next(toWait)
	}
	return nil
}
