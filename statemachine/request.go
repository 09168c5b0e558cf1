package statemachine

import "strconv"

// Request is one client request whose signature was verified. Once it was passed to Apply, its slices belong to the service.
type Request struct {
	Client     [32]byte // public key
	Session    uint64   // chosen by the client, at least 1; later sessions have higher numbers (C1)
	T          uint64   // the request's number within its session, the timestamp t of the PBFT paper
	AckedBelow uint64   // the client holds the replies to all lower numbers of the session
	Digest     [32]byte // of the request's content; distinguishes two requests with the same number
	ReadOnly   bool     // execute the operations by Machine.Query
	Ops        [][]byte
}

// Batch is the content of one sequence number. Without requests and with time 0 it is the null batch, whose execution
// does nothing (N4).
type Batch struct {
	Seq      uint64
	Time     int64 // proposed by the primary, nanoseconds since the Unix epoch
	Requests []Request
}

// Outcome says what happened to a request.
type Outcome uint8

// The outcomes that execution decides. The values are those of the protocol's replies. The missing value 4 (busy) is
// decided by a replica before execution.
const (
	OutcomeExecuted Outcome = 1 // Results holds one result per operation
	OutcomeConflict Outcome = 2 // another request was already executed under this number (C2)
	// The session was evicted or the number acknowledged: the request will never be executed (C1).
	OutcomeExpired Outcome = 3
	// OutcomeRefused: the request is beyond the window, the reply cache's limit or the client's part of a batch's
	// budget. If the reply has a Seq, the refusal is final: the number is used up there. Without a Seq a copy of the
	// request may still be executed later.
	OutcomeRefused Outcome = 5
)

func (o Outcome) String() string {
	switch o {
	case OutcomeExecuted:
		return "executed"
	case OutcomeConflict:
		return "conflict"
	case OutcomeExpired:
		return "expired"
	case OutcomeRefused:
		return "refused"
	}
	return "outcome " + strconv.Itoa(int(o))
}

// Reply answers a request. It depends only on the request and the agreed state, so all correct replicas give equal
// replies, whether by Apply or by Lookup. Its slices must not be modified: the reply cache shares them.
type Reply struct {
	Client  [32]byte
	Session uint64
	T       uint64
	Request [32]byte // digest of the request that is answered
	Outcome Outcome
	Seq     uint64   // sequence number at which the request was executed or finally refused; 0 otherwise
	Results [][]byte // one result per operation, in order; see Failure. Empty unless the request was executed
	Cost    uint64   // units of cost of the request's execution in this batch; 0 if this batch did not execute it
}
