package node

import (
	"bytes"
	"errors"
	"testing"

	"tagma/client"
	"tagma/internal/replica"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/attest"
	"tagma/statemachine/kv"
)

// voucher is kv that vouches for the value of a key.
type voucher struct{ kv.Machine }

func (v voucher) Attest(r statemachine.Reader, op []byte) ([]byte, bool) {
	switch string(op) {
	case "receipt": // a statement that only the replica itself may make
		return []byte{byte(attest.KindReply), 1}, true
	case "too long":
		return attest.Machine("kv", make([]byte, attest.MaxStatement)), true
	}
	value, found := r.Get(append([]byte{'k'}, op...))
	return attest.Machine("kv", bytes.Clone(value)), found
}

// TX5, C4, K1: what an outsider can be shown by a cluster on the real transport and disk, and verifies with the cluster's
// file alone.
func TestTX5_WhatOutsidersAreShownHoldsWithTheClustersFileAlone(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	for i := range 4 {
		b.start(i, Options{Machine: voucher{}})
	}
	c, ctx := b.dial()
	text, err := b.fresh.File.Encode()
	if err != nil {
		t.Fatal(err)
	}
	offline, err := client.ParseCluster(text)
	if err != nil {
		t.Fatal(err)
	}
	call, err := c.Submit(ctx, kv.Put([]byte("shown"), []byte("value")), client.WithReceipt())
	if err != nil {
		t.Fatal(err)
	}
	put, err := call.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := offline.VerifyReceipt(put.Receipt)
	if err != nil || !shown.Executed || shown.Seq != put.Seq || shown.Request != call.ID() || len(shown.Signers) != 2 ||
		!bytes.Equal(shown.Operations[0], kv.Put([]byte("shown"), []byte("value"))) || !bytes.Equal(shown.Outputs[0], put.Output()) {
		t.Errorf("%+v, %v", shown, err)
	}
	// The reply is still cached, and the receipt of later has no operations.
	later, err := c.Receipt(ctx, call.ID(), client.QuorumReceipt)
	if err != nil {
		t.Fatal(err)
	}
	if shown, err := offline.VerifyReceipt(later); err != nil || shown.Operations != nil || len(shown.Signers) != 3 || shown.Digest == [32]byte{} {
		t.Errorf("%+v, %v", shown, err)
	}
	l := &load{b: b, c: c, ctx: ctx}
	l.put(2*int(small.CheckpointInterval)+10, 100)
	if _, err := c.Receipt(ctx, call.ID(), client.WeakReceipt); !errors.Is(err, client.ErrReplyGone) {
		t.Errorf("%v, want %v", err, client.ErrReplyGone)
	}
	fact, err := c.Attest(ctx, []byte("shown"))
	if err != nil {
		t.Fatal(err)
	}
	members := offline.Members()
	if err := fact.Verify(members, members.Weak()); err != nil {
		t.Error(err)
	}
	if value, ok := attest.SaidBy("kv", fact.Statement); !ok || !bytes.HasSuffix(value, []byte("value")) {
		t.Errorf("attested: %q", fact.Statement)
	}
	if _, err := c.Attest(ctx, []byte("absent")); !errors.Is(err, client.ErrNothingAttested) {
		t.Errorf("%v, want %v", err, client.ErrNothingAttested)
	}
	b.level(4)
	pairs := kv.NewClient(c)
	for _, key := range []string{"shown", "absent"} {
		p, err := pairs.ProvenGet(ctx, key, put.Seq)
		if err != nil {
			t.Fatal(err)
		}
		again, err := offline.VerifyRead(p.Document)
		if err != nil || again.Seq != p.Seq || p.Seq < put.Seq || again.Found != (p.Pair != nil) || (key == "shown") != again.Found {
			t.Errorf("%s: %+v, then %+v, %v", key, p, again, err)
		}
		if p.Pair != nil && string(p.Pair.Value) != "value" {
			t.Errorf("%+v", p.Pair)
		}
	}
	if _, err := pairs.ProvenGet(ctx, "shown", 1<<40); !errors.Is(err, client.ErrNotStable) {
		t.Errorf("%v, want %v", err, client.ErrNotStable)
	}
}

func attestOf(op string) *wire.Attest { return &wire.Attest{What: wire.VouchedMachine, Op: []byte(op)} }

func (r *running) vouching() *vouch { return &vouch{r.past, r.Node} }

// TX5: a machine's statement cannot pass for what only a replica says, and is bounded (S4).
func TestTX5_AMachineVouchesForNothingElse(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	for i := range 4 {
		b.start(i, Options{Machine: voucher{}})
	}
	l := b.load()
	l.put(1, 10)
	for _, op := range []string{"receipt", "too long"} {
		m := attestOf(op)
		if a, ok := b.nodes[0].vouching().attest(t.Context(), b.fresh.Clients[0].Public(), m); ok {
			t.Errorf("%s: signed %+v", op, a)
		}
	}
	if _, ok := b.nodes[0].vouching().attest(t.Context(), b.fresh.Clients[0].Public(), attestOf("k0")); !ok {
		t.Error("a proper statement is not signed")
	}
}

// TX5: a replica signs nothing about a state that is wrong, too old, being replaced, or of which it may have forgotten
// what it signed.
func TestTX5_WhoMayVouch(t *testing.T) {
	if !replica.MayVouch(&port.Inspection{Active: true}) || !replica.MayVouch(&port.Inspection{}) {
		t.Error("a replica with nothing wrong may not vouch")
	}
	for _, in := range []port.Inspection{{Diverged: true}, {LeftBehind: true}, {Asking: true}, {Silent: true}, {Halted: true}} {
		if replica.MayVouch(&in) {
			t.Errorf("%+v may vouch", in)
		}
	}
}
