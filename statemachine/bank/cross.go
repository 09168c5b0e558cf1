package bank

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"math/bits"

	"tagma/statemachine"
	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
	"tagma/statemachine/internal/wire"
)

// If its state is at version 2 or later, the bank takes part in transactions over several clusters (package commit). Its
// part is a list of moves. When a part is prepared, the amount of a debit is held: it remains in the account's balance
// but cannot be spent. A credit reserves room when the part is prepared, so that it cannot overflow later (TX4). Amounts
// commute, so the bank locks no account.

// MaxMoves bounds the moves of one part.
const MaxMoves = 16

// Move is one amount that enters or leaves an account of this bank.
type Move struct {
	Credit  bool // the account receives the amount; otherwise it pays
	Account string
	Amount  uint64   // at least 1
	Group   [32]byte // the other bank
	Other   string   // the account there
}

// Part is the bank's part of a transaction over several clusters (commit.Part). Every amount that leaves one bank for
// another must enter there: each bank checks the parts of all banks against each other, and refuses a part that would make
// or destroy money.
func Part(moves ...Move) []byte {
	b := append([]byte{mark, byte(opPart)}, byte(min(len(moves), 1<<8-1)))
	for i := range moves {
		m := &moves[i]
		flags := byte(0)
		if m.Credit {
			flags = flagCredit
		}
		b = wire.AppendShort(append(b, flags), []byte(m.Account))
		b = binary.BigEndian.AppendUint64(b, m.Amount)
		b = wire.AppendShort(append(b, m.Group[:]...), []byte(m.Other))
	}
	return b
}

const flagCredit = 1 << 0

// The reasons for which a part is not prepared.
var (
	errPart       = errors.New("the part is malformed")
	errUnbalanced = errors.New("the parts do not balance: what one bank sends, the other does not receive")
)

// ParseMoves reads a Part.
func ParseMoves(part []byte) ([]Move, error) {
	c := wire.Cursor{Rest: part}
	if c.Byte() != mark || opType(c.Byte()) != opPart {
		return nil, errPart
	}
	n := c.Byte()
	if n == 0 || n > MaxMoves {
		return nil, errPart
	}
	moves := make([]Move, n)
	for i := range moves {
		m := &moves[i]
		m.Credit = c.Flags(flagCredit) != 0
		m.Account, m.Amount = string(c.Short()), c.Uint64()
		copy(m.Group[:], c.Take(32))
		m.Other = string(c.Short())
		if m.Amount == 0 || !validName([]byte(m.Account)) || !validName([]byte(m.Other)) {
			return nil, errPart
		}
	}
	if !c.Done() {
		return nil, errPart
	}
	return moves, nil
}

// participant is the bank as package commit sees it.
type participant struct{}

// Locks implements commit.Participant: amounts are held, and no key is locked.
func (participant) Locks(t *commit.Transaction, part int) ([]commit.Lock, error) {
	moves, err := ParseMoves(t.Parts[part].Op)
	if err != nil {
		return nil, err
	}
	return nil, balanced(t, part, moves)
}

// balanced compares what this bank sends to each other bank, and what it receives from it, with the parts of the other
// banks.
func balanced(t *commit.Transaction, part int, moves []Move) error {
	self := t.Parts[part].Group
	for i := range moves {
		other := t.Part(moves[i].Group)
		if other < 0 || other == part {
			return errUnbalanced
		}
	}
	for i := range t.Parts {
		if i == part {
			continue
		}
		theirs, _ := ParseMoves(t.Parts[i].Op) // another machine's part sends nothing
		for _, credit := range []bool{false, true} {
			mine, fits := total(moves, t.Parts[i].Group, credit)
			other, alike := total(theirs, self, !credit)
			if !fits || !alike || mine != other {
				return errUnbalanced
			}
		}
	}
	return nil
}

// total returns the sum that moves receive from another bank, or pay to it. It returns false if the sum overflows.
func total(moves []Move, group [32]byte, credit bool) (sum uint64, fits bool) {
	fits = true
	for i := range moves {
		if m := &moves[i]; m.Credit == credit && m.Group == group {
			var carry uint64
			sum, carry = bits.Add64(sum, m.Amount, 0)
			fits = fits && carry == 0
		}
	}
	return sum, fits
}

