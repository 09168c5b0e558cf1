package pbft

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// next reads one event.
func (in *fuzzInput) next() {
	switch kind := in.byte() % 17; kind {
	case 0:
		in.now += time.Duration(in.byte()) * 20 * time.Millisecond
		in.step(port.Tick{Mono: in.now + 1, Wall: 1<<60 + int64(in.now)})
	case 1:
		if len(in.executed) > 0 {
			ev := in.executed[0]
			in.executed = in.executed[1:]
			in.step(ev)
		}
	case 2:
		in.step(port.Received{From: port.Source{Client: true}, Msg: wire.Own(in.c.request(uint64(in.byte())+1, "op"))})
	case 13:
		in.raw()
	case 14:
		in.receive(wire.ReplicaID(int(in.byte())%in.c.cfg.N()), in.recovery())
	case 15:
		in.transferred()
	case 16:
		in.step(port.Starving{})
	default:
		in.receive(wire.ReplicaID(int(in.byte())%in.c.cfg.N()), in.message(kind))
	}
}

// raw uses the following bytes of the input as a frame.
func (in *fuzzInput) raw() {
	k := min(int(in.byte())*8, len(in.rest))
	m, err := wire.Decode(in.rest[:k:k])
	in.rest = in.rest[k:]
	if err == nil {
		in.receive(wire.ReplicaID(int(in.byte())%in.c.cfg.N()), m)
	}
}

func (in *fuzzInput) receive(from wire.ReplicaID, m wire.Message) {
	if v, err := wire.Verify(&in.c.cfg, m, believe); err == nil && from != in.c.cfg.Self {
		in.step(port.Received{From: port.Source{Replica: from}, Msg: v})
	}
}

func (in *fuzzInput) message(kind byte) wire.Message {
	v, s, by := in.view(), in.seq(), wire.ReplicaID(int(in.byte())%in.c.cfg.N())
	switch kind {
	case 3:
		b := in.body()
		return &wire.PrePrepare{View: v, Seq: s, Digest: b.Digest(), Body: b}
	case 4:
		return &wire.Prepare{View: v, Seq: s, Digest: in.body().Digest(), Replica: by}
	case 5:
		return &wire.Commit{View: v, Seq: s, Digest: in.body().Digest(), Replica: by}
	case 6:
		return &wire.Checkpoint{Seq: s / 4 * 4, Digest: stateAfter(s / 4 * 4), Replica: by}
	case 7:
		return &wire.Suspect{View: v, Replica: by, Sig: wire.Signature{1}}
	case 8:
		return in.viewChange(v, by)
	case 9:
		return in.newView(v)
	case 10:
		b := in.body()
		return &wire.CertifiedBody{Seq: s, Body: b, Cert: in.c.commitCert(v, s, b.Digest())}
	case 11:
		return &wire.StableNotice{Cert: in.c.stableCert(s / 4 * 4)}
	}
	return in.small(v, s)
}

// transferred reports the end of a transfer, after everything that was handed to execution before.
func (in *fuzzInput) transferred() {
	for len(in.executed) > 0 {
		ev := in.executed[0]
		in.executed = in.executed[1:]
		in.step(ev)
	}
	if in.r.transfer.on && in.target != nil && !in.r.inquiry.Forgot {
		in.step(port.Transferred{Cert: *in.target})
	}
}

func (in *fuzzInput) recovery() wire.Message {
	v, s := in.view(), in.seq()
	switch in.byte() % 6 {
	case 0:
		return &wire.Recover{Until: s}
	case 1:
		return &wire.Held{Nonce: uint64(v), Above: s}
	case 2:
		return &wire.Slots{From: s, Next: s + wire.Seq(in.byte()%8)}
	case 3:
		return &wire.FetchSlots{From: s, Most: uint32(s)}
	}
	m := &wire.HeldBy{Nonce: askNonce, Of: in.c.cfg.Self, Whole: in.byte()%4 > 0, Stable: wire.StableCert{}}
	if k := s / 4 * 4; k > 0 {
		m.Stable = in.c.stableCert(k)
	}
	for range in.byte() % 3 {
		m.Said = append(m.Said, wire.Statement{
			Type: wire.Type(in.byte()%7) + wire.TypePrePrepare, View: in.view(), Seq: in.seq(), Digest: in.body().Digest(),
		})
	}
	if v > 0 {
		m.View, m.Suspects = v, in.c.viewChange(v, 0, wire.StableCert{}).Suspects
	}
	return m
}

func (in *fuzzInput) small(v wire.View, s wire.Seq) wire.Message {
	switch in.byte() % 5 {
	case 0:
		return &wire.Heartbeat{View: v}
	case 1:
		return &wire.Fetch{Seq: s, Digest: in.body().Digest()}
	case 2:
		return &wire.CertifiedBody{Seq: s, Body: in.body()}
	case 3:
		return &wire.PrePrepare{View: v, Seq: s, Digest: in.body().Digest()}
	}
	m := &wire.Status{View: v, Active: s%2 == 0, Executed: s, Stable: in.seq(), Helper: in.c.cfg.Self}
	for k := wire.Seq(1); k <= 8; k++ {
		m.Slots = append(m.Slots, wire.SlotStatus{Seq: s + k, Lacks: wire.Lacks(in.byte()) % (lacksEverything + 1)})
	}
	return m
}

func (in *fuzzInput) view() wire.View {
	if b := in.byte(); b < 250 {
		return wire.View(b % 6)
	}
	return wire.View(1<<63 + 5)
}

func (in *fuzzInput) seq() wire.Seq {
	if b := in.byte(); b < 250 {
		return wire.Seq(b % 32)
	}
	return wire.Seq(1<<64 - 1)
}

func (in *fuzzInput) body() *wire.Body {
	if b := in.byte() % 4; b > 0 {
		return &wire.Body{Time: 1<<60 + int64(b), Requests: []*wire.Request{in.c.request(uint64(b), "op")}}
	}
	return wire.NullBody
}

func (in *fuzzInput) viewChange(v wire.View, by wire.ReplicaID) *wire.ViewChange {
	stable := wire.StableCert{}
	if s := in.seq() / 4 * 4; s > 0 {
		stable = in.c.stableCert(s)
	}
	var certs []wire.PreparedCert
	for s := stable.Seq + 1; s <= stable.Seq+8; s++ {
		if in.byte()%2 == 0 && v > 0 {
			certs = append(certs, in.c.preparedCert(min(in.view(), v-1), s, in.body()))
		}
	}
	return in.c.viewChange(max(v, 1), by, stable, certs...)
}

// newView returns a NewView, either with the O that follows from its view changes, so that it is entered, or with
// another O.
func (in *fuzzInput) newView(v wire.View) wire.Message {
	m := &wire.NewView{View: max(v, 1)}
	for id := range wire.ReplicaID(in.c.cfg.Quorum()) {
		m.ViewChanges = append(m.ViewChanges, *in.viewChange(m.View, id))
	}
	for _, d := range wire.Choose(m.ViewChanges) {
		if in.byte() == 255 {
			d = wire.Digest{0xee}
		}
		m.Proposals = append(m.Proposals, wire.Proposal{Digest: d})
	}
	return m
}
