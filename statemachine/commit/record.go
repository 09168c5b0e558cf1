package commit

import (
	"encoding/binary"

	"tagma/statemachine"
	"tagma/statemachine/codec"
)

// Prefix begins every key under which the package keeps its state. A machine must not use such keys for anything else.
const Prefix = 'x'

// The key spaces, each after Prefix.
const (
	spaceClient byte = 'c' // + client: how many transactions it had prepared that are open
	spaceExpiry byte = 'd' // + time + tid: finished records, by the time up to which they are kept; empty values
	spaceGroup  byte = 'g' // + identity
	spaceLock   byte = 'l' // + name of a locked key
	spaceOpen   byte = 'o' // + tid: the records that are prepared; since when
	spaceRecord byte = 'r' // + tid
	spaceSums   byte = 's' // how many transactions are open, and how many locks they hold
)

func key(space byte, parts ...[]byte) []byte {
	k := append(make([]byte, 0, 2+48), Prefix, space)
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

// end is the key at which a range over a whole key space ends.
func end(space byte) []byte { return []byte{Prefix, space + 1} }

func groupKey(id [32]byte) []byte { return key(spaceGroup, id[:]) }

func recordKey(tid TID) []byte { return key(spaceRecord, tid[:]) }

func openKey(tid TID) []byte { return key(spaceOpen, tid[:]) }

func expiryKey(at int64, tid TID) []byte {
	return key(spaceExpiry, binary.BigEndian.AppendUint64(nil, uint64(at)), tid[:])
}

const recordVersion = 1

// record is what a group keeps of a transaction. Only a prepared one has since, client, encoded and part. A commit at the
// coordinator is kept for ever, so only the fact that it was committed is kept (TX8).
type record struct {
	Outcome
	coordinator bool
	deadline    int64
	since       int64
	client      [32]byte // who had it prepared
	encoded     []byte   // the transaction
	part        int      // the part that was prepared here; a state that is restored into another cluster keeps its promises
}

// forever reports whether the record is a commit at its coordinator, which is never dropped.
func (rec *record) forever() bool { return rec.coordinator && rec.State == StateCommitted }

func (rec *record) encode() []byte {
	b := codec.AppendBool([]byte{recordVersion, byte(rec.State)}, rec.coordinator)
	if rec.forever() {
		return b
	}
	b = codec.AppendInt(appendOutcome(b, &rec.Outcome), rec.deadline)
	if rec.State == StatePrepared {
		b = append(codec.AppendInt(b, rec.since), rec.client[:]...)
		b = codec.AppendUint(codec.AppendBytes(b, rec.encoded), uint64(rec.part))
	}
	return b
}

// readRecord returns the record of a transaction, nil if there is none.
func readRecord(r statemachine.Reader, tid TID) *record {
	b, found := r.Get(recordKey(tid))
	if !found {
		return nil
	}
	c, rec := codec.NewReader(b), &record{}
	if c.Uint(8) != recordVersion {
		c.Fail()
	}
	rec.State, rec.coordinator = State(c.Uint(7)), c.Bool()
	if !rec.forever() {
		rec.Outcome, rec.deadline = readOutcome(c), c.Int(64)
		if rec.State == StatePrepared {
			rec.since, rec.client, rec.encoded, rec.part = c.Int(64), array32(c), c.Bytes(), int(c.Uint(8))
		}
	}
	if c.End() != nil {
		panic("commit: the record of a transaction is malformed")
	}
	return rec
}

// transaction decodes what a prepared record holds.
func (rec *record) transaction() *Transaction {
	t, err := DecodeTransaction(rec.encoded)
	if err != nil {
		panic("commit: the transaction in a record is malformed")
	}
	return t
}

// write stores a record, and notes when it may be dropped. A prepared record and a coordinator's commit are never
// dropped. Any other one is kept until its deadline has passed and longer, so that a Prepare that is sent again meets the
// record or is too late (TX8).
func (rec *record) write(tx statemachine.Txn, tid TID) {
	tx.Put(recordKey(tid), rec.encode())
	if rec.State == StatePrepared || rec.forever() {
		return
	}
	tx.Put(expiryKey(max(rec.deadline, now(tx))+Keep, tid), nil)
}

// dropsPerOperation is how many old records an operation drops: more than it can add.
const dropsPerOperation = 4

// drop deletes the oldest records that need not be kept any more (TX8).
func drop(tx statemachine.Txn) {
	var old [][]byte
	for k := range tx.Range(key(spaceExpiry), expiryKey(now(tx), TID{})) {
		if old = append(old, append([]byte(nil), k...)); len(old) == dropsPerOperation {
			break
		}
	}
	for _, k := range old {
		tx.Delete(recordKey(TID(k[len(k)-len(TID{}):])))
		tx.Delete(k)
	}
}

// now returns the agreed time of the batch.
func now(r statemachine.Reader) int64 { return r.Time().UnixNano() }

// sums are how many transactions are open here, and how many locks they hold.
type sums struct{ open, locks uint64 }

func readSums(r statemachine.Reader) (s sums) {
	b, found := r.Get(key(spaceSums))
	if !found {
		return sums{}
	}
	return decodeSums(b)
}

func decodeSums(b []byte) (s sums) {
	c := codec.NewReader(b)
	s = sums{open: c.Uint(64), locks: c.Uint(64)}
	if c.End() != nil {
		panic("commit: the sums are malformed")
	}
	return s
}

func (s sums) write(tx statemachine.Txn) {
	tx.Put(key(spaceSums), codec.AppendUint(codec.AppendUint(nil, s.open), s.locks))
}

// openOf is how many open transactions a client had prepared.
func openOf(r statemachine.Reader, client [32]byte) uint64 {
	b, _ := r.Get(key(spaceClient, client[:]))
	if len(b) == 0 {
		return 0
	}
	return codec.NewReader(b).Uint(64)
}

func setOpenOf(tx statemachine.Txn, client [32]byte, n uint64) {
	if n == 0 {
		tx.Delete(key(spaceClient, client[:]))
		return
	}
	tx.Put(key(spaceClient, client[:]), codec.AppendUint(nil, n))
}
