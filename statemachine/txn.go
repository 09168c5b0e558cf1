package statemachine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"tagma/crypto"
)

// These panics end the application's method when it reads or writes something that is not allowed. The reason is kept in
// the reader as well, because an application may recover from the panic.
var (
	errReadFailed = errors.New("the storage failed while an operation read it")
	errOverLimit  = errors.New("the operation exceeds a replicated limit")
)

// reader is a Reader over a layer and the storage view below it. It has no method that writes, so that a query cannot
// find one.
type reader struct {
	above layer
	base  StorageView
	seq   uint64
	time  int64
	first int             // in a query, the version of a state that has no record of its version
	key   []byte          // a buffer that is reused for every key
	err   error           // the first error of the storage; results after it do not count
	stop  <-chan struct{} // closed when the query must end; nil in a batch, which never ends early
	known int             // the version of the state; 0: to be read from it

	administrators map[[32]byte]bool
	cluster        [32]byte

	gaps *gaps // intervals that ranges may skip; nil in a query, whose time is bounded instead

	// Keys that ranges passed in this request, and how many they may pass; not used in a query, whose time is bounded.
	passed, mayPass int
	spent, maySpend int  // the request's cost in units, and the most it may be; 0: no bound
	overLimit       bool // the operation exceeded a bound and fails, even if the application recovers
}

func (r *reader) Seq() uint64 { return r.seq }

func (r *reader) Time() time.Time { return time.Unix(0, r.time).UTC() }

func (r *reader) Administrator(client [32]byte) bool { return r.administrators[client] }

func (r *reader) Version() int {
	if r.known != 0 {
		return r.known
	}
	r.goOn()
	version, err := versionAt(r.above, r.base, r.first)
	if err != nil {
		r.unread(err)
	}
	return version
}

func (r *reader) Get(key []byte) ([]byte, bool) {
	r.goOn()
	r.key = appendApplicationKey(r.key[:0], key)
	if w, ok := r.above.get(r.key); ok {
		// The cost must not depend on which layer holds the value, because replicas differ in that.
		r.spend(costRead, len(key)+len(w.Value))
		return w.Value, !w.Delete
	}
	value, found, err := r.base.Get(r.key)
	if err != nil {
		r.unread(err)
	}
	r.spend(costRead, len(key)+len(value))
	return value, found
}

// pass counts a key that a range yields. Without a bound, requests of a few bytes could range over the whole state again
// and again and keep every replica busy. Deleted keys do not count, because replicas differ in how many of them still
// have versions. Gaps make sure that few of them are passed.
func (r *reader) pass() {
	if r.mayPass == 0 {
		return
	}
	if r.passed++; r.passed > r.mayPass {
		r.exceed()
	}
}

// spend adds to the cost of the request.
func (r *reader) spend(units, bytes int) {
	r.spent += units + bytes>>costShift
	if r.maySpend != 0 && r.spent > r.maySpend {
		r.exceed()
	}
}

// exceed ends an operation that exceeded a bound.
func (r *reader) exceed() {
	r.overLimit = true
	panic(errOverLimit)
}

// goOn ends the operation if stop is closed.
func (r *reader) goOn() {
	select {
	case <-r.stop:
		r.fail(ErrStopped)
	default:
	}
}

// unread ends the operation because the storage failed.
func (r *reader) unread(err error) {
	r.fail(fmt.Errorf("read the state at sequence number %d: %w", r.seq, err))
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	panic(errReadFailed)
}

// txn is the Txn of one operation.
type txn struct {
	reader
	writes *overlay
	limits *Limits
	size   int // bytes that the operation has written
	client [32]byte
	begun  int // operations of the batch that have begun, the present one included
	random *rand.Rand

	verify   func(key [32]byte, message []byte, signature [64]byte) bool
	verified int // signatures that the operation has verified
}

func (t *txn) Client() [32]byte { return t.client }

func (t *txn) Index() int { return t.begun - 1 }

// randDomain keeps the seeds apart from every other digest.
const randDomain = "tagma/statemachine/rand/1"

// Rand does not use the request's digest. Otherwise a client could try requests until the numbers suit it.
func (t *txn) Rand() *rand.Rand {
	if t.random == nil {
		b := binary.BigEndian.AppendUint64([]byte(randDomain), t.seq)
		b = binary.BigEndian.AppendUint64(b, uint64(t.Index()))
		b = binary.BigEndian.AppendUint64(b, uint64(t.time))
		t.random = rand.New(rand.NewChaCha8(sha256.Sum256(b)))
	}
	return t.random
}

func (t *txn) begin() {
	t.size, t.overLimit, t.random, t.verified = 0, false, nil, 0
	t.begun++
	t.spent += costOperation
	t.writes.beginOperation()
}

func (t *txn) Put(key, value []byte) {
	t.charge(len(key), len(value))
	t.key = appendApplicationKey(t.key[:0], key)
	t.gaps.cut(t.key)
	t.writes.write(t.key, bytes.Clone(value), false)
}

func (t *txn) Delete(key []byte) {
	t.charge(len(key), 0)
	t.key = appendApplicationKey(t.key[:0], key)
	t.writes.write(t.key, nil, true)
}

func (t *txn) charge(key, value int) {
	t.size += key + value
	t.spend(costWrite, key+value)
	if key > t.limits.MaxKeyBytes || value > t.limits.MaxValueBytes || t.size > t.limits.MaxWriteBytes {
		t.exceed()
	}
}

// Verifying a signature takes about costVerify units of work. An operation may verify maxVerify of them: as many as the
// receipts of a transaction over several clusters can have, and more.
const (
	costVerify = 80
	maxVerify  = 512
)

// Cluster is the identity under which the replicas of this cluster sign.
func (r *reader) Cluster() [32]byte { return r.cluster }

// Verify implements Txn. The rule is that of package crypto (S1); whether somebody verified the signature before changes
// neither the result nor the cost (TX11).
func (t *txn) Verify(key [32]byte, message []byte, signature [64]byte) bool {
	t.goOn()
	t.spend(costVerify, len(message))
	if t.verified++; t.verified > maxVerify {
		t.exceed()
	}
	return t.verify(key, message, signature)
}

// VerifyWith sets the rule by which Txn.Verify judges signatures. It is for simulations, whose signatures are not real; the
// default is the one rule of package crypto. It is called before the service is used, and alike on all replicas.
func (s *Service) VerifyWith(rule func(key [32]byte, message []byte, signature [64]byte) bool) {
	s.verify = rule
}

// byTheRule is the default of VerifyWith.
func byTheRule() func(key [32]byte, message []byte, signature [64]byte) bool {
	verifier := crypto.NewVerifier(0, nil)
	return func(key [32]byte, message []byte, signature [64]byte) bool {
		return verifier.Verify([]crypto.Claim{{Key: key, Message: message, Sig: signature}})
	}
}
