package commit

import (
	"errors"
	"fmt"
	"time"

	"tagma/statemachine"
	"tagma/statemachine/codec"
)

// A result is the package's mark and a code. If the code is 0, the operation's type and its fields follow. If the code is
// lockedCode, the fields of Locked follow. Otherwise the result ends there.

// ErrResult says that bytes are not a result of the operation as which they were decoded.
var ErrResult = errors.New("not a result of this operation")

// Code says why an operation did nothing. As an error it has one constant text per code. Nothing is recorded, so the same
// operation may succeed later.
type Code uint8

// The codes of operations that did nothing. Code 0 stands for success.
const (
	Malformed        Code = 1
	Unknown          Code = 2
	NotRead          Code = 3
	NotAdministrator Code = 4
	BadGroup         Code = 5
	OldEpoch         Code = 6
	NameTaken        Code = 7
	TooManyGroups    Code = 8
	UnknownGroup     Code = 9
	NotParticipant   Code = 10
	WrongRole        Code = 11
	Late             Code = 12
	TooFar           Code = 13
	TooManyOpen      Code = 14
	Incomplete       Code = 15
	NoRecord         Code = 16
	BadReceipt       Code = 17

	lockedCode Code = 255 // a Locked follows
)

func (c Code) Error() string {
	switch c {
	case Malformed:
		return "the transaction or the operation is malformed; build it with this package"
	case Unknown:
		return "the replicas do not know this operation; upgrade them"
	case NotRead:
		return "the operation changes the state and cannot be sent as a read"
	case NotAdministrator:
		return "only an administrator may register groups: use the key of a client with role = \"admin\" in cluster.toml"
	case BadGroup:
		return "the group cannot be registered: it needs visible names of at most 32 characters, 4 to 64 replicas (3 in the crash-fault mode)" +
			" with distinct valid keys, and must be another cluster than this one"
	case OldEpoch:
		return "a later epoch of the group is registered, and epochs do not go back"
	case NameTaken:
		return "another group is registered under this name"
	case TooManyGroups:
		return "64 groups are registered, and more cannot be"
	case UnknownGroup:
		return "the coordinator of the transaction is not registered here; have an administrator run `tagma group add`"
	case NotParticipant:
		return "the transaction has no part for this cluster"
	case WrongRole:
		return "the coordinator decides and the other groups prepare; this was sent to the wrong one"
	case Late:
		return "the transaction's deadline has passed here"
	case TooFar:
		return "the transaction's deadline is more than an hour ahead of this cluster's time"
	case TooManyOpen:
		return "too many transactions are prepared and not finished here; see `tagma commit pending`"
	case Incomplete:
		return "the receipts do not suffice for a decision, and the deadline has not passed"
	case NoRecord:
		return "this cluster has no record of the transaction"
	case BadReceipt:
		return "the receipt is not the coordinator's decision on this transaction, signed by enough members of the registered epoch"
	}
	return "unknown error code of the commit protocol"
}

// Locked says that an operation was not executed because a transaction holds a key that it needs (TX3, TX4). Nothing was
// recorded. As the result of an ordinary operation it has the same form. A client that needs the key can complete the
// transaction, after Deadline at the latest.
type Locked struct {
	TID         TID
	Coordinator [32]byte
	Deadline    int64 // nanoseconds since the Unix epoch, by the coordinator's clock
}

func (l *Locked) Error() string {
	return fmt.Sprintf("held by transaction %x until its coordinator decides (deadline %s); try again, or run `tagma commit resolve %x`",
		l.TID[:], time.Unix(0, l.Deadline).UTC().Format(time.RFC3339), l.TID[:])
}

// Result returns the result of an ordinary operation that is not executed because of the lock.
func (l *Locked) Result() []byte {
	b := append([]byte{mark, byte(lockedCode)}, l.TID[:]...)
	return codec.AppendInt(append(b, l.Coordinator[:]...), l.Deadline)
}

// AsLocked returns the Locked in the result of any operation of a machine that takes part in transactions.
func AsLocked(result []byte) (*Locked, bool) {
	if len(result) < 2 || result[0] != mark || Code(result[1]) != lockedCode {
		return nil, false
	}
	r := codec.NewReader(result[2:])
	l := &Locked{TID: array32(r), Coordinator: array32(r), Deadline: r.Int(64)}
	return l, r.End() == nil
}

// State is what a group knows of a transaction.
type State uint8

// The states. A participant's record begins as StatePrepared or StateRefused, and Finish turns prepared into committed or
// aborted. A coordinator's record begins with its decision. None of the last three ever changes.
const (
	StateNone      State = 0
	StatePrepared  State = 1
	StateRefused   State = 2
	StateCommitted State = 3
	StateAborted   State = 4
)

func (s State) String() string {
	switch s {
	case StateNone:
		return "none"
	case StatePrepared:
		return "prepared"
	case StateRefused:
		return "refused"
	case StateCommitted:
		return "committed"
	case StateAborted:
		return "aborted"
	}
	return "unknown"
}

// Cause says why a coordinator decided to abort.
type Cause uint8

// The causes.
const (
	CauseNone     Cause = 0
	CauseDeadline Cause = 1 // the deadline had passed
	CauseRefused  Cause = 2 // a participant refused its part
	CauseOwnPart  Cause = 3 // the coordinator's own part did not pass its check
)

