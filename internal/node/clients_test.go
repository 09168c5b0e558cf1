package node

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"tagma/client"
	"tagma/statemachine/kv"
)

// executions returns how often a key was written.
func executions(ctx context.Context, t *testing.T, c *client.Client, key []byte) uint64 {
	t.Helper()
	r, err := c.Do(ctx, kv.Get(key))
	if err != nil {
		t.Fatal(err)
	}
	got, err := kv.DecodeGet(r.Output())
	if err != nil {
		t.Fatal(err)
	}
	if got.Pair == nil {
		return 0
	}
	return got.Pair.Version
}

// Many callers use one client, with and without packing. Every acknowledged operation was executed exactly once; if the
// caller chose at-least-once, it may have been executed more often, because the client sends a second request after a
// slow answer.
func TestC7_ManyCallersOfOneClientOnRealNodes(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	// A primary that still asks what it signed orders nothing, so a request that is sent only once would be lost.
	b.until("all may vote", func(rs []Report) bool {
		return !slices.ContainsFunc(rs, func(r Report) bool { return r.Health != Healthy })
	})
	c, ctx := b.dial()
	const callers, each = 16, 12
	under := func(caller int) client.Semantics { return client.Semantics(caller % 3) } // these callers wait for an answer
	key := func(caller, i int) []byte { return fmt.Appendf(nil, "k%d.%d", caller, i) }
	var calling sync.WaitGroup
	for caller := range callers {
		calling.Go(func() {
			for i := range each {
				if _, err := c.Do(ctx, kv.Put(key(caller, i), []byte("v")), client.Under(under(caller))); err != nil {
					t.Errorf("%v: %v", under(caller), err)
				}
			}
		})
	}
	calling.Wait()
	for caller := range callers {
		for i := range each {
			got, repeats := executions(ctx, t, c, key(caller, i)), under(caller) == client.AtLeastOnce
			if got < 1 || got > 1 && !repeats {
				t.Errorf("%s under %v was executed %d times", key(caller, i), under(caller), got)
			}
		}
	}
}

// A long result is sent whole by only one replica. The client gets it even if that replica is down.
func TestC5_LongResultsOnRealNodes(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	c, ctx := b.dial()
	value := bytes.Repeat([]byte("0123456789abcdef"), 1024)
	if _, err := kv.NewClient(c).Put(ctx, "long", value); err != nil {
		t.Fatal(err)
	}
	for _, down := range []bool{false, true} {
		if down {
			b.halt(3)
		}
		for range 12 { // so that each replica is the one that sends the whole result for some requests
			if got, err := kv.NewClient(c).Get(ctx, "long"); err != nil || !bytes.Equal(got, value) {
				t.Fatalf("replica 3 is down: %t; %d bytes, %v", down, len(got), err)
			}
		}
	}
}
