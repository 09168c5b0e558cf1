package commit

import (
	"tagma/statemachine"
	"tagma/statemachine/attest"
	"tagma/statemachine/codec"
)

// Participant is what a machine does with its parts of transactions. The methods must be as deterministic as Apply. The
// package keeps records and locks, and calls the methods in this order: Locks, then Prepare, and then, if Prepare did
// not refuse, exactly one of Apply and Undo. At the coordinator, Prepare and Apply are called in the same operation.
type Participant interface {
	// Locks names the keys that a part locks, from its operation alone. It returns an error if the part can never be
	// prepared; the text of the error is a constant.
	Locks(t *Transaction, part int) ([]Lock, error)
	// Prepare checks a part against the state and holds back what Apply will need, so that Apply cannot fail later. The
	// error says why the part is refused for good, in a constant text of at most MaxWhy bytes; nothing may be written
	// then. It should hold amounts and room, not keys: the locks protect keys.
	Prepare(tx statemachine.Txn, t *Transaction, part int) error
	// Apply makes a prepared part's changes.
	Apply(tx statemachine.Txn, t *Transaction, part int)
	// Undo releases what Prepare held.
	Undo(tx statemachine.Txn, t *Transaction, part int)
}

// Apply executes an operation of this package, which Is recognises.
func Apply(tx statemachine.Txn, p Participant, op []byte) []byte {
	o, code := decodeOperation(op)
	if code != 0 {
		return refusal(code)
	}
	x := &execution{tx: tx, p: p, operation: o}
	switch o.kind {
	case opSetGroup:
		return setGroup(tx, &o.group)
	case opPrepare:
		return x.prepare()
	case opDecide:
		return x.decide()
	case opFinish:
		return x.finish()
	}
	return answer(tx, p, o)
}

// execution is one operation that changes the state.
type execution struct {
	*operation
	tx   statemachine.Txn
	p    Participant
	part int // the index of this group's part
}

func (x *execution) result(o *Outcome) []byte { return appendOutcome(begin(x.kind), o) }

// record stores a record and returns its outcome as the result.
func (x *execution) record(rec *record) []byte {
	rec.write(x.tx, x.tid)
	drop(x.tx)
	return x.result(&rec.Outcome)
}

// prepare is TX3.
func (x *execution) prepare() []byte {
	if rec := readRecord(x.tx, x.tid); rec != nil {
		return x.result(&rec.Outcome)
	}
	if code := x.mayPrepare(); code != 0 {
		return refusal(code)
	}
	locks, err := locksOf(x.p, x.txn, x.part)
	if err != nil {
		return refusal(Malformed)
	}
	if l := conflict(x.tx, locks); l != nil {
		return l.Result()
	}
	rec := &record{deadline: x.txn.Deadline}
	if err := x.p.Prepare(x.tx, x.txn, x.part); err != nil {
		rec.State, rec.Why = StateRefused, why(err)
		return x.record(rec)
	}
	client := x.tx.Client()
	rec.State, rec.since, rec.client, rec.encoded, rec.part = StatePrepared, now(x.tx), client, x.encoded, x.part
	take(x.tx, x.tid, locks)
	x.tx.Put(openKey(x.tid), codec.AppendInt(nil, rec.since))
	s := readSums(x.tx)
	sums{s.open + 1, s.locks + uint64(len(locks))}.write(x.tx)
	setOpenOf(x.tx, client, openOf(x.tx, client)+1)
	return x.record(rec)
}

// mayPrepare makes the checks whose refusal is not recorded. It also finds this group's part.
func (x *execution) mayPrepare() Code {
	self, t := x.tx.Cluster(), x.now()
	x.part = x.txn.Part(self)
	switch {
	case x.part < 0:
		return NotParticipant
	case x.txn.Coordinator == self:
		return WrongRole
	case t > x.txn.Deadline:
		return Late
	case x.txn.Deadline-t > MaxHold:
		return TooFar
	}
	if _, known := GroupOf(x.tx, x.txn.Coordinator); !known {
		return UnknownGroup
	}
	if readSums(x.tx).open >= MaxOpen || openOf(x.tx, x.tx.Client()) >= MaxOpenClient {
		return TooManyOpen
	}
	return 0
}

func (x *execution) now() int64 { return now(x.tx) }

