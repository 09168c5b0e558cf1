package session

import (
	"fmt"

	"tagma/pbft/wire"
)

// Limits are those of cluster.toml that a request must keep, or no replica would take it, and what callers chose.
type Limits struct {
	Window     uint64 // requests under way in a session
	Ops        int    // operations in a request
	OpBytes    int    // bytes of one operation
	TotalBytes int    // bytes of an encoded request

	Pack     int // operations that calls share a request for; 1: none
	InFlight int // requests that somebody waits for
	Alone    int // the same, for one that is never packed to go out; less than InFlight: as any other
}

// Defaults of a session that packs. Those in flight fill the pipeline of replicas, and are few enough that operations gather
// behind them when there are many. What is never packed gains nothing by waiting, and a few dozen of it fill the replicas'
// batches.
const (
	defaultInFlight = 8
	defaultAlone    = 64
)

// Choose adds what a caller chose to a cluster's limits: how many operations share a request, and how many requests are in
// flight. 0 stands for the defaults: as many as fit, and 8, or the window when nothing is packed.
func (l Limits) Choose(pack, inFlight int) Limits {
	window := int(l.Window)
	l.Pack = l.Ops
	if pack > 0 {
		l.Pack = min(pack, l.Ops)
	}
	l.InFlight, l.Alone = min(defaultInFlight, window), min(defaultAlone, window)
	if l.Pack == 1 {
		l.InFlight = window
	}
	if inFlight > 0 {
		l.InFlight, l.Alone = min(inFlight, window), 0
	}
	return l
}

// line is how many calls and bytes may wait in line before a caller does: what the requests in flight can take along when
// they are answered. 0 and 0 when nothing is packed: then it is the window that callers wait for.
func (l *Limits) line() (calls, bytes int) {
	if l.Pack == 1 {
		return 0, 0
	}
	return l.Pack * l.InFlight, l.TotalBytes * l.InFlight
}

func (l *Limits) check(ops [][]byte) error {
	if len(ops) == 0 {
		return ErrEmpty
	}
	if len(ops) > l.Ops {
		return fmt.Errorf("%w: %d operations in a request; send 1 to %d at once (max_ops)", ErrTooLarge, len(ops), l.Ops)
	}
	for i, op := range ops {
		if len(op) > l.OpBytes {
			return fmt.Errorf("%w: operation %d has %d bytes; at most %d are allowed (max_op_bytes)", ErrTooLarge, i, len(op), l.OpBytes)
		}
	}
	if size := (&wire.Request{Ops: ops}).Size(); size > l.TotalBytes {
		return fmt.Errorf("%w: the request has %d bytes; at most %d are allowed (max_batch_bytes); send fewer operations at once",
			ErrTooLarge, size, l.TotalBytes)
	}
	return nil
}

// requestBytes is the encoded size of a request without operations.
var requestBytes = (&wire.Request{}).Size()
