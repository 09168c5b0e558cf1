package replica

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// corrupt sends wrong messages: ones with invalid signatures (S2), with digests that belong to no batch (§4.2), or with
// wrong answers (C4).
var corrupt = tamper.Describe[corrupter]("corrupt", tamper.Byzantine,
	"flips bits in what it sends: in signatures, in the digests it votes for, or in its replies to clients",
	"as primary at most one view change; as a backup none; throughput ≥ 90 %")

type corrupter struct {
	rule
	What    string       `default:"signature" words:"signature,digest,reply" doc:"signature: of every signed message; digest: of its votes "`
	_       any          `doc:"and proposals, well signed; reply: results and view"`
	FromSeq tamper.Onset `default:"0" doc:"it begins when it first speaks of this sequence number"`
}

func (c *corrupter) ready() error {
	c.peers, c.onset, c.act = tamper.Everybody(), &c.FromSeq, c.spoil
	return nil
}

func (c *corrupter) spoil(_ port.Source, m wire.Message) []wire.Message {
	if lie := c.spoiled(m); lie != nil {
		return []wire.Message{lie}
	}
	return []wire.Message{m}
}

// spoiled returns a changed copy of a message, or nil if this behaviour cannot change the message.
func (c *corrupter) spoiled(m wire.Message) wire.Message {
	r, reply := m.(*wire.Reply)
	switch {
	case c.What == "signature":
		return tamper.Altered(m, "Sig", func(s wire.Signature) wire.Signature { s[0] ^= 0x01; return s })
	case c.What == "digest" && c.mine(m): // a changed statement of others is just a bad signature
		bad := tamper.Altered(m, "Digest", func(d wire.Digest) wire.Digest { d[0] ^= 0x01; return d })
		if bad != nil {
			c.signed(bad)
		}
		return bad
	case c.What == "reply" && reply:
		return wrongReply(r)
	default:
		return nil
	}
}

// wrongReply changes the results, and the view, which hints at the primary. If a reply has no results it adds one,
// because otherwise clients would ignore it.
func wrongReply(r *wire.Reply) wire.Message {
	lie := *r
	lie.View++
	if r.ResultDigest != nil { // the reply has a digest instead of the results
		digest := *r.ResultDigest
		digest[0] ^= 0x01
		lie.ResultDigest = &digest
		return &lie
	}
	lie.Results = make([][]byte, max(1, len(r.Results)))
	lie.Results[0] = []byte{0x01}
	for i, result := range r.Results {
		lie.Results[i] = turned(result)
	}
	return &lie
}

// lyingReply lies only to clients (C4).
var lyingReply = tamper.Describe[replyLiar]("lying-reply", tamper.Byzantine,
	"answers clients with a wrong result, for another request, or with a wrong view",
	"clients are not deceived, and no slower")

type replyLiar struct {
	rule
	How string `default:"result" words:"result,t,view" doc:"result: another one; t: the reply names the next request; view: the "`
	_   any    `doc:"primary is somebody else"`
}

func (l *replyLiar) ready() error {
	l.types, l.peers, l.act = tamper.Only(wire.TypeReply), tamper.Everybody(), l.wrong
	return nil
}

func (l *replyLiar) wrong(_ port.Source, m wire.Message) []wire.Message {
	lie := *m.(*wire.Reply)
	switch l.How {
	case "t":
		lie.ID.T++
	case "view":
		lie.View += 1 << 20
	default:
		return []wire.Message{wrongReply(&lie)}
	}
	return []wire.Message{&lie}
}

// lyingCheckpoint tries to make a false checkpoint stable, or to move the window (§4.3, K1).
var lyingCheckpoint = tamper.Describe[stateLiar]("lying-checkpoint", tamper.Byzantine,
	"signs checkpoints with a wrong digest, with two digests, or in the far future",
	"the stable checkpoint is unaffected; two digests are proof for whoever sees both, one of them perhaps in a certificate")

type stateLiar struct {
	rule
	How string `default:"wrong" words:"wrong,only,two,far" doc:"wrong: another digest; only: the same, and its certificates do not have "`
	_   any    `doc:"the true one; two: the true one and another one, to everybody; far: also one a thousand windows ahead"`
}

func (l *stateLiar) ready() error {
	if l.How == "only" {
		return nil
	}
	return l.lie(l.misstate, wire.TypeCheckpoint)
}

// speak makes the core believe that it sent the other digest. So the core never sends the true one.
func (l *stateLiar) speak(m wire.Message) []wire.Message {
	if l.How != "only" || wire.TypeOf(m) != wire.TypeCheckpoint {
		return []wire.Message{m}
	}
	return []wire.Message{otherDigest(m, 0)}
}

func (l *stateLiar) misstate(_ port.Source, m wire.Message) []wire.Message {
	lie := otherDigest(m, 0)
	if l.How == "far" {
		lie.(*wire.Checkpoint).Seq += 1000 * l.cfg.LogWindow
	}
	if l.signed(lie); l.How == "wrong" {
		return []wire.Message{lie}
	}
	return []wire.Message{lie, m}
}

// equivocate sends every replica another statement, so that no batch can prepare (§4.2, E1).
var equivocate = tamper.Describe[equivocator]("equivocate", tamper.Byzantine,
	"sends every replica a different pre-prepare, prepare or commit for one place in the order",
	"at most one view change for each bad primary; proof is kept")

type equivocator struct {
	rule
	Phase   wire.Type `default:"pre-prepare" words:"pre-prepare,prepare,commit" doc:"what it lies about: pre-prepare (as primary), "`
	_       any       `doc:"prepare or commit"`
	FromSeq wire.Seq  `default:"1" doc:"the first sequence number it lies about; below it is honest"`
}

func (e *equivocator) ready() error {
	e.since = e.FromSeq
	return e.lie(e.contradict, e.Phase)
}

// contradict sends each destination a variant of a message. A destination always gets the same variant, also when the
// core sends its message again, because two variants at one replica would be evidence at once. Proposals without body
// are dropped, because they would show the true digest to all.
func (e *equivocator) contradict(to port.Source, m wire.Message) []wire.Message {
	lie := variant(m, to.Replica)
	if lie == nil {
		return nil
	}
	return []wire.Message{e.signed(lie)}
}

// variant returns a statement with the same view and sequence number and another digest. For a pre-prepare, that is the
// digest of the same requests with another agreed time; this body is as valid as the honest one. For a vote, it is a
// digest that belongs to no batch.
func variant(m wire.Message, to wire.ReplicaID) wire.Message {
	p, proposes := m.(*wire.PrePrepare)
	switch {
	case !proposes:
		return otherDigest(m, to)
	case p.Body == nil:
		return nil
	}
	return withBody(p, &wire.Body{Time: p.Body.Time + 1 + int64(to), Requests: p.Body.Requests})
}

// withBody returns an unsigned proposal of another batch for the same view and sequence number.
func withBody(p *wire.PrePrepare, body *wire.Body) *wire.PrePrepare {
	return &wire.PrePrepare{View: p.View, Seq: p.Seq, Digest: body.Digest(), Body: body}
}
