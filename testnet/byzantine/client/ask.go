package client

import (
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Signature says which signature a request gets.
type Signature string

// The signatures of requests that are asked for.
const (
	Good      Signature = "good"
	Bad       Signature = "bad"                // the right one with one bit flipped
	None      Signature = "none"               // zeroes
	OfRequest Signature = "of another request" // the client's, for the same number with other operations
	OfCluster Signature = "of another cluster" // the client's, for a cluster with another id
)

// Signatures lists those for which no other client's key is needed.
func Signatures() []Signature { return []Signature{Good, Bad, None, OfRequest, OfCluster} }

// Ask describes a request to be sent once, and only to these replicas.
type Ask struct {
	Session    wire.Session
	Number     uint64
	AckedBelow uint64
	Ops        [][]byte
	To         []wire.ReplicaID
	Signature  Signature
	By         tamper.Sign // signs instead of the client; nil: the client signs

	answers map[wire.ReplicaID]wire.Outcome // last answer of each replica, until the same content is asked for again
}

// Asker is a client that sends only what it is asked to send, and notes the answers.
type Asker struct {
	caller
	asked map[wire.Digest]*Ask // by content of the request: the last Ask
}

// NewAsker makes an Asker. From its configuration it needs who it is, and how many replicas there are.
func NewAsker(cfg Config, sign tamper.Sign) *Asker {
	a := &Asker{asked: map[wire.Digest]*Ask{}}
	a.take(cfg, sign)
	return a
}

// Ask returns the request for each of its replicas. It first tells all replicas to send their answers here, including
// those that do not get the request.
func (a *Asker) Ask(q *Ask) []Parcel {
	m := a.sealed(q)
	q.answers, a.asked[m.Digest()] = map[wire.ReplicaID]wire.Outcome{}, q
	a.attach(q.Session)
	for _, to := range q.To {
		a.send(to, true, wire.Encode(m))
	}
	return a.flush()
}

// sealed is the request that an Ask describes.
func (a *Asker) sealed(q *Ask) *wire.Request {
	m := a.unsigned(q)
	sign, cluster := a.sign, a.Cluster
	if q.By != nil {
		sign = q.By
	}
	if q.Signature == OfCluster {
		cluster[0] ^= 0x01
	}
	wire.SignRequest(cluster, m, sign)
	switch sig := m.Sig; q.Signature {
	case Bad:
		sig[0] ^= 0x01
		m = resigned(m, sig)
	case None:
		m = resigned(m, wire.Signature{})
	case OfRequest:
		other := a.unsigned(q)
		other.Ops = append(slices.Clone(q.Ops), []byte("another"))
		wire.SignRequest(cluster, other, sign)
		m = resigned(m, other.Sig)
	default:
	}
	return m
}

func (a *Asker) unsigned(q *Ask) *wire.Request {
	return &wire.Request{ID: wire.RequestID{Client: a.Key, Session: q.Session, T: q.Number}, AckedBelow: q.AckedBelow, Ops: q.Ops}
}

func resigned(m *wire.Request, sig wire.Signature) *wire.Request {
	return tamper.Altered(m, "Sig", func(wire.Signature) wire.Signature { return sig }).(*wire.Request)
}

// Tick implements Client. An Asker sends nothing by itself.
func (*Asker) Tick(time.Duration) []Parcel { return nil }

// Replied notes an answer.
func (a *Asker) Replied(from wire.ReplicaID, m *wire.Reply) {
	a.caller.Replied(from, m)
	if q := a.asked[m.Request]; q != nil && m.ID.Client == a.Key {
		q.answers[from] = m.Outcome
	}
}

// Answers counts the replicas that gave each outcome to a request so far.
func (a *Asker) Answers(q *Ask) map[wire.Outcome]int {
	counts := map[wire.Outcome]int{}
	for _, outcome := range q.answers {
		counts[outcome]++
	}
	return counts
}
