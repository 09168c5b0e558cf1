package kv

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"tagma/statemachine"
	"tagma/statemachine/commit"
	"tagma/statemachine/internal/wire"
)

// A lease is a promise of the store to keep some keys until a time that a client can put off (KeepAlive). When the lease
// ends, the keys that are attached to it are deleted. Leases are in states from version 2 on.
//
// They end by a clock of their own, which counts the agreed time. No batch moves it by more than maxLeaseStep, and while
// there are leases the store wants a batch at least every leaseTick (statemachine.Timed). So a time in which nothing could
// be ordered counts little against clients that could not renew, and leases also end on an idle cluster. A primary whose
// clock is ahead can move the agreed time ahead by the cluster's clock tolerance at most (N1), one second by default:
// leaseMargin is added to each lease, so that none ends early for that.
const (
	leaseTick    = 500 * time.Millisecond
	maxLeaseStep = time.Second
	leaseMargin  = 2 * time.Second
)

// Limits of leases.
const (
	MinLease = time.Second
	MaxLease = 30 * 24 * time.Hour

	// MaxLeases bounds the leases that there are at a time.
	MaxLeases = 100_000

	// leaseStepKeys and leaseStepBytes bound what is deleted in one step: keys, and bytes of their values. Of a lease with
	// more the rest is deleted in the next batches.
	leaseStepKeys  = 1000
	leaseStepBytes = 4 << 20
)

// The key spaces of leases. The clock's record exists from the first lease on.
var keyLeases = []byte{'L'}

const (
	leasePrefix  = 'i' // + id
	endPrefix    = 'X' // + end by the leases' clock + id; leases in the order in which they end
	attachPrefix = 'a' // + id + key
	holderPrefix = 't' // + key; the value is the id of the lease to which the key is attached

	leaseFormat = 1
)

// leases is the record about all leases.
type leases struct {
	clock uint64 // nanoseconds that the leases' clock has counted
	seen  int64  // the agreed time up to which it counted
	last  uint64 // the highest id that was given
	open  uint64 // how many leases there are
}

func readLeases(r statemachine.Reader) (l leases) {
	b, found := r.Get(keyLeases)
	if !found {
		return leases{}
	}
	c := read(b)
	format := c.Byte()
	l = leases{c.Uint64(), int64(c.Uint64()), c.Uint64(), c.Uint64()}
	if format != leaseFormat || !c.Done() {
		panic("kv: the record about leases is broken")
	}
	return l
}

func (l *leases) write(tx statemachine.Txn) {
	b := append(make([]byte, 0, 1+4*8), leaseFormat)
	for _, n := range [...]uint64{l.clock, uint64(l.seen), l.last, l.open} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	tx.Put(keyLeases, b)
}

// advance moves the clock to a batch's agreed time.
func (l *leases) advance(now int64) {
	if l.open > 0 && now > l.seen {
		l.clock += uint64(min(now-l.seen, int64(maxLeaseStep)))
	}
	l.seen = now
}

// lease is the record of one lease.
type lease struct {
	ttl   uint64 // nanoseconds
	end   uint64 // by the leases' clock
	ended bool   // it is past its end, or revoked, and some of its keys are not deleted yet
}

func readLease(r statemachine.Reader, id uint64) (l lease, found bool) {
	b, found := r.Get(leaseKey(id))
	if !found {
		return lease{}, false
	}
	c := read(b)
	format := c.Byte()
	l = lease{ttl: c.Uint64(), end: c.Uint64(), ended: c.Flags(1) != 0}
	if format != leaseFormat || !c.Done() {
		panic("kv: the record of a lease is broken")
	}
	return l, true
}

// place writes a lease, and its place in the order in which leases end.
func (l *lease) place(tx statemachine.Txn, id uint64, was *lease) {
	if was != nil && was.end != l.end {
		tx.Delete(endKey(was.end, id))
	}
	b := append(make([]byte, 0, 1+2*8+1), leaseFormat)
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, l.ttl), l.end)
	tx.Put(leaseKey(id), append(b, flag(l.ended)))
	if was == nil || was.end != l.end {
		tx.Put(endKey(l.end, id), nil)
	}
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}

