package node

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/network"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// intake turns frames into events: it decodes, checks and verifies messages. Decoding runs on the readers' goroutines,
// so a link that sends faster than its messages are verified and taken delays only itself.
type intake struct {
	ctx        context.Context
	cfg        *wire.Config
	signatures *verification
	lanes      lanes
	helpers    func() (data, questions *mailbox) // for messages that the core does not see
	routes     *routes
	quarantine *quarantine[*network.ClientLink]
	suspects   *quarantine[int] // replicas that sent a message which no correct replica sends
	past       *queries
	watches    *watches
	vouch      *vouch
	outside    *outside
	attached   func(wire.PublicKey, *wire.Attach) *wire.Attached // nil: there is no answer
	counts     *counters
	reports    *reports
	drop       func(replica int) // ends the streams on which a replica sends
	ready      chan struct{}     // closed once reports and drop may be used
	log        *slog.Logger
	tap        *trace.Tap
}

// FromReplica takes a frame of another replica. An invalid message is counted and dropped, and its sender is read more
// slowly: remote input never stops a replica (S4). If a frame is not a message, or is one that replicas never send each
// other, the sender's streams are also ended, because connecting again costs the sender more than it costs this replica.
func (in *intake) FromReplica(from int, frame []byte) {
	in.suspects.wait(in.ctx, from)
	m, err := wire.Decode(frame)
	if err != nil {
		in.refuse("replica", from, nil, err)
		in.tell(from, frame)
		in.part(from)
		return
	}
	if replica.PartFor(m) == replica.Nobody {
		in.refuse("replica", from, m, replica.ErrMisplaced)
		in.part(from)
		return
	}
	in.signatures.check(in.signatures.replica(from, len(frame)), m, func(v wire.Verified) {
		in.counts.received.Add(1)
		in.believe(wire.ReplicaID(from), v, len(frame))
	}, func(err error) {
		in.refuse("replica", from, m, err)
		in.suspects.extend(from, time.Now(), refusedPause)
		in.tell(from, frame)
	})
}

// tell passes a refused frame on to the core if the core must know about it.
func (in *intake) tell(from int, frame []byte) {
	if ev := port.Refused(in.cfg, wire.ReplicaID(from), frame); ev != nil {
		in.lanes.replicas.put(in.ctx, ev, 0)
	}
}

// believe passes a verified message of another replica to the part that handles it. Messages that transfer a state never
// delay a vote: if there is no room for them, they are dropped.
func (in *intake) believe(from wire.ReplicaID, v wire.Verified, bytes int) {
	data, questions := in.helpers()
	switch replica.PartFor(v.Message()) {
	case replica.TheMover:
		if data != nil {
			data.put(from, v, bytes)
		}
	case replica.TheDonor:
		if questions != nil {
			questions.put(from, v, bytes)
		}
	default:
		in.lanes.replicas.put(in.ctx, port.Received{From: port.Source{Replica: from}, Msg: v}, bytes)
	}
}

// FromClient takes a request, an inquiry or a query of a client.
func (in *intake) FromClient(link *network.ClientLink, frame []byte) {
	in.quarantine.wait(in.ctx, link)
	m, err := wire.Decode(frame)
	if err != nil {
		in.refuse("client", wire.PublicKey(link.Key()), nil, err)
		// Then the client must wait before it opens its next link, because a handshake costs this replica work.
		in.quarantine.extend(link, time.Now(), malformedPause)
		in.quarantine.wait(in.ctx, link)
		link.Close()
		return
	}
	if _, asks := m.(*wire.Inquire); link.AsksOnly() && !asks {
		in.refuse("client", wire.PublicKey(link.Key()), m, replica.ErrMisplaced)
		return
	}
	switch m := m.(type) {
	case *wire.Inquire:
		in.answer(link)
		in.quarantine.pace(link, time.Now(), inquiryPause)
	case *wire.Attach:
		in.routes.set(wire.RequestID{Client: link.Key(), Session: m.Session}, link)
		if hint := in.attached(link.Key(), m); hint != nil {
			link.Send(wire.Encode(hint))
		}
	case *wire.Query:
		in.query(link, m, func(ctx context.Context) (wire.Message, bool) {
			reply, ok := in.past.answer(ctx, link.Key(), m)
			return reply, ok
		})
	case *wire.Attest:
		in.query(link, m, func(ctx context.Context) (wire.Message, bool) { return in.vouch.attest(ctx, link.Key(), m) })
	case *wire.Prove:
		in.query(link, m, func(ctx context.Context) (wire.Message, bool) { return in.vouch.prove(ctx, link.Key(), m) })
	case *wire.Watch, *wire.WatchTaken:
		in.watch(link, m)
	case *wire.Request:
		in.request(link, m, len(frame))
	case *wire.FetchState:
		in.backUp(link, m, len(frame))
	default:
		in.refuse("client", wire.PublicKey(link.Key()), m, replica.ErrMisplaced)
	}
}

