package bench

import (
	"context"
	"sync"
	"testing"
	"time"

	"tagma/client"
	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// fake is a cluster of one key-value machine that answers after a time that the test chooses.
type fake struct {
	takes func(request int) (time.Duration, error)

	mu      sync.Mutex
	service *statemachine.Service
	sizes   []int          // operations of each request
	sent    []time.Time    // of each request
	seen    map[string]int // requests by content
}

func newFake(t *testing.T, takes func(int) (time.Duration, error)) *fake {
	t.Helper()
	service, err := statemachine.New(kv.Machine{}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	return &fake{takes: takes, service: service, seen: make(map[string]int)}
}

// steady is a cluster that always answers after the same time.
func steady(took time.Duration) func(int) (time.Duration, error) {
	return func(int) (time.Duration, error) { return took, nil }
}

// DoMany has the same meaning as that of a client.
func (f *fake) DoMany(ctx context.Context, ops [][]byte, _ ...client.CallOption) (client.Result, error) {
	n, outputs := f.execute(ops)
	took, err := f.takes(n)
	select {
	case <-time.After(took):
	case <-ctx.Done():
		err = &client.UnknownError{Cause: ctx.Err(), Busy: true}
	}
	return client.Result{Outputs: outputs}, err
}

func (f *fake) execute(ops [][]byte) (number int, outputs [][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	number = len(f.sizes)
	f.sizes = append(f.sizes, len(ops))
	f.sent = append(f.sent, time.Now())
	for _, op := range ops {
		f.seen[string(op)]++
	}
	seq := uint64(number) + 1
	replies, err := f.service.Apply(statemachine.Batch{Seq: seq, Time: 1, Requests: []statemachine.Request{
		{Client: [32]byte{1}, Session: 1, T: seq, AckedBelow: seq, Ops: ops},
	}})
	if err != nil {
		panic(err)
	}
	return number, replies[0].Results
}