// decide implements TX6. The first record is final. The deadline matters only here (TX9). Any client may ask for the
// decision, with the receipts that it has (TX10).
func (x *execution) decide() []byte {
	self := x.tx.Cluster()
	x.part = x.txn.Part(self)
	switch {
	case x.part < 0:
		return refusal(NotParticipant)
	case x.txn.Coordinator != self:
		return refusal(WrongRole)
	}
	if rec := readRecord(x.tx, x.tid); rec != nil {
		return x.result(&rec.Outcome)
	}
	if x.txn.Deadline-x.now() > 2*MaxHold { // nobody may be prepared yet, and the record of an abort would be kept too long
		return refusal(TooFar)
	}
	rec := &record{coordinator: true, deadline: x.txn.Deadline}
	rec.State = StateAborted
	if x.now() > x.txn.Deadline {
		rec.Cause = CauseDeadline
		return x.record(rec)
	}
	facts := x.facts()
	for i := range x.txn.Parts {
		if facts[i] == StateRefused {
			rec.Cause, rec.Group = CauseRefused, x.txn.Parts[i].Group
			return x.record(rec)
		}
	}
	for i := range x.txn.Parts {
		if i != x.part && facts[i] != StatePrepared {
			return refusal(Incomplete)
		}
	}
	locks, err := locksOf(x.p, x.txn, x.part)
	if err == nil {
		if l := conflict(x.tx, locks); l != nil {
			return l.Result()
		}
		err = x.p.Prepare(x.tx, x.txn, x.part)
	}
	if err != nil {
		rec.Cause, rec.Why = CauseOwnPart, why(err)
		return x.record(rec)
	}
	x.p.Apply(x.tx, x.txn, x.part)
	rec.State = StateCommitted
	return x.record(rec)
}

// facts returns what each participant vouches for, by part: StatePrepared, StateRefused, or StateNone if there is no
// valid receipt.
func (x *execution) facts() []State {
	facts := make([]State, len(x.txn.Parts))
	for _, c := range x.receipts {
		i := x.txn.Part(c.Cluster)
		if i < 0 || i == x.part || facts[i] != StateNone {
			continue
		}
		if fact := x.fact(c, c.Cluster); fact == StatePrepared || fact == StateRefused {
			facts[i] = fact
		}
	}
	return facts
}

// fact returns what a receipt proves about the transaction: a statement about exactly this transaction, signed by enough
// distinct members of this group in the registered epoch (TX2, TX5, TX11). It returns StateNone if the receipt proves
// nothing.
func (x *execution) fact(c *attest.Certificate, group [32]byte) State {
	g, known := GroupOf(x.tx, group)
	if !known {
		return StateNone
	}
	tid, fact, ok := parseFact(g.Machine, c.Statement)
	if !ok || tid != x.tid {
		return StateNone
	}
	members := g.Members()
	if c.Check(members, members.Weak()) != nil {
		return StateNone
	}
	for _, claim := range c.Claims(members) {
		if !x.tx.Verify(claim.Key, claim.Message, claim.Sig) {
			return StateNone
		}
	}
	return fact
}

// finish is TX7.
func (x *execution) finish() []byte {
	rec := readRecord(x.tx, x.tid)
	switch {
	case rec == nil:
		return refusal(NoRecord)
	case rec.coordinator || rec.State != StatePrepared:
		return x.result(&rec.Outcome)
	}
	t := rec.transaction()
	x.part = rec.part
	decision := x.fact(x.receipts[0], t.Coordinator)
	if decision != StateCommitted && decision != StateAborted {
		return refusal(BadReceipt)
	}
	locks, err := locksOf(x.p, t, x.part)
	if err != nil {
		panic("commit: a prepared part is malformed")
	}
	release(x.tx, x.tid, locks)
	x.tx.Delete(openKey(x.tid))
	s := readSums(x.tx)
	sums{s.open - 1, s.locks - uint64(len(locks))}.write(x.tx)
	setOpenOf(x.tx, rec.client, openOf(x.tx, rec.client)-1)
	if decision == StateCommitted {
		x.p.Apply(x.tx, t, x.part)
	} else {
		x.p.Undo(x.tx, t, x.part)
	}
	return x.record(&record{Outcome: Outcome{State: decision}, deadline: rec.deadline})
}

// locksOf returns the locks of a part, each once.
func locksOf(p Participant, t *Transaction, part int) ([]Lock, error) {
	locks, err := p.Locks(t, part)
	if err != nil {
		return nil, err
	}
	if locks = tidy(locks); len(locks) > MaxLocks {
		return nil, Malformed
	}
	return locks, nil
}

func why(err error) string {
	text := err.Error()
	return text[:min(len(text), MaxWhy)]
}
