package client

import (
	"fmt"

	"tagma/network"
	"tagma/pbft"
)

// limits are those of cluster.toml that a request must keep, or no replica would take it.
type limits struct {
	window     uint64 // requests under way in a session
	ops        int    // operations in a request
	opBytes    int    // bytes of one operation
	totalBytes int    // bytes of an encoded request

	pack     int // operations that calls share a request for; 1: none
	inFlight int // requests that somebody waits for
	alone    int // the same, for one that is never packed to go out; less than inFlight: as any other
	// Calls and bytes that may wait in line before Submit blocks: what the requests in flight can take along when they
	// are answered. 0 and 0 when nothing is packed: then it is the window that Submit waits for.
	line, lineBytes int
}

// frameOverhead is what an encoded request may be longer by in its frame.
const frameOverhead = 64

func (l limits) check(ops [][]byte) error {
	if len(ops) == 0 || len(ops) > l.ops {
		return fmt.Errorf("%w: %d operations in a request; send 1 to %d at once (max_ops)", ErrTooLarge, len(ops), l.ops)
	}
	for i, op := range ops {
		if len(op) > l.opBytes {
			return fmt.Errorf("%w: operation %d has %d bytes; at most %d are allowed (max_op_bytes)", ErrTooLarge, i, len(op), l.opBytes)
		}
	}
	most := l.mostBytes()
	if size := (&pbft.Request{Ops: ops}).Size(); size > most {
		return fmt.Errorf("%w: the request has %d bytes; at most %d are allowed (max_batch_bytes); send fewer operations at once",
			ErrTooLarge, size, most)
	}
	return nil
}

// mostBytes is the largest encoded request.
func (l limits) mostBytes() int {
	return min(l.totalBytes, network.DefaultMaxClientFrame-frameOverhead)
}

// requestBytes is the encoded size of a request without operations.
var requestBytes = (&pbft.Request{}).Size()
