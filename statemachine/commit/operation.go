package commit

import (
	"tagma/statemachine/attest"
	"tagma/statemachine/codec"
)

// An operation is the package's mark, the format version, the type, and the type's fields. The mark differs from the first
// byte of every operation of the machines kv and bank.
const (
	mark          = 0xc7
	formatVersion = 1
)

type opType uint8

// Operation types. Requests contain the numbers, so none is ever reused.
const (
	opSetGroup opType = 1 // group
	opPrepare  opType = 2 // transaction
	opDecide   opType = 3 // transaction, certificates
	opFinish   opType = 4 // tid, certificate
	opRecord   opType = 5 // tid
	opPending  opType = 6 // tid after which the list begins, limit
	opGroups   opType = 7
)

// operation is a decoded operation of any type.
type operation struct {
	kind     opType
	group    Group
	encoded  []byte // of txn
	txn      *Transaction
	receipts []*attest.Certificate
	tid      TID
	limit    uint64
}

// Is reports whether an operation is one of this package's, whatever its version.
func Is(op []byte) bool { return len(op) > 0 && op[0] == mark }

// SetGroup registers another cluster, or replaces its entry with that of a later epoch. Only administrators may.
func SetGroup(g *Group) []byte { return appendGroup(head(opSetGroup), g) }

// Prepare asks a participant to promise its part (TX3). DecodeOutcome reads the result, which is StatePrepared or
// StateRefused, or what the group already knows of the transaction.
func Prepare(t *Transaction) []byte { return append(head(opPrepare), t.Encode()...) }

// Decide asks the coordinator for the decision (TX6), with the receipts of participants, ascending by cluster: one
// `prepared` of each for StateCommitted, or one `refused` for StateAborted. After the deadline it needs none. DecodeOutcome
// reads the result.
func Decide(t *Transaction, receipts []*attest.Certificate) []byte {
	b := codec.AppendBytes(head(opDecide), t.Encode())
	b = codec.AppendLen(b, len(receipts))
	for _, c := range receipts {
		b = codec.AppendBytes(b, c.Encode())
	}
	return b
}

// Finish tells a participant the decision, with the coordinator's receipt (TX7). DecodeOutcome reads the result.
func Finish(tid TID, decision *attest.Certificate) []byte {
	return codec.AppendBytes(append(head(opFinish), tid[:]...), decision.Encode())
}

// ReadRecord reads what a group knows of a transaction. DecodeRecord reads the result. The same operation asks a replica to
// attest what the group vouches for: see Attest.
func ReadRecord(tid TID) []byte { return append(head(opRecord), tid[:]...) }

// ReadPending lists the transactions that hold locks or amounts in a group, ascending by tid and above after, at most
// limit of them; 0 stands for MaxPending. DecodePending reads the result.
func ReadPending(after TID, limit int) []byte {
	return codec.AppendUint(append(head(opPending), after[:]...), uint64(max(limit, 0)))
}

// ReadGroups lists the registered groups. DecodeGroups reads the result.
func ReadGroups() []byte { return head(opGroups) }

func head(kind opType) []byte { return []byte{mark, formatVersion, byte(kind)} }

// decodeOperation reads exactly what the functions above write. The operation shares memory with op.
func decodeOperation(op []byte) (*operation, Code) {
	if len(op) < 3 || op[0] != mark {
		return nil, Malformed
	}
	if op[1] != formatVersion {
		return nil, Unknown
	}
	o, r := &operation{kind: opType(op[2])}, codec.NewReader(op[3:])
	switch o.kind {
	case opSetGroup:
		o.group = readGroup(r)
	case opPrepare:
		o.encoded = op[3:]
		r.Take(len(o.encoded))
	case opDecide:
		o.encoded = r.Bytes()
		n := r.Len(1)
		if n > MaxParts {
			return nil, Malformed
		}
		for range n {
			if !o.receipt(r.Bytes()) {
				return nil, Malformed
			}
		}
	case opFinish:
		o.tid = array32(r)
		if !o.receipt(r.Bytes()) {
			return nil, Malformed
		}
	case opRecord:
		o.tid = array32(r)
	case opPending:
		o.tid, o.limit = array32(r), r.Uint(32)
	case opGroups:
	default:
		return nil, Unknown
	}
	if r.End() != nil {
		return nil, Malformed
	}
	if o.kind == opPrepare || o.kind == opDecide {
		t, err := DecodeTransaction(o.encoded)
		if err != nil {
			return nil, Malformed
		}
		o.txn, o.tid = t, idOf(o.encoded)
	}
	return o, 0
}

func (o *operation) receipt(b []byte) bool {
	c, err := attest.Decode(b)
	if err == nil {
		o.receipts = append(o.receipts, c)
	}
	return err == nil
}

// TIDOf returns the transaction that a Prepare, Decide or Finish is about; false for any other operation.
func TIDOf(op []byte) (TID, bool) {
	o, code := decodeOperation(op)
	if code != 0 || o.kind != opPrepare && o.kind != opDecide && o.kind != opFinish {
		return TID{}, false
	}
	return o.tid, true
}
