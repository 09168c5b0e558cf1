package node

import (
	"context"
	"testing"
	"testing/synctest"
)

// A client that connects as soon as the replica listens asks once: its question waits until there is an answer.
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
