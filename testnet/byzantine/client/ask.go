package client

import (
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Signature says which signature a request carries.
type Signature string

// The kinds of signatures that a request can carry. Only Good is valid.
const (
	Good      Signature = "good"
	Bad       Signature = "bad"                // the valid signature with one bit flipped
	None      Signature = "none"               // zeroes
	OfRequest Signature = "of another request" // the client's, for the same number with other operations
	OfCluster Signature = "of another cluster" // the client's, for a cluster with another id
)

// Signatures lists the kinds that do not need another client's key.
func Signatures() []Signature { return []Signature{Good, Bad, None, OfRequest, OfCluster} }

// Ask describes a request that is sent once, and only to the replicas that it names.
type Ask struct {
	Session    wire.Session
	Number     uint64
	AckedBelow uint64
	Ops        [][]byte
	To         []wire.ReplicaID
	Signature  Signature
	By         tamper.Sign // signs the request instead of the client; nil: the client signs

	// Last answer of each replica; cleared when a request with the same content is sent again.
	answers map[wire.ReplicaID]wire.Outcome
}

// Asker is a client that sends only what the test tells it to send, and records the answers.
type Asker struct {
	caller
	asked map[wire.Digest]*Ask // the last Ask, by digest of the request
}

// NewAsker makes an Asker. Its configuration must say which client it is and how many replicas there are.
func NewAsker(cfg Config, sign tamper.Sign) *Asker {
	a := &Asker{asked: map[wire.Digest]*Ask{}}
	a.take(cfg, sign)
	return a
}

// Ask returns the frames that send a request to the chosen replicas. Before that, they tell all replicas to send their
// replies over this client's links, also the replicas that do not get the request.
func (a *Asker) Ask(q *Ask) []Parcel {
	m := a.sealed(q)
	q.answers, a.asked[m.Digest()] = map[wire.ReplicaID]wire.Outcome{}, q
	a.attach(q.Session)
	for _, to := range q.To {
		a.send(to, true, wire.Encode(m))
	}
	return a.flush()
}

// sealed returns the signed request that an Ask describes.
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

// Answers returns how many replicas have answered a request with each outcome so far.
func (a *Asker) Answers(q *Ask) map[wire.Outcome]int {
	counts := map[wire.Outcome]int{}
	for _, outcome := range q.answers {
		counts[outcome]++
	}
	return counts
}
