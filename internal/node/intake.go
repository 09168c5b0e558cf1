package node

import (
	"context"
	"encoding/json"
	"log/slog"

	"tagma/network"
	"tagma/pbft"
)

// intake turns frames into events: decode, check, verify. Decoding runs on the readers' goroutines; a link that sends
// faster than its messages are verified and taken is held back by itself.
type intake struct {
	ctx        context.Context
	cfg        *pbft.Config
	signatures *verification
	lanes      lanes
	routes     *routes
	past       *queries
	counts     *counters
	report     func() any
	ready      chan struct{} // closed once report may be called
	log        *slog.Logger
}

// FromReplica takes a frame of another replica. What cannot be believed is counted and dropped: remote input never stops
// a replica (S4).
func (in *intake) FromReplica(from int, frame []byte) {
	m, err := pbft.Decode(frame)
	if err != nil {
		in.refuse("replica", from, err)
		return
	}
	in.signatures.check(in.signatures.replica(from, len(frame)), m, func(v pbft.Verified) {
		in.counts.received.Add(1)
		in.put(in.lanes.replicas, pbft.Received{From: pbft.Source{Replica: pbft.ReplicaID(from)}, Msg: v})
	}, func(err error) { in.refuse("replica", from, err) })
}

// FromClient takes a request, an inquiry or a query.
func (in *intake) FromClient(link *network.ClientLink, frame []byte) {
	m, err := pbft.Decode(frame)
	if err != nil {
		in.refuse("client", pbft.PublicKey(link.Key()), err)
		return
	}
	switch m := m.(type) {
	case *pbft.Inquire:
		in.answer(link)
	case *pbft.Attach:
		in.routes.set(pbft.RequestID{Client: link.Key(), Session: m.Session}, link)
	case *pbft.Query:
		in.query(link, m)
	case *pbft.Request:
		in.request(link, m)
	default:
		in.refuse("client", pbft.PublicKey(link.Key()), errMisplaced)
	}
}

func (in *intake) request(link *network.ClientLink, m *pbft.Request) {
	in.signatures.check(in.signatures.client(link), m, func(v pbft.Verified) { in.order(link, m, v) },
		func(err error) { in.refuse("client", pbft.PublicKey(link.Key()), err) })
}

// order passes a request that is believed on to the loop.
func (in *intake) order(link *network.ClientLink, m *pbft.Request, v pbft.Verified) {
	in.routes.set(m.ID, link)
	select {
	case in.lanes.clients <- pbft.Received{From: pbft.Source{Client: true}, Msg: v}:
	default: // full: say so at once instead of letting the client wait (C6)
		in.counts.busy.Add(1)
		link.Send(pbft.Encode(&pbft.Reply{
			ID: m.ID, Request: m.Digest(), Outcome: pbft.OutcomeBusy, RetryAfterMillis: busyRetryMillis,
		}))
	}
}

// query reads a past state for a client and holds back its link meanwhile.
func (in *intake) query(link *network.ClientLink, m *pbft.Query) {
	if err := pbft.Check(in.cfg, m); err != nil {
		in.refuse("client", pbft.PublicKey(link.Key()), err)
		return
	}
	if reply, ok := in.past.answer(in.ctx, m); ok {
		link.Send(pbft.Encode(reply))
	}
}

// busyRetryMillis is the hint given when the lane of clients is full: it drains within a few turns.
const busyRetryMillis = 50

// ClientGone forgets a link and the routes over it. Its last messages may still be on their way, and set routes.
func (in *intake) ClientGone(link *network.ClientLink) {
	in.signatures.gone(link)
	in.routes.gone(link)
}

// answer sends this replica's report. In the moment before there is one to give, whoever asked will ask again.
func (in *intake) answer(link *network.ClientLink) {
	select {
	case <-in.ready:
	default:
		return
	}
	document, err := json.Marshal(in.report())
	if err != nil {
		in.log.Error("the report cannot be encoded", "error", err)
		return
	}
	link.Send(pbft.Encode(&pbft.Report{Document: document}))
}

// put waits for room in a lane, which holds back the link's reader, or for the end.
func (in *intake) put(lane chan<- pbft.Event, ev pbft.Event) {
	select {
	case lane <- ev:
	case <-in.ctx.Done():
	}
}

func (in *intake) refuse(kind string, from any, err error) {
	in.counts.refused.Add(1)
	in.counts.refusals.add(kind, err)
	in.log.Debug("message refused", kind, from, "why", err)
}
