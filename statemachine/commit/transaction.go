package commit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"tagma/statemachine/codec"
)

// TID identifies a transaction by its whole content (TX1). It has one outcome per group, for ever.
type TID [32]byte

// String returns the first 16 hex digits, which people use.
func (t TID) String() string { return hex.EncodeToString(t[:8]) }

// Transaction says what must happen in several groups: in all of them or in none (TX1).
type Transaction struct {
	Coordinator [32]byte // the group that decides; it has a part, too
	Parts       []Part   // 2 to MaxParts, ascending by group, each group once
	// Deadline is in nanoseconds since the Unix epoch. Once the coordinator's agreed time is above it, the coordinator
	// decides to abort. It means nothing for safety at the other groups (TX9).
	Deadline int64
	// Nonce makes this transaction different from every other one. A retry after an abort takes a new nonce.
	Nonce [16]byte
}

// Part is what happens in one group.
type Part struct {
	Group [32]byte
	// Op is in the encoding of the group's machine, such as kv.Part or bank.Part return it. It must not depend on what other
	// groups contain.
	Op []byte
}

const (
	transactionVersion = 1
	tidDomain          = "tagma/commit/transaction"
)

// Encode returns the canonical encoding. It has a version, so that later ones have other identifiers.
func (t *Transaction) Encode() []byte {
	b := append([]byte{transactionVersion}, t.Coordinator[:]...)
	b = codec.AppendInt(b, t.Deadline)
	b = append(b, t.Nonce[:]...)
	b = codec.AppendLen(b, len(t.Parts))
	for i := range t.Parts {
		b = append(b, t.Parts[i].Group[:]...)
		b = codec.AppendBytes(b, t.Parts[i].Op)
	}
	return b
}

// ID returns the transaction's identifier.
func (t *Transaction) ID() TID { return idOf(t.Encode()) }

func idOf(encoded []byte) (id TID) {
	h := sha256.New()
	_, _ = h.Write([]byte(tidDomain)) // writing to a hash never fails
	_, _ = h.Write(encoded)
	h.Sum(id[:0])
	return id
}

// Part returns the index of a group's part, or -1.
func (t *Transaction) Part(group [32]byte) int {
	return slices.IndexFunc(t.Parts, func(p Part) bool { return p.Group == group })
}

// Check returns Malformed if the transaction is outside the limits, so that every group refuses it.
func (t *Transaction) Check() error {
	if !t.valid() {
		return Malformed
	}
	return nil
}

func (t *Transaction) valid() bool {
	if len(t.Parts) < 2 || len(t.Parts) > MaxParts || t.Deadline <= 0 || t.Part(t.Coordinator) < 0 {
		return false
	}
	size := 0
	for i := range t.Parts {
		p := &t.Parts[i]
		size += len(p.Op)
		if len(p.Op) == 0 || len(p.Op) > MaxPartBytes || i > 0 && bytes.Compare(t.Parts[i-1].Group[:], p.Group[:]) >= 0 {
			return false
		}
	}
	return size+1024 <= MaxBytes // the rest of the encoding has at most 1 KiB
}

// DecodeTransaction reads exactly what Encode writes, within the limits. The transaction shares memory with b.
func DecodeTransaction(b []byte) (*Transaction, error) {
	if len(b) > MaxBytes {
		return nil, Malformed
	}
	r := codec.NewReader(b)
	if r.Uint(8) != transactionVersion {
		return nil, Malformed
	}
	t := &Transaction{Coordinator: array32(r), Deadline: r.Int(64)}
	copy(t.Nonce[:], r.Take(len(t.Nonce)))
	n := r.Len(32 + 1)
	if n > MaxParts {
		return nil, Malformed
	}
	for range n {
		t.Parts = append(t.Parts, Part{Group: array32(r), Op: r.Bytes()})
	}
	if r.End() != nil || !t.valid() {
		return nil, Malformed
	}
	return t, nil
}

// array32 reads 32 bytes.
func array32(r *codec.Reader) (a [32]byte) {
	copy(a[:], r.Take(len(a)))
	return a
}
