package kv_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// leased is a store whose batches have agreed times.
type leased struct {
	t       *testing.T
	service *statemachine.Service
	store   *memstore.Store
	now     time.Duration
	seq, n  uint64
}

func newLeased(t *testing.T, m kv.Machine, version int) *leased {
	t.Helper()
	store := memstore.New()
	s, err := statemachine.New(m, store, statemachine.Limits{FirstVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	return &leased{t: t, service: s, store: store, now: time.Hour}
}

// at orders a batch of operations, after some time has passed, and returns their results.
func (l *leased) at(pass time.Duration, ops ...[]byte) [][]byte {
	l.t.Helper()
	l.now += pass
	l.seq++
	b := statemachine.Batch{Seq: l.seq, Time: int64(l.now)}
	if len(ops) > 0 {
		l.n++
		b.Requests = []statemachine.Request{{Client: [32]byte{1}, Session: 1, T: l.n, AckedBelow: l.n, Digest: [32]byte{byte(l.n), byte(l.n >> 8)}, Ops: ops}}
	}
	replies, err := l.service.Apply(b)
	if err != nil {
		l.t.Fatal(err)
	}
	if len(ops) == 0 {
		return nil
	}
	return replies[0].Results
}

// idle lets time pass as on an idle cluster: a batch is ordered whenever the store wants one.
func (l *leased) idle(pass time.Duration) {
	l.t.Helper()
	for end := l.now + pass; ; {
		due := l.service.Due()
		if due == 0 || time.Duration(due) > end {
			l.now = end
			return
		}
		l.at(time.Duration(due) - l.now)
	}
}

func (l *leased) grant(ttl time.Duration) uint64 {
	l.t.Helper()
	g, err := kv.DecodeGrant(l.at(0, kv.Grant(ttl))[0])
	if err != nil || g.TTL != ttl || g.Lease == 0 {
		l.t.Fatalf("%+v, %v", g, err)
	}
	return g.Lease
}

func (l *leased) put(key string, lease uint64) {
	l.t.Helper()
	if _, err := kv.DecodePut(l.at(0, kv.PutLeased([]byte(key), []byte("v"), lease))[0]); err != nil {
		l.t.Fatalf("put %s: %v", key, err)
	}
}

func (l *leased) keys() (keys []string) {
	l.t.Helper()
	b, err := l.service.Query(kv.Range(nil, nil, 0), l.seq)
	if err != nil {
		l.t.Fatal(err)
	}
	all, err := kv.DecodeRange(b)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, p := range all.Pairs {
		keys = append(keys, string(p.Key))
	}
	return keys
}

func (l *leased) holds(want ...string) {
	l.t.Helper()
	if got := l.keys(); !slices.Equal(got, want) {
		l.t.Errorf("at %v: keys %q, want %q", l.now-time.Hour, got, want)
	}
}

// Three seconds may be added to a lease: the margin, and what the leases' clock lost in a step.
const longest = 3 * time.Second

func TestLease_ItsKeysEndWithItOnAnIdleClusterAndNotEarlier(t *testing.T) {
	l := newLeased(t, kv.Machine{}, 2)
	if l.service.Due() != 0 {
		t.Error("a store without leases wants batches")
	}
	id := l.grant(10 * time.Second)
	l.put("a", id)
	l.put("b", id)
	l.at(0, kv.Put([]byte("c"), []byte("v")))
	l.idle(10 * time.Second)
	l.holds("a", "b", "c")
	l.idle(longest)
	l.holds("c")
	if l.service.Due() != 0 {
		t.Error("after its last lease the store still wants batches")
	}
	if _, err := kv.DecodeKeepAlive(l.at(0, kv.KeepAlive(id))[0]); !errors.Is(err, kv.NoLease) {
		t.Errorf("kept alive after its end: %v", err)
	}
	if _, err := kv.DecodePut(l.at(0, kv.PutLeased([]byte("d"), nil, id))[0]); !errors.Is(err, kv.NoLease) {
		t.Errorf("attached after its end: %v", err)
	}
}

func TestLease_KeepAlivePutsItsEndOff(t *testing.T) {
	l := newLeased(t, kv.Machine{}, 2)
	id := l.grant(10 * time.Second)
	l.put("a", id)
	for range 5 {
		l.idle(8 * time.Second)
		if ttl, err := kv.DecodeKeepAlive(l.at(0, kv.KeepAlive(id))[0]); err != nil || ttl != 10*time.Second {
			t.Fatalf("kept alive for %v: %v", ttl, err)
		}
	}
	l.holds("a")
	l.idle(10*time.Second + longest)
	l.holds()
}

// The clock of leases does not count a time in which nothing was ordered, nor a jump of the agreed time.
func TestLease_ATimeInWhichNothingWasOrderedHardlyCounts(t *testing.T) {
	l := newLeased(t, kv.Machine{}, 2)
	id := l.grant(10 * time.Second)
	l.put("a", id)
	l.idle(5 * time.Second)
	l.at(time.Hour)
	l.at(0)
	l.holds("a")
	l.idle(3 * time.Second)
	l.holds("a")
	l.idle(2*time.Second + longest)
	l.holds()
}

func TestLease_AKeyIsAttachedToTheLeaseOfItsLastPut(t *testing.T) {
	l := newLeased(t, kv.Machine{History: 100}, 2)
	one, two := l.grant(5*time.Second), l.grant(20*time.Second)
	l.put("other", one)
	l.put("other", two)
	l.put("none", one)
	l.at(0, kv.Put([]byte("none"), []byte("w")))
	l.put("gone", one)
	l.at(0, kv.Delete([]byte("gone")))
	l.at(0, kv.Put([]byte("gone"), []byte("back")))
	l.put("in", two)
	l.at(0, kv.Txn(nil, [][]byte{kv.PutLeased([]byte("in"), []byte("v"), one), kv.PutLeased([]byte("in too"), nil, one)}, nil))
	before := l.seq
	l.put("reverted", one)
	l.at(0, kv.Revert([]byte("reverted"), before))
	l.at(0, kv.Put([]byte("reverted"), nil))
	l.idle(5*time.Second + longest)
	l.holds("gone", "none", "other", "reverted")
	l.idle(20 * time.Second)
	l.holds("gone", "none", "reverted")
}

func TestLease_RevokeDeletesItsKeysAtOnce(t *testing.T) {
	l := newLeased(t, kv.Machine{}, 2)
	id := l.grant(time.Minute)
	l.put("a", id)
	l.put("b", id)
	info, err := kv.DecodeLease(l.at(0, kv.Lease(id))[0])
	if err != nil || info.TTL != time.Minute || info.Left != time.Minute || info.Ended || len(info.Keys) != 2 {
		t.Errorf("%+v, %v", info, err)
	}
	if list, err := kv.DecodeLeases(l.at(0, kv.Leases(0))[0]); err != nil || !slices.Equal(list.IDs, []uint64{id}) || list.More {
		t.Errorf("%+v, %v", list, err)
	}
	out, err := kv.DecodeRevoke(l.at(0, kv.Revoke(id))[0])
	if err != nil || out.Deleted != 2 || out.More {
		t.Errorf("%+v, %v", out, err)
	}
	l.holds()
	if _, err := kv.DecodeRevoke(l.at(0, kv.Revoke(id))[0]); !errors.Is(err, kv.NoLease) {
		t.Errorf("revoked twice: %v", err)
	}
	if l.service.Due() != 0 {
		t.Error("the store still wants batches")
	}
}

// No step deletes more than a bound, in keys and in bytes, however much a lease holds.
func TestLease_ALargeOneEndsInSteps(t *testing.T) {
	for name, c := range map[string]struct{ keys, bytes int }{"many keys": {1200, 1}, "large values": {40, kv.MaxValueBytes}} {
		for _, revoked := range []bool{false, true} {
			l := newLeased(t, kv.Machine{Keep: kv.Keep{Revisions: 1000}}, 2)
			id := l.grant(5 * time.Second)
			for i := range c.keys {
				l.at(0, kv.PutLeased(fmt.Appendf(nil, "k%04d", i), make([]byte, c.bytes), id))
			}
			if revoked {
				out, err := kv.DecodeRevoke(l.at(0, kv.Revoke(id))[0])
				if err != nil || !out.More || out.Deleted == 0 {
					t.Fatalf("%s: %+v, %v", name, out, err)
				}
			} else {
				l.idle(5 * time.Second)
			}
			for steps, was := 0, c.keys+1; ; steps++ {
				n, err := kv.DecodeCount(l.query(kv.Count(nil, nil)))
				if err != nil || n.Count > uint64(was) || steps > 100 {
					t.Fatalf("%s: %d keys after %d steps, %d before, %v", name, n.Count, steps, was, err)
				}
				if was = int(n.Count); was == 0 {
					break
				}
				l.at(500 * time.Millisecond)
			}
			if _, err := kv.DecodeLease(l.at(0, kv.Lease(id))[0]); !errors.Is(err, kv.NoLease) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func (l *leased) query(op []byte) []byte {
	l.t.Helper()
	b, err := l.service.Query(op, l.seq)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

func TestLease_WhatIsRefused(t *testing.T) {
	l := newLeased(t, kv.Machine{}, 2)
	for op, want := range map[string]kv.Code{
		string(kv.Grant(0)):                               kv.LeaseTime,
		string(kv.Grant(-1)):                              kv.LeaseTime,
		string(kv.Grant(kv.MaxLease + 1)):                 kv.LeaseTime,
		string(kv.KeepAlive(7)):                           kv.NoLease,
		string(kv.Revoke(7)):                              kv.NoLease,
		string(kv.PutLeased([]byte("k"), nil, 7)):         kv.NoLease,
		string(kv.PutLeased([]byte("k"), nil, 0)):         kv.Malformed,
		string(kv.Txn(nil, [][]byte{kv.Grant(5e9)}, nil)): kv.Nested,
		string(append(kv.Grant(5e9), 0)):                  kv.Malformed,
		string(kv.Txn(nil, [][]byte{kv.Put([]byte("k"), nil), kv.PutLeased([]byte("l"), nil, 7)}, nil)): kv.NoLease,
	} {
		result := l.at(0, []byte(op))[0]
		if len(result) != 2 || kv.Code(result[1]) != want {
			t.Errorf("%x: %x, want code %d", op, result, want)
		}
	}
	l.holds()
	old := newLeased(t, kv.Machine{}, 1)
	if _, err := kv.DecodeGrant(old.at(0, kv.Grant(5*time.Second))[0]); !errors.Is(err, kv.Unknown) {
		t.Errorf("at version 1: %v", err)
	}
	if _, err := kv.DecodePut(old.at(0, kv.PutLeased([]byte("k"), nil, 7))[0]); !errors.Is(err, kv.Malformed) {
		t.Errorf("at version 1: %v", err)
	}
}

// What a replica does about leases does not depend on what its storage holds: one that is loaded anew goes on alike.
func TestLease_AReplicaThatIsLoadedAnewGoesOnAlike(t *testing.T) {
	l := newLeased(t, kv.Machine{}, 2)
	id := l.grant(10 * time.Second)
	l.put("a", id)
	l.idle(7 * time.Second)
	if err := l.service.Flush(); err != nil {
		t.Fatal(err)
	}
	due := l.service.Due()
	s, err := statemachine.New(kv.Machine{}, l.store, statemachine.Limits{FirstVersion: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Load(l.seq); err != nil || s.Due() != due {
		t.Fatalf("due at %d, was %d, %v", s.Due(), due, err)
	}
	l.service = s
	l.idle(2 * time.Second)
	l.holds("a")
	l.idle(time.Second + longest)
	l.holds()
}