// Prepare implements commit.Participant.
func (participant) Prepare(tx statemachine.Txn, t *commit.Transaction, part int) error {
	moves, err := ParseMoves(t.Parts[part].Op)
	if err != nil {
		return err
	}
	held, room := map[string]uint64{}, math.MaxUint64-supply(tx)-reserved(tx)
	for i := range moves {
		m := &moves[i]
		a, exists := readAccount(tx, []byte(m.Account))
		switch {
		case !exists && m.Credit:
			return NoRecipient
		case !exists:
			return NoAccount
		case m.Credit && m.Amount > room:
			return Overflow
		case m.Credit:
			room -= m.Amount
		case a.balance < m.Amount:
			return Insufficient
		case a.balance-a.held < m.Amount || a.balance-a.held-held[m.Account] < m.Amount:
			return Held
		default:
			held[m.Account] += m.Amount
		}
	}
	for i := range moves {
		hold(tx, &moves[i], true)
	}
	return nil
}

// hold holds a move's amount or room, or releases it.
func hold(tx statemachine.Txn, m *Move, begins bool) {
	if m.Credit {
		setReserved(tx, changed(reserved(tx), m.Amount, begins))
		return
	}
	a, exists := readAccount(tx, []byte(m.Account))
	if !exists {
		panic("bank: an account of a prepared part is gone")
	}
	a.held = changed(a.held, m.Amount, begins)
	a.write(tx, []byte(m.Account))
	l := readLedger(tx, m.Group)
	l.Held = changed(l.Held, m.Amount, begins)
	l.write(tx, m.Group)
}

func changed(sum, amount uint64, more bool) uint64 {
	if more {
		return sum + amount
	}
	return sum - amount
}

// Apply implements commit.Participant.
func (participant) Apply(tx statemachine.Txn, t *commit.Transaction, part int) {
	moves, err := ParseMoves(t.Parts[part].Op)
	if err != nil {
		panic("bank: a prepared part is malformed")
	}
	for i := range moves {
		m := &moves[i]
		hold(tx, m, false)
		name := []byte(m.Account)
		a, _ := readAccount(tx, name)
		if !m.Credit && a.balance < m.Amount || m.Credit && m.Amount > math.MaxUint64-supply(tx) {
			panic("bank: what a prepared part held back is gone")
		}
		l := readLedger(tx, m.Group)
		entry := Entry{Kind: Sent, Other: m.Other + "@" + nameOf(tx, m.Group), Amount: m.Amount, Balance: a.balance - m.Amount}
		if m.Credit {
			entry.Kind, entry.Balance = Received, a.balance+m.Amount
			l.Received += m.Amount
			setSupply(tx, supply(tx)+m.Amount)
		} else {
			l.Sent += m.Amount
			setSupply(tx, supply(tx)-m.Amount)
		}
		a.note(tx, name, entry)
		l.write(tx, m.Group)
	}
}

// nameOf is the name under which another bank is registered.
func nameOf(r statemachine.Reader, group [32]byte) string {
	if g, known := commit.GroupOf(r, group); known {
		return g.Name
	}
	return hex.EncodeToString(group[:4])
}

// Undo implements commit.Participant.
func (participant) Undo(tx statemachine.Txn, t *commit.Transaction, part int) {
	moves, err := ParseMoves(t.Parts[part].Op)
	if err != nil {
		panic("bank: a prepared part is malformed")
	}
	for i := range moves {
		hold(tx, &moves[i], false)
	}
}

// Held implements statemachine.Holder.
func (Machine) Held(r statemachine.Reader) statemachine.Held {
	if r.Version() < crossVersion {
		return statemachine.Held{}
	}
	return commit.Held(r)
}

// Attest implements statemachine.Attester: the bank vouches for what it recorded about transactions over several clusters.
func (Machine) Attest(r statemachine.Reader, op []byte) (statement []byte, ok bool) {
	if r.Version() < crossVersion {
		return nil, false
	}
	said, ok := commit.Attest(r, op)
	return attest.Machine(MachineName, said), ok
}
