package bank

import (
	"encoding/binary"
	"errors"
	"fmt"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// A result is the machine's mark and a code. If the code is 0, the operation's type and the type's fields follow; if
// not, the operation was refused and the result ends there.

// ErrResult says that bytes are not a result of the operation as which they were decoded.
var ErrResult = errors.New("not a result of this operation")

// OpenResult is what opening an account returns.
type OpenResult struct {
	Balance uint64
	Supply  uint64 // the total supply, after the opening
}

// TransferResult is what a transfer returns: the balances after it.
type TransferResult struct{ From, To uint64 }

// BalanceResult is an account at the time of the read.
type BalanceResult struct {
	Balance uint64
	Entries uint64 // in its history
}

// HistoryResult is one page of an account's history.
type HistoryResult struct {
	Entries []Entry // ascending by number
	More    bool    // the limit left out further entries; the next page begins at the last number + 1
}

// AuditResult is what an audit returns. The bank is sound if Sum equals Supply.
type AuditResult struct {
	Supply   uint64 // the total amount that was minted
	Sum      uint64 // the sum of all balances
	Accounts uint64
}

// DecodeOpen reads the result of Open. The error of this and every other decoder is a Code, a statemachine failure or
// ErrResult.
func DecodeOpen(result []byte) (OpenResult, error) {
	c, err := openResult(result, opOpen)
	out := OpenResult{Balance: c.Uint64(), Supply: c.Uint64()}
	return out, finish(c, err)
}

// DecodeTransfer reads the result of Transfer.
func DecodeTransfer(result []byte) (TransferResult, error) {
	c, err := openResult(result, opTransfer)
	out := TransferResult{From: c.Uint64(), To: c.Uint64()}
	return out, finish(c, err)
}

// DecodeBalance reads the result of Balance.
func DecodeBalance(result []byte) (BalanceResult, error) {
	c, err := openResult(result, opBalance)
	out := BalanceResult{Balance: c.Uint64(), Entries: c.Uint64()}
	return out, finish(c, err)
}

// DecodeHistory reads the result of History.
func DecodeHistory(result []byte) (HistoryResult, error) {
	c, err := openResult(result, opHistory)
	out := HistoryResult{More: c.Flags(1) != 0}
	for n := c.Uint32(); n > 0 && !c.Bad; n-- {
		out.Entries = append(out.Entries, readEntry(c))
	}
	return out, finish(c, err)
}

// DecodeAudit reads the result of Audit.
func DecodeAudit(result []byte) (AuditResult, error) {
	c, err := openResult(result, opAudit)
	out := AuditResult{Supply: c.Uint64(), Sum: c.Uint64(), Accounts: c.Uint64()}
	return out, finish(c, err)
}

// openResult reads everything before the type's fields. With an error the returned cursor yields only zeros.
func openResult(result []byte, want opType) (*wire.Cursor, error) {
	failed := &wire.Cursor{Bad: true}
	if err := statemachine.Failure(result); err != nil {
		return failed, err
	}
	c := &wire.Cursor{Rest: result}
	first, code := c.Byte(), Code(c.Byte())
	if first == mark && code != 0 && c.Done() {
		return failed, code
	}
	if kind := opType(c.Byte()); first != mark || code != 0 || kind != want {
		return failed, fmt.Errorf("decode a result of the bank: %w", ErrResult)
	}
	return c, nil
}

func finish(c *wire.Cursor, err error) error {
	if err == nil && !c.Done() {
		return fmt.Errorf("decode a result of the bank: %w", ErrResult)
	}
	return err
}

func refusal(code Code) []byte { return []byte{mark, byte(code)} }

func encodeNumbers(kind opType, numbers ...uint64) []byte {
	b := append(make([]byte, 0, 3+8*len(numbers)), mark, 0, byte(kind))
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// historyResult builds a History result. The bytes for More and the number of entries come first and are filled in
// while entries are added.
type historyResult struct {
	bytes   []byte
	entries uint32
}

const (
	historyMoreAt  = 3
	historyCountAt = historyMoreAt + 1
)

func beginHistory() historyResult {
	return historyResult{bytes: append(encodeNumbers(opHistory), 0, 0, 0, 0, 0)}
}

// add appends an entry's record. If limit entries are in already, it sets More instead and returns false.
func (h *historyResult) add(record []byte, limit uint32) bool {
	if h.entries == limit {
		h.bytes[historyMoreAt] = 1
		return false
	}
	h.entries++
	h.bytes = append(h.bytes, record...)
	binary.BigEndian.PutUint32(h.bytes[historyCountAt:], h.entries)
	return true
}
