package node

import (
	"context"
	"fmt"

	"tagma/client"
	"tagma/statemachine/kv"
)

// load is a client that remembers which puts were acknowledged.
type load struct {
	b    *testbed
	c    *client.Client
	ctx  context.Context
	acks int
}

func (b *testbed) load() *load {
	b.t.Helper()
	c, ctx := b.dial()
	return &load{b: b, c: c, ctx: ctx}
}

// renew starts the client's time limit again.
func (l *load) renew() {
	l.b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	l.b.t.Cleanup(cancel)
	l.ctx = ctx
}

// put stores n more values of so many bytes, one after the other.
func (l *load) put(n, size int) {
	l.b.t.Helper()
	for range n {
		if _, err := kv.NewClient(l.c).Put(l.ctx, fmt.Sprintf("k%d", l.acks), l.value(l.acks, size)); err != nil {
			l.b.t.Fatalf("put %d: %v", l.acks, err)
		}
		l.acks++
	}
}

// grow puts values until the journals of these replicas do not contain the first batch any more.
func (l *load) grow(replicas ...int) {
	l.b.t.Helper()
	for again := true; again; {
		l.put(16, 3000)
		l.b.level(len(l.b.nodes) - l.b.stopped())
		again = false
		for _, i := range replicas {
			again = again || l.b.reachesBack(i)
		}
	}
}

// stopped counts the replicas that do not run.
func (b *testbed) stopped() (count int) {
	for _, n := range b.nodes {
		if n == nil {
			count++
		}
	}
	return count
}

func (l *load) value(i, size int) []byte {
	v := make([]byte, max(size, 8))
	copy(v, fmt.Sprintf("v%d", i))
	return v
}

// check reads back every acknowledged value (I9).
func (l *load) check(size int) {
	l.b.t.Helper()
	for i := range l.acks {
		if v, err := kv.NewClient(l.c).Get(l.ctx, fmt.Sprintf("k%d", i)); err != nil || string(v) != string(l.value(i, size)) {
			l.b.t.Fatalf("k%d = %.20q, %v", i, v, err)
		}
	}
}

// level waits until this many replicas run, have executed the same batches and agree on one stable checkpoint.
func (b *testbed) level(replicas int) {
	b.t.Helper()
	b.until(fmt.Sprintf("%d replicas at the same point", replicas), func(rs []Report) bool {
		for _, r := range rs {
			if r.Executed != rs[0].Executed || r.StableCheckpoint != rs[0].StableCheckpoint || r.StateDigest != rs[0].StateDigest {
				return false
			}
		}
		return len(rs) == replicas && rs[0].StableCheckpoint > 0
	})
}