func leaseKey(id uint64) []byte { return binary.BigEndian.AppendUint64([]byte{leasePrefix}, id) }

func endKey(end, id uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte{endPrefix}, end), id)
}

func attachKey(id uint64, key []byte) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{attachPrefix}, id), key...)
}

func holderKey(key []byte) []byte { return append([]byte{holderPrefix}, key...) }

// holder is the lease to which a key is attached; 0 if it is attached to none.
func holder(r statemachine.Reader, key []byte) uint64 {
	b, found := r.Get(holderKey(key))
	if !found {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// attach binds a key to a lease; with id 0 to none.
func (x *run) attach(key []byte, id uint64) {
	if x.Version() < versionLease {
		return
	}
	if x.leased == 0 { // not known yet
		x.leased = 1
		if l := readLeases(x); l.open > 0 {
			x.leased = 2
		}
	}
	if x.leased == 1 {
		return
	}
	was := holder(x, key)
	if was == id {
		return
	}
	if was != 0 {
		x.tx.Delete(attachKey(was, key))
	}
	if id == 0 {
		x.tx.Delete(holderKey(key))
		return
	}
	x.tx.Put(attachKey(id, key), nil)
	x.tx.Put(holderKey(key), binary.BigEndian.AppendUint64(nil, id))
}

// mayAttach is the code with which a put is refused whose lease does not exist.
func (x *run) mayAttach(o *operation) Code {
	if o.kind != opPut || o.lease == 0 {
		return 0
	}
	if l, found := readLease(x, o.lease); !found || l.ended {
		return NoLease
	}
	return 0
}

func (x *run) grant(o *operation) []byte {
	all := readLeases(x)
	switch ttl := time.Duration(o.to); {
	case ttl < MinLease || ttl > MaxLease:
		return refusal(LeaseTime)
	case all.open >= MaxLeases:
		return refusal(TooManyLeases)
	}
	all.advance(x.Time().UnixNano())
	all.last++
	all.open++
	all.write(x.tx)
	l := lease{ttl: o.to, end: all.clock + o.to + uint64(leaseMargin)}
	l.place(x.tx, all.last, nil)
	return binary.BigEndian.AppendUint64(encodeNumber(opGrant, revision(x), all.last), l.ttl)
}

func (x *run) keepAlive(o *operation) []byte {
	l, found := readLease(x, o.to)
	if !found || l.ended {
		return refusal(NoLease)
	}
	all := readLeases(x)
	was := l
	l.end = all.clock + l.ttl + uint64(leaseMargin)
	l.place(x.tx, o.to, &was)
	return encodeNumber(opKeepAlive, revision(x), l.ttl)
}

// revoke ends a lease now. It is refused if a transaction over several clusters holds one of the keys that it deletes.
func (x *run) revoke(o *operation) []byte {
	l, found := readLease(x, o.to)
	if !found || l.ended {
		return refusal(NoLease)
	}
	keys, more := x.attached(o.to, leaseStepKeys)
	for _, key := range keys {
		if held := commit.Written(x.tx, key); held != nil {
			return held.Result()
		}
	}
	deleted := x.expire(keys)
	more = more || deleted < len(keys)
	if all := readLeases(x); more {
		was := l
		l.ended, l.end = true, all.clock
		l.place(x.tx, o.to, &was)
	} else {
		x.forget(o.to, &l, &all)
	}
	return append(encodeNumber(opRevoke, revision(x), uint64(deleted)), flag(more))
}

// attached lists keys of a lease, at most so many; more says that there are others.
func (x *run) attached(id uint64, most int) (keys [][]byte, more bool) {
	for place := range x.Range(attachKey(id, nil), attachKey(id+1, nil)) {
		if len(keys) == most {
			return keys, true
		}
		keys = append(keys, bytes.Clone(place[1+8:]))
	}
	return keys, false
}

// expire deletes keys of a lease until it has deleted leaseStepBytes, and returns how many it deleted.
func (x *run) expire(keys [][]byte) (deleted int) {
	for size := 0; deleted < len(keys) && size < leaseStepBytes; deleted++ {
		key := keys[deleted]
		record, found := x.Get(pairKey(key))
		if !found {
			panic("kv: a key that is attached to a lease does not exist")
		}
		size += len(key) + len(record)
		x.remove(key, record)
	}
	return deleted
}

// forget deletes the record of a lease without keys.
func (x *run) forget(id uint64, l *lease, all *leases) {
	x.tx.Delete(leaseKey(id))
	x.tx.Delete(endKey(l.end, id))
	all.open--
	all.write(x.tx)
}

// Tick implements statemachine.Timed: it moves the leases' clock, and ends leases that are past their end. It deletes at
// most leaseStepKeys keys, and each lease's in a revision of their own.
func (m Machine) Tick(tx statemachine.Txn) {
	if tx.Version() < versionLease {
		return
	}
	all := readLeases(tx)
	if all.open == 0 {
		return
	}
	all.advance(tx.Time().UnixNano())
	all.write(tx)
	for left := leaseStepKeys; left > 0; left-- { // a lease without keys counts as one
		id, found := m.endNext(tx, &all, &left)
		if !found || id == 0 {
			return
		}
	}
}

// endNext ends the lease whose turn it is. Keys that a transaction over several clusters holds are left for a later time,
// and the lease with them: it is put behind the others.
func (m *Machine) endNext(tx statemachine.Txn, all *leases, left *int) (id uint64, found bool) {
	for place := range tx.Range([]byte{endPrefix}, binary.BigEndian.AppendUint64([]byte{endPrefix}, all.clock+1)) {
		id = binary.BigEndian.Uint64(place[1+8:])
		break
	}
	if id == 0 {
		return 0, false
	}
	x := m.newRun(tx, tx)
	l, _ := readLease(x, id)
	keys, more := x.attached(id, *left)
	free := slices.DeleteFunc(slices.Clone(keys), func(key []byte) bool { return commit.Written(tx, key) != nil })
	deleted := x.expire(free)
	if *left -= len(keys); deleted < len(free) {
		*left = 0 // the values were large
	}
	if more || deleted < len(keys) {
		was := l
		l.ended, l.end = true, max(l.end, all.clock+uint64(leaseTick))
		l.place(tx, id, &was)
	} else {
		x.forget(id, &l, all)
	}
	x.close()
	return id, true
}

// Due implements statemachine.Timed.
func (m Machine) Due(r statemachine.Reader) int64 {
	if r.Version() < versionLease {
		return 0
	}
	all := readLeases(r)
	if all.open == 0 {
		return 0
	}
	return all.seen + int64(leaseTick)
}

// getLease answers a Lease operation.
func (x *run) getLease(o *operation) []byte {
	l, found := readLease(x, o.to)
	if !found {
		return refusal(NoLease)
	}
	left := uint64(0)
	if all := readLeases(x); !l.ended && l.end > all.clock {
		left = min(l.end-all.clock, l.ttl)
	}
	keys, more := x.attached(o.to, leaseStepKeys)
	b := binary.BigEndian.AppendUint64(encodeNumber(opLease, revision(x), l.ttl), left)
	b = binary.BigEndian.AppendUint32(append(b, flag(l.ended), flag(more)), uint32(len(keys)))
	for _, key := range keys {
		b = wire.AppendKey(b, key)
	}
	return b
}

// listLeases answers a Leases operation.
func (x *run) listLeases(o *operation) []byte {
	var ids []byte
	n, more := uint32(0), false
	for place := range x.Range(leaseKey(o.to), []byte{leasePrefix + 1}) {
		if more = n == leaseStepKeys; more {
			break
		}
		ids = append(ids, place[1:]...)
		n++
	}
	b := append(begin(opLeases, revision(x), 5+len(ids)), flag(more))
	return append(binary.BigEndian.AppendUint32(b, n), ids...)
}
