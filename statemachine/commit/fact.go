package commit

import (
	"slices"

	"tagma/crypto"
	"tagma/statemachine"
	"tagma/statemachine/attest"
)

// A fact is what one group vouches for about a transaction (TX5). It is a machine's statement without a sequence number,
// so it has the same bytes whenever and by whichever replica it is signed. A participant vouches for StatePrepared or
// StateRefused, also after it finished; a coordinator for StateCommitted or StateAborted.

// fact returns what a group with this record vouches for.
func (rec *record) fact() State {
	if rec.coordinator || rec.State == StateRefused {
		return rec.State
	}
	return StatePrepared
}

func said(tid TID, fact State) []byte {
	return append([]byte{mark, formatVersion, byte(fact)}, tid[:]...)
}

// Statement is the statement by which the members of a group that runs the machine of this name vouch for a fact.
func Statement(machine string, tid TID, fact State) []byte {
	return attest.Machine(machine, said(tid, fact))
}

// parseFact reads a statement of the machine of this name.
func parseFact(machine string, statement []byte) (tid TID, fact State, ok bool) {
	b, ok := attest.SaidBy(machine, statement)
	if !ok || len(b) != 3+len(tid) || b[0] != mark || b[1] != formatVersion {
		return TID{}, StateNone, false
	}
	fact = State(b[2])
	return TID(b[3:]), fact, fact >= StatePrepared && fact <= StateAborted
}

// Attest returns what a replica vouches for about the transaction of a ReadRecord operation, from executed state: the
// part of the statement that follows the machine's name. It is false as long as the group has no record.
func Attest(r statemachine.Reader, op []byte) (statement []byte, ok bool) {
	o, code := decodeOperation(op)
	if code != 0 || o.kind != opRecord {
		return nil, false
	}
	rec := readRecord(r, o.tid)
	if rec == nil {
		return nil, false
	}
	return said(o.tid, rec.fact()), true
}

// FactOf returns the transaction and the fact of a certificate by a group, without verifying it.
func FactOf(g *Group, c *attest.Certificate) (tid TID, fact State, ok bool) {
	return parseFact(g.Machine, c.Statement)
}

// Contradiction returns the replicas of a group that signed both statements, if these contradict each other: prepared
// and refused, or committed and aborted, of one transaction. That proves that these replicas lied, because no correct
// replica signs both (TX12). Invalid signatures do not count.
func Contradiction(g *Group, a, b *attest.Certificate) (replicas []int) {
	first, one, okA := parseFact(g.Machine, a.Statement)
	second, other, okB := parseFact(g.Machine, b.Statement)
	if !okA || !okB || first != second || one == other || (one <= StateRefused) != (other <= StateRefused) {
		return nil
	}
	signed := signers(g, a)
	for _, replica := range signers(g, b) {
		if slices.Contains(signed, replica) {
			replicas = append(replicas, replica)
		}
	}
	return replicas
}

// signers returns the members whose signatures under a certificate are valid, however few there are.
func signers(g *Group, c *attest.Certificate) (replicas []int) {
	members, verifier := g.Members(), crypto.NewVerifier(0, nil)
	if c.Check(members, 1) != nil {
		return nil
	}
	for i, holds := range verifier.VerifyEach(c.Claims(members)) {
		if holds {
			replicas = append(replicas, c.Signatures[i].Replica)
		}
	}
	return replicas
}
