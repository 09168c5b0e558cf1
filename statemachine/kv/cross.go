package kv

import (
	"bytes"
	"errors"

	"tagma/statemachine"
	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
)

// If its state is at version 2 or later, the store takes part in transactions over several clusters (package commit). A
// part compares keys, and puts and deletes single keys. It takes exclusive locks on the keys that it writes, and shared
// locks on the keys that it compares. So the compares still hold when the writes are made, and transactions over several
// clusters are serializable (TX4).

// Part is the store's part of a transaction over several clusters (commit.Part): if all compares hold, the operations are
// executed, otherwise the whole transaction is aborted. The operations are Put and Delete, at most MaxTxnOps of them.
func Part(compares []Compare, ops ...[]byte) []byte { return Txn(compares, ops, nil) }

// The reasons for which a part is not prepared.
var (
	errPart    = errors.New("the part must be a transaction of puts and deletes of single keys")
	errCompare = errors.New("a compare does not hold")
)

// participant is the store as package commit sees it.
type participant struct{ machine *Machine }

// parsePart reads a Part.
func parsePart(t *commit.Transaction, part int) (*txn, error) {
	o, code := decodeOperation(t.Parts[part].Op, knows{})
	switch {
	case code != 0:
		return nil, code
	case o.kind != opTxn || len(o.txn.orElse) > 0 || len(o.txn.compares)+len(o.txn.then) == 0:
		return nil, errPart
	}
	for i := range o.txn.then {
		if w := &o.txn.then[i]; (w.kind != opPut || w.previous) && !w.deletesOne() {
			return nil, errPart
		}
	}
	return o.txn, nil
}

// deletesOne reports whether the operation is a Delete.
func (o *operation) deletesOne() bool {
	return o.kind == opDeleteRange && len(o.key) > 0 && o.end != nil && bytes.Equal(o.end, Next(o.key))
}

// Locks implements commit.Participant.
func (participant) Locks(t *commit.Transaction, part int) ([]commit.Lock, error) {
	x, err := parsePart(t, part)
	if err != nil {
		return nil, err
	}
	var locks []commit.Lock
	for i := range x.compares {
		locks = append(locks, commit.Lock{Name: x.compares[i].Key})
	}
	for i := range x.then {
		locks = append(locks, commit.Lock{Name: x.then[i].key, Exclusive: true})
	}
	return locks, nil
}

// Prepare implements commit.Participant.
func (participant) Prepare(tx statemachine.Txn, t *commit.Transaction, part int) error {
	x, err := parsePart(t, part)
	if err != nil {
		return err
	}
	if _, hold := x.choose(tx); !hold {
		return errCompare
	}
	return nil
}

// Apply implements commit.Participant.
func (p participant) Apply(tx statemachine.Txn, t *commit.Transaction, part int) {
	x, err := parsePart(t, part)
	if err != nil {
		panic("kv: a prepared part is malformed")
	}
	run := p.machine.newRun(tx, tx)
	for i := range x.then {
		run.do(&x.then[i])
	}
	run.close()
}

// Undo implements commit.Participant. It does nothing, because a part holds only locks.
func (participant) Undo(statemachine.Txn, *commit.Transaction, int) {}

// Held implements statemachine.Holder.
func (Machine) Held(r statemachine.Reader) statemachine.Held {
	if r.Version() < crossVersion {
		return statemachine.Held{}
	}
	return commit.Held(r)
}

// Attest implements statemachine.Attester: the store vouches for what it recorded about transactions over several clusters.
func (Machine) Attest(r statemachine.Reader, op []byte) (statement []byte, ok bool) {
	if r.Version() < crossVersion {
		return nil, false
	}
	said, ok := commit.Attest(r, op)
	return attest.Machine(MachineName, said), ok
}

// held returns who holds keys that an ordinary operation would change, or nil. A revert, like a delete, is refused if
// any key of its range is locked, even if it would not change that key.
func held(tx statemachine.Txn, o *operation) *commit.Locked {
	switch o.kind {
	case opPut:
		return commit.Written(tx, o.key)
	case opDeleteRange:
		return commit.Range(tx, o.key, o.end)
	case opRevert:
		return commit.Range(tx, o.key, PrefixEnd(o.key))
	}
	return nil
}

// heldFor returns who holds keys that a transaction's chosen list would change. If the list changes anything, it also
// returns a transaction that is about to change a compared key: that transaction may already be committed in another
// group, so the old value must not be used.
func heldFor(tx statemachine.Txn, t *txn, branch []operation) *commit.Locked {
	modifies := false
	for i := range branch {
		if l := held(tx, &branch[i]); l != nil {
			return l
		}
		modifies = modifies || branch[i].modifies()
	}
	for i := range t.compares {
		if !modifies {
			break
		}
		if l := commit.Read(tx, t.compares[i].Key); l != nil {
			return l
		}
	}
	return nil
}
