package bank

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// Ledger says what a bank has exchanged with one other bank. Sent and Received never decrease.
type Ledger struct {
	Group    [32]byte // the other bank
	Sent     uint64   // the amount sent to it, in transactions that are committed here
	Received uint64   // came from it, likewise
	Held     uint64   // the amount held for it, in transactions that are prepared here and not decided
}

// The ledgers' key space, and the key of the room that prepared credits reserve.
const ledgerPrefix = 'g'

var keyReserved = []byte{'r'}

func ledgerKey(group [32]byte) []byte { return append([]byte{ledgerPrefix}, group[:]...) }

func readLedger(r statemachine.Reader, group [32]byte) Ledger {
	b, found := r.Get(ledgerKey(group))
	if !found {
		return Ledger{Group: group}
	}
	return decodeLedger(group, b)
}

func decodeLedger(group [32]byte, b []byte) Ledger {
	c := wire.Cursor{Rest: b}
	l := Ledger{Group: group, Sent: c.Uint64(), Received: c.Uint64(), Held: c.Uint64()}
	if !c.Done() {
		panic("bank: a ledger is malformed")
	}
	return l
}

func (l *Ledger) append(b []byte) []byte {
	for _, n := range [...]uint64{l.Sent, l.Received, l.Held} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func (l *Ledger) write(tx statemachine.Txn, group [32]byte) { tx.Put(ledgerKey(group), l.append(nil)) }

// reserved returns how much room below the largest supply prepared credits reserve.
func reserved(r statemachine.Reader) uint64 {
	b, found := r.Get(keyReserved)
	if !found {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func setReserved(tx statemachine.Txn, n uint64) {
	tx.Put(keyReserved, binary.BigEndian.AppendUint64(nil, n))
}

// LedgersResult is what a bank has exchanged with all others. CrossAudit compares the ledgers of all banks.
type LedgersResult struct {
	Supply   uint64   // the money in this bank: what was minted and received, less what was sent
	Reserved uint64   // room for prepared credits
	Ledgers  []Ledger // ascending by group, one for each bank with which anything was exchanged
}

// Ledgers reads what the bank has exchanged with every other one. DecodeLedgers reads its result. A bank whose state is
// below version 2 refuses it as Unknown.
func Ledgers() []byte { return []byte{mark, byte(opLedgers)} }

func ledgers(r statemachine.Reader) []byte {
	n, list := uint64(0), []byte(nil)
	for key, b := range r.Range([]byte{ledgerPrefix}, []byte{ledgerPrefix + 1}) {
		l := decodeLedger([32]byte(key[1:]), b)
		n, list = n+1, l.append(append(list, l.Group[:]...))
	}
	return append(encodeNumbers(opLedgers, supply(r), reserved(r), n), list...)
}

// DecodeLedgers reads the result of Ledgers.
func DecodeLedgers(result []byte) (LedgersResult, error) {
	c, err := openResult(result, opLedgers)
	out := LedgersResult{Supply: c.Uint64(), Reserved: c.Uint64()}
	for n := c.Uint64(); n > 0 && !c.Bad; n-- {
		l := Ledger{}
		copy(l.Group[:], c.Take(32))
		l.Sent, l.Received, l.Held = c.Uint64(), c.Uint64(), c.Uint64()
		out.Ledgers = append(out.Ledgers, l)
	}
	return out, finish(c, err)
}

// InFlight is the amount that one bank has sent and another bank has not received yet.
type InFlight struct {
	From, To [32]byte
	Sent     uint64 // by the sender's ledger, with what it holds back
	Received uint64 // by the receiver's ledger
}

// Sound reports whether no more arrived than was sent.
func (f InFlight) Sound() bool { return f.Received <= f.Sent }

// CrossAudit compares the ledgers of several banks, by identity, pair by pair. What a bank received, the other one must
// have sent or held back: sent − received is what is in flight, and is never below 0. This is true if all ledgers are
// read at the same moment. It is also true if the ledgers of receivers are read before those of senders. So read each
// bank twice: pass the first reading as received, and the second one as sent.
func CrossAudit(received, sent map[[32]byte]LedgersResult) (all []InFlight) {
	type pair struct{ from, to [32]byte }
	pairs := map[pair]InFlight{}
	for from, mine := range sent {
		for _, l := range mine.Ledgers {
			p := pair{from, l.Group}
			f := pairs[p]
			f.Sent, _ = bits.Add64(l.Sent, l.Held, 0)
			pairs[p] = f
		}
	}
	for to, theirs := range received {
		for _, l := range theirs.Ledgers {
			p := pair{l.Group, to}
			f := pairs[p]
			f.Received = l.Received
			pairs[p] = f
		}
	}
	for p, f := range pairs {
		_, sends := sent[p.from]
		_, receives := received[p.to]
		if f.From, f.To = p.from, p.to; sends && receives && (f.Sent > 0 || f.Received > 0) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b InFlight) int {
		return cmp.Or(bytes.Compare(a.From[:], b.From[:]), bytes.Compare(a.To[:], b.To[:]))
	})
	return all
}
