package kv

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"tagma/statemachine"
)

// PutLeased is a Put whose key is attached to a lease: it is deleted when the lease ends. Every Put attaches anew, so one
// without a lease detaches the key. DecodePut reads its result.
func PutLeased(key, value []byte, lease uint64) []byte {
	b := put(flagLease, key, value)
	return binary.BigEndian.AppendUint64(b, lease)
}

// Grant makes a lease that ends after ttl unless it is kept alive; ttl is from MinLease to MaxLease. DecodeGrant reads its
// result.
func Grant(ttl time.Duration) []byte { return numbered(opGrant, uint64(ttl)) }

// KeepAlive lets the lease go on for its whole time from now. DecodeKeepAlive reads its result.
func KeepAlive(lease uint64) []byte { return numbered(opKeepAlive, lease) }

// Revoke ends a lease and deletes its keys. DecodeRevoke reads its result.
func Revoke(lease uint64) []byte { return numbered(opRevoke, lease) }

// Lease reads a lease. DecodeLease reads its result.
func Lease(lease uint64) []byte { return numbered(opLease, lease) }

// Leases lists the ids of leases, from the id first on. DecodeLeases reads its result.
func Leases(first uint64) []byte { return numbered(opLeases, first) }

func numbered(kind opType, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{formatVersion, byte(kind)}, n)
}

// Granted is a new lease.
type Granted struct {
	Revision uint64 // of the store
	Lease    uint64 // the id, above 0
	TTL      time.Duration
}

// DecodeGrant reads the result of Grant.
func DecodeGrant(result []byte) (Granted, error) {
	c, err := openResult(result, opGrant)
	out := Granted{Revision: c.Uint64(), Lease: c.Uint64(), TTL: time.Duration(c.Uint64())}
	return out, c.close(err)
}

// DecodeKeepAlive reads the result of KeepAlive: how long the lease goes on.
func DecodeKeepAlive(result []byte) (ttl time.Duration, err error) {
	c, err := openResult(result, opKeepAlive)
	c.Uint64()
	ttl = time.Duration(c.Uint64())
	return ttl, c.close(err)
}

// Revoked is what ended with a lease.
type Revoked struct {
	Revision uint64 // of the store
	Deleted  uint64 // keys
	More     bool   // the lease had further keys, which are deleted in the next batches
}

// DecodeRevoke reads the result of Revoke.
func DecodeRevoke(result []byte) (Revoked, error) {
	c, err := openResult(result, opRevoke)
	out := Revoked{Revision: c.Uint64(), Deleted: c.Uint64(), More: c.Flags(1) != 0}
	return out, c.close(err)
}

// LeaseInfo is the state of a lease.
type LeaseInfo struct {
	Revision uint64 // of the store
	TTL      time.Duration
	Left     time.Duration // until it ends, unless it is kept alive; 0 if it has ended
	Ended    bool          // it cannot be kept alive any more, and its keys are being deleted
	Keys     [][]byte      // attached keys in ascending order
	More     bool          // there are more keys
}

// DecodeLease reads the result of Lease.
func DecodeLease(result []byte) (LeaseInfo, error) {
	c, err := openResult(result, opLease)
	out := LeaseInfo{
		Revision: c.Uint64(), TTL: time.Duration(c.Uint64()), Left: time.Duration(c.Uint64()), Ended: c.Flags(1) != 0, More: c.Flags(1) != 0,
	}
	for n := c.Uint32(); n > 0 && !c.Bad; n-- {
		out.Keys = append(out.Keys, c.Key())
	}
	return out, c.close(err)
}

// LeaseList is a page of the ids of leases.
type LeaseList struct {
	Revision uint64 // of the store
	IDs      []uint64
	More     bool // higher ids follow
}

// DecodeLeases reads the result of Leases.
func DecodeLeases(result []byte) (LeaseList, error) {
	c, err := openResult(result, opLeases)
	out := LeaseList{Revision: c.Uint64(), More: c.Flags(1) != 0}
	for n := c.Uint32(); n > 0 && !c.Bad; n-- {
		out.IDs = append(out.IDs, c.Uint64())
	}
	return out, c.close(err)
}

// isLease reports whether operations of this type are about leases.
func (k opType) isLease() bool { return k >= opGrant && k <= opLeases }

// Grant makes a lease that ends after ttl, from MinLease to MaxLease, unless it is kept alive.
func (c Client) Grant(ctx context.Context, ttl time.Duration) (Granted, error) {
	out, _, err := statemachine.Ask(ctx, c.caller, Grant(ttl), DecodeGrant, false)
	if err != nil {
		return Granted{}, fmt.Errorf("grant a lease of %v: %w", ttl, err)
	}
	return out, nil
}

// KeepAlive lets a lease go on for its whole time from now, and returns that time. The error is NoLease if the lease has
// ended.
func (c Client) KeepAlive(ctx context.Context, lease uint64) (time.Duration, error) {
	ttl, _, err := statemachine.Ask(ctx, c.caller, KeepAlive(lease), DecodeKeepAlive, false)
	if err != nil {
		return 0, fmt.Errorf("keep lease %d alive: %w", lease, err)
	}
	return ttl, nil
}

// Revoke ends a lease and deletes its keys. The error is NoLease if it has ended already.
func (c Client) Revoke(ctx context.Context, lease uint64) (Revoked, error) {
	out, _, err := statemachine.Ask(ctx, c.caller, Revoke(lease), DecodeRevoke, false)
	if err != nil {
		return Revoked{}, fmt.Errorf("revoke lease %d: %w", lease, err)
	}
	return out, nil
}

// Lease returns the state of a lease. The error is NoLease if there is none.
func (c Client) Lease(ctx context.Context, lease uint64) (LeaseInfo, error) {
	out, _, err := statemachine.Ask(ctx, c.caller, Lease(lease), DecodeLease, true)
	if err != nil {
		return LeaseInfo{}, fmt.Errorf("read lease %d: %w", lease, err)
	}
	return out, nil
}

// Leases returns the ids of leases in ascending order, from the id first on.
func (c Client) Leases(ctx context.Context, first uint64) (LeaseList, error) {
	out, _, err := statemachine.Ask(ctx, c.caller, Leases(first), DecodeLeases, true)
	if err != nil {
		return LeaseList{}, fmt.Errorf("list leases from %d: %w", first, err)
	}
	return out, nil
}

// PutLeased sets a key and attaches it to a lease, with which it ends. The error is NoLease if the lease has ended.
func (c Client) PutLeased(ctx context.Context, key string, value []byte, lease uint64) (Written, error) {
	return c.put(ctx, key, PutLeased([]byte(key), value, lease))
}