// Outcome is the result of Prepare, Decide and Finish.
type Outcome struct {
	State State
	Cause Cause    // of an abort, at the coordinator
	Group [32]byte // the group that refused, if that is the cause
	Why   string   // why the machine of this group refused its part
}

func appendOutcome(b []byte, o *Outcome) []byte {
	b = append(b, byte(o.State), byte(o.Cause))
	return codec.AppendString(append(b, o.Group[:]...), o.Why)
}

func readOutcome(r *codec.Reader) Outcome {
	o := Outcome{State: State(r.Uint(7)), Cause: Cause(r.Uint(7)), Group: array32(r), Why: r.String()}
	if o.State > StateAborted || o.Cause > CauseOwnPart || len(o.Why) > MaxWhy {
		r.Fail()
	}
	return o
}

// Record is what a group tells of a transaction.
type Record struct {
	Outcome
	TID         TID
	Coordinator bool         // this group is the coordinator
	Deadline    int64        // 0 if the record was compacted
	Since       int64        // agreed time at which the group prepared; 0 unless prepared
	Transaction *Transaction // nil unless prepared
	Locks       [][]byte     // names of the keys that it locks here, at most MaxLocks
}

// Pending is one page of the transactions that are prepared and not finished in a group.
type Pending struct {
	Now     int64 // the group's agreed time
	Open    uint64
	Locks   uint64
	Records []Record // without Transaction and Locks
	More    bool     // the limit left out further ones; the next page begins after the last TID
}

// DecodeOutcome reads the result of Prepare, Decide and Finish. The error of this and every other decoder is a Code, a
// *Locked, a statemachine failure or ErrResult.
func DecodeOutcome(result []byte) (o Outcome, err error) {
	r, kind, err := open(result)
	if err != nil {
		return Outcome{}, err
	}
	o = readOutcome(r)
	if kind != opPrepare && kind != opDecide && kind != opFinish {
		r.Fail()
	}
	return o, finish(r)
}

// DecodeSet reads the result of SetGroup.
func DecodeSet(result []byte) error {
	r, kind, err := open(result)
	if err != nil {
		return err
	}
	if kind != opSetGroup {
		r.Fail()
	}
	return finish(r)
}

// DecodeRecord reads the result of ReadRecord; the error is NoRecord if the group has none.
func DecodeRecord(result []byte) (*Record, error) {
	r, kind, err := open(result)
	if err != nil {
		return nil, err
	}
	if kind != opRecord {
		r.Fail()
	}
	record := readAnswer(r)
	if b := r.Bytes(); b != nil {
		if record.Transaction, err = DecodeTransaction(b); err != nil {
			r.Fail()
		}
	}
	for n := r.Len(1); n > 0; n-- {
		record.Locks = append(record.Locks, r.Bytes())
	}
	return &record, finish(r)
}

// DecodePending reads the result of ReadPending.
func DecodePending(result []byte) (p Pending, err error) {
	r, kind, err := open(result)
	if err != nil {
		return Pending{}, err
	}
	if kind != opPending {
		r.Fail()
	}
	p = Pending{Now: r.Int(64), Open: r.Uint(64), Locks: r.Uint(64), More: r.Bool()}
	for n := r.Len(32); n > 0; n-- {
		p.Records = append(p.Records, readAnswer(r))
	}
	return p, finish(r)
}

// DecodeGroups reads the result of ReadGroups.
func DecodeGroups(result []byte) (all []Group, err error) {
	r, kind, err := open(result)
	if err != nil {
		return nil, err
	}
	if kind != opGroups {
		r.Fail()
	}
	for n := r.Len(32); n > 0; n-- {
		all = append(all, readGroup(r))
	}
	return all, finish(r)
}

// appendAnswer encodes what reads return about a record, and readAnswer decodes it.
func appendAnswer(b []byte, tid TID, rec *record) []byte {
	b = codec.AppendBool(append(b, tid[:]...), rec.coordinator)
	b = codec.AppendInt(codec.AppendInt(b, rec.deadline), rec.since)
	return appendOutcome(b, &rec.Outcome)
}

func readAnswer(r *codec.Reader) Record {
	a := Record{TID: array32(r), Coordinator: r.Bool(), Deadline: r.Int(64), Since: r.Int(64)}
	a.Outcome = readOutcome(r)
	return a
}

func open(result []byte) (r *codec.Reader, kind opType, err error) {
	if err := statemachine.Failure(result); err != nil {
		return nil, 0, err
	}
	if l, is := AsLocked(result); is {
		return nil, 0, l
	}
	switch {
	case len(result) < 2 || result[0] != mark:
	case result[1] != 0 && len(result) == 2:
		return nil, 0, Code(result[1])
	case result[1] == 0 && len(result) > 2:
		return codec.NewReader(result[3:]), opType(result[2]), nil
	}
	return nil, 0, fmt.Errorf("decode a result of the commit protocol: %w", ErrResult)
}

func finish(r *codec.Reader) error {
	if r.End() != nil {
		return fmt.Errorf("decode a result of the commit protocol: %w", ErrResult)
	}
	return nil
}

func refusal(code Code) []byte { return []byte{mark, byte(code)} }

func begin(kind opType) []byte { return []byte{mark, 0, byte(kind)} }
