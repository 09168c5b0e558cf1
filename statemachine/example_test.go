package statemachine_test

import (
	"encoding/binary"
	"fmt"

	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// counter is a complete application: "add" raises the counter and everything else reads it.
type counter struct{}

var key = []byte("counter")

func (c counter) Apply(tx statemachine.Txn, op []byte) []byte {
	if string(op) == "add" {
		tx.Put(key, binary.BigEndian.AppendUint64(nil, value(tx)+1))
	}
	return c.Query(tx, op)
}

func (counter) Query(r statemachine.Reader, _ []byte) []byte {
	return fmt.Appendf(nil, "%d", value(r))
}

func value(r statemachine.Reader) uint64 {
	if b, found := r.Get(key); found {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// A service executes the batches that the replicas agreed on. One request is in two batches here, and is executed only
// once.
func Example() {
	service, err := statemachine.New(counter{}, memstore.New(), statemachine.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	request := statemachine.Request{Client: [32]byte{1}, Session: 1, T: 1, Ops: [][]byte{[]byte("add"), []byte("add")}}
	for seq := uint64(1); seq <= 2; seq++ {
		replies, err := service.Apply(statemachine.Batch{
			Seq: seq, Time: 1_700_000_000_000_000_000, Requests: []statemachine.Request{request, request},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, r := range replies {
			fmt.Printf("%v at %d: %s\n", r.Outcome, r.Seq, r.Results)
		}
		request.T++
	}
	past, err := service.Query([]byte("read"), 1)
	fmt.Printf("after batch 1: %s %v\n", past, err)
	// Output:
	// executed at 1: [1 2]
	// executed at 1: [1 2]
	// executed at 2: [3 4]
	// executed at 2: [3 4]
	// after batch 1: 2 <nil>
}