func (in *intake) request(link *network.ClientLink, m *wire.Request, bytes int) {
	source := in.signatures.client(link)
	in.signatures.check(source.Source, m, func(v wire.Verified) { in.order(source.from, link, m, v, bytes) },
		func(err error) {
			in.refuse("client", wire.PublicKey(link.Key()), m, err)
			if wire.Refusal(err) == badSignature {
				in.quarantine.extend(link, time.Now(), badSignaturePause)
			}
		})
}

// order passes a verified request on to the loop, and waits for room in the lane if there is none. Among all links of
// one key, only one request at a time waits for room. So each key gets the same share, however many requests it sends
// (C6).
func (in *intake) order(from *clientSender, link *network.ClientLink, m *wire.Request, v wire.Verified, bytes int) {
	in.routes.set(m.ID, link)
	select {
	case from.entering <- struct{}{}:
	case <-in.ctx.Done():
		return
	}
	defer func() { <-from.entering }()
	in.lanes.clients.put(in.ctx, port.Received{From: port.Source{Client: true}, Msg: v}, bytes)
}

// query reads a state for a client. Meanwhile it does not read from the client's link. If the link ends, the read is
// cancelled.
func (in *intake) query(link *network.ClientLink, m wire.Message, answer func(context.Context) (wire.Message, bool)) {
	if _, err := wire.Verify(in.cfg, m, claimsNothing); err != nil {
		in.refuse("client", wire.PublicKey(link.Key()), m, err)
		return
	}
	ctx, cancel := context.WithCancel(in.ctx)
	defer cancel()
	defer context.AfterFunc(link.Context(), cancel)()
	if reply, ok := answer(ctx); ok {
		link.Send(wire.Encode(reply))
	}
}

// watch passes on what concerns a client's watches.
func (in *intake) watch(link *network.ClientLink, m wire.Message) {
	if _, err := wire.Verify(in.cfg, m, claimsNothing); err != nil {
		in.refuse("client", wire.PublicKey(link.Key()), m, err)
		return
	}
	in.watches.put(in.ctx, link, m)
}

// claimsNothing accepts messages without signatures, which only the link authenticates.
func claimsNothing(claims []wire.Claim) bool { return len(claims) == 0 }

// backUp passes the question of a client that takes a backup to the donor. If another backup is being served, or the
// client may not take one, the message is refused as misplaced.
func (in *intake) backUp(link *network.ClientLink, m *wire.FetchState, bytes int) {
	v, err := wire.Verify(in.cfg, m, claimsNothing)
	if err == nil && !in.outside.take(link, time.Now()) {
		err = replica.ErrMisplaced
	}
	if err != nil {
		in.refuse("client", wire.PublicKey(link.Key()), m, err)
		in.quarantine.pace(link, time.Now(), inquiryPause)
		return
	}
	if _, questions := in.helpers(); questions != nil {
		questions.put(replica.Outside(in.cfg), v, bytes)
	}
}

// ClientGone forgets a link and the routes over it. Messages of the link that are still in the pool may set routes after
// that.
func (in *intake) ClientGone(link *network.ClientLink) {
	in.signatures.gone(link)
	in.routes.gone(link)
	in.quarantine.gone(link, time.Now())
	in.watches.put(in.ctx, link, nil)
}

// answer sends this replica's report. If no report has been made yet, the answer is sent when there is one.
func (in *intake) answer(link *network.ClientLink) {
	select {
	case <-in.ready:
	case <-in.ctx.Done():
		return
	}
	frame, err := in.reports.newest(time.Now())
	if err != nil {
		in.log.Error("the report cannot be encoded", "error", err)
		return
	}
	link.Send(frame)
}

// reports keeps the answer to an inquiry for as long as one link must wait between two inquiries. Making a report is
// expensive, because it reads all parts of the replica and its directories. So the cost is bounded, however many links
// ask (S4).
type reports struct {
	report func() any

	mu    sync.Mutex
	frame []byte
	made  time.Time
}

// newest returns the frame of an answer that is at most inquiryPause old.
func (r *reports) newest(now time.Time) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frame != nil && now.Sub(r.made) < inquiryPause {
		return r.frame, nil
	}
	document, err := json.Marshal(r.report())
	if err != nil {
		return nil, err
	}
	r.frame, r.made = wire.Encode(&wire.Report{Document: document}), now
	return r.frame, nil
}

// part ends the streams of a replica that sent something which is not a message.
func (in *intake) part(from int) {
	select {
	case <-in.ready:
		in.drop(from)
	default: // then the next such frame ends them
	}
}

// refuse counts a message that is refused; m is nil if the message could not be decoded.
func (in *intake) refuse(kind string, from any, m wire.Message, err error) {
	if in.tap.Heard() {
		id, replica := from.(int)
		if !replica {
			id = trace.None
		}
		in.tap.Emit(&trace.Refused{From: id, Message: trace.Say(m), Why: err.Error()})
	}
	in.counts.addRefusal(kind, from, err)
	in.log.Debug("message refused", kind, from, "why", err)
}
