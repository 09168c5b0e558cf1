package statemachine

import "strconv"

// Request is one client request whose signature holds. Its slices belong to the service from Apply on.
type Request struct {
	Client     [32]byte // public key
	Session    uint64   // chosen by the client, rising, at least 1 (C1)
	T          uint64   // the request's number within its session, the timestamp t of the PBFT paper
	AckedBelow uint64   // the client holds every reply of the session with a lower number
	Digest     [32]byte // of the request's content; tells two requests under one number apart
	ReadOnly   bool     // execute with Machine.Query
	Ops        [][]byte
}

// Batch is what one sequence number stands for. Without requests and with time 0 it is the null batch, which executes
// as nothing (N4).
type Batch struct {
	Seq      uint64
	Time     int64 // proposed, nanoseconds since the Unix epoch
	Requests []Request
}

// Outcome is what became of a request.
type Outcome uint8

// The outcomes that execution decides. The values are those of the protocol's replies, whose 4 (busy) is not decided
// here.
const (
	OutcomeExecuted Outcome = 1 // Results holds one result an operation
	OutcomeConflict Outcome = 2 // another request was executed under this number (C2)
	OutcomeExpired  Outcome = 3 // the session was evicted or the number acknowledged: never executed from now on (C1)
	// Beyond the window, the reply cache's limit or the client's part of a batch's budget. A reply with a Seq is final: the
	// number is used up there, and is never executed. Without a Seq a copy of the request may still be executed later.
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

// Reply answers a request. It depends on the request and the agreed state alone, so correct replicas give equal
// replies, whether from Apply or from Lookup. Its slices must not be modified: the reply cache shares them.
type Reply struct {
	Client  [32]byte
	Session uint64
	T       uint64
	Request [32]byte // the answered request's digest
	Outcome Outcome
	Seq     uint64   // where the number's request was executed; or refused for ever; 0 otherwise
	Results [][]byte // one an operation, in order; see Failure. Empty unless executed
	Cost    uint64   // what executing it cost in this batch, in units; 0 if it was not executed here
}
