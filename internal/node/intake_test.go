package node

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tagma/crypto"
	"tagma/network"
	"tagma/pbft/wire"
)

// A client that connects as soon as the replica listens sends its inquiry once. The inquiry waits until the replica can
// answer it.
func TestAnInquiryWaitsUntilTheReplicaIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		in, ended := &intake{ctx: ctx, ready: make(chan struct{})}, false
		go func() {
			in.answer(nil)
			ended = true
		}()
		synctest.Wait()
		if ended {
			t.Error("the question was dropped")
		}
		cancel()
		synctest.Wait()
		if !ended {
			t.Error("the end of the node leaves the question waiting")
		}
	})
}

// S4: however many links ask for a replica's report, at once or one after the other, the replica makes a report at most
// once in inquiryPause, and every answer is at most that old.
func TestS4_InquiriesOfManyLinksShareOneReport(t *testing.T) {
	made := 0
	r := &reports{report: func() any { made++; return made }}
	begin, told := time.Now(), 0
	for i := range 1000 {
		frame, err := r.newest(begin.Add(time.Duration(i) * inquiryPause / 100))
		if err != nil {
			t.Fatal(err)
		}
		m, err := wire.Decode(frame)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(m.(*wire.Report).Document, &told); err != nil || told != i/100+1 {
			t.Fatalf("asked for the time %d it tells report %d (%v), want %d", i, told, err, i/100+1)
		}
	}
	if made != 10 {
		t.Errorf("%d reports were made in ten pauses, want 10", made)
	}
}

// C6, S4: the links of two clients wait for room in the lane to the loop. A client with many links gets as many turns as
// a client with one.
func TestC6_ClientsTakeTurnsForTheLoopHoweverManyLinksTheyHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &intake{ctx: t.Context(), lanes: lanes{clients: newLane(1, 1<<20)}, routes: newRoutes()}
		var all sync.WaitGroup
		send := func(from *clientSender, mark int) {
			all.Go(func() { in.order(from, &network.ClientLink{}, &wire.Request{}, wire.Verified{}, mark) })
			synctest.Wait()
		}
		pool := crypto.NewPool(crypto.NewVerifier(0, nil), 1)
		many, one, other := newClientSender(pool), newClientSender(pool), newClientSender(pool)
		for range 64 {
			send(many, 1)
		}
		send(one, 2)
		send(one, 2)
		send(other, 3)
		var came []int64 // the requests in the order of their arrival, recognised by their sizes
		for range 64 + 3 {
			e := <-in.lanes.clients.events
			in.lanes.clients.take(e)
			came = append(came, e.bytes)
			synctest.Wait()
		}
		all.Wait()
		if want := []int64{1, 1, 2, 3, 1, 2, 1}; !slices.Equal(came[:len(want)], want) {
			t.Errorf("requests came from %v, want them to begin with %v", came[:2*len(want)], want)
		}
	})
}
