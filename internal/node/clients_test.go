package node

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"tagma/client"
	"tagma/statemachine/kv"
)

// revision is how many operations have changed the store: each put of a client counts once.
func revision(ctx context.Context, t *testing.T, c *client.Client) uint64 {
	t.Helper()
	r, err := c.Do(ctx, kv.Put([]byte("last"), nil))
	if err != nil {
		t.Fatal(err)
	}
	put, err := kv.DecodePut(r.Output())
	if err != nil {
		t.Fatal(err)
	}
	return put.Revision - 1
}

// Packed or not, and whatever the semantics, without loss every operation of many callers is executed once.
func TestC7_ManyCallersOfOneClientOnRealNodes(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	c, ctx := b.dial()
	const callers, each = 16, 12
	before := revision(ctx, t, c) + 1
	var calling sync.WaitGroup
	for caller := range callers {
		calling.Go(func() {
			under := client.Semantics(caller % 3) // best effort may drop what does not fit in line
			for i := range each {
				if _, err := c.Do(ctx, kv.Put(fmt.Appendf(nil, "k%d.%d", caller, i), []byte("v")), client.Under(under)); err != nil {
					t.Errorf("%v: %v", under, err)
				}
			}
		})
	}
	calling.Wait()
	if got := revision(ctx, t, c) - before; got != callers*each {
		t.Errorf("%d operations executed, want %d", got, callers*each)
	}
}

// Long results arrive whole though one replica alone sends them so, and also when that one is down.
func TestC5_LongResultsOnRealNodes(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	c, ctx := b.dial()
	value := bytes.Repeat([]byte("0123456789abcdef"), 1024)
	if err := c.Put(ctx, "long", value); err != nil {
		t.Fatal(err)
	}
	for _, down := range []bool{false, true} {
		if down {
			b.halt(3)
		}
		for range 12 { // each replica is the designated one of some
			if got, err := c.Get(ctx, "long"); err != nil || !bytes.Equal(got, value) {
				t.Fatalf("replica 3 is down: %t; %d bytes, %v", down, len(got), err)
			}
		}
	}
}
