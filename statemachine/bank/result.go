package bank

import (
	"encoding/binary"
	"errors"
	"fmt"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// A result is the machine's mark, code, and when the code is 0 the operation's type and the type's fields. A refusal ends
// after its code.

// ErrResult says that bytes are not the result of the operation they were decoded as.
var ErrResult = errors.New("not a result of this operation")

// OpenResult is what opening an account returns.
type OpenResult struct {
	Balance uint64
	Supply  uint64 // of all accounts, after it
}

// TransferResult is what a transfer returns: the balances after it.
type TransferResult struct{ From, To uint64 }

// BalanceResult is an account.
type BalanceResult struct {
	Balance uint64
	Entries uint64 // in its history
}

// HistoryResult is a part of an account's history.
type HistoryResult struct {
	Entries []Entry // ascending by number
	More    bool    // entries follow that the limit left out: go on with the last number + 1
}

// AuditResult is what an audit returns. The bank is sound if Sum equals Supply.
type AuditResult struct {
	Supply   uint64 // what was minted
	Sum      uint64 // of all balances
	Accounts uint64
}

// DecodeOpen reads the result of Open. An error is a Code, a statemachine failure or ErrResult, as that of every decoder.
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

// openResult reads up to the type's fields. With an error the cursor gives zeros only.
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

// historyResult is a history's result while entries are added: more and their number have their place in front.
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

// add appends an entry's record, or notes that there is more than the limit allows.
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
