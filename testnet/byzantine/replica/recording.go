package replica

import (
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// mostRecorded bounds how many messages are remembered. The oldest are dropped first.
const mostRecorded = 1 << 15

// Recording holds the messages of a run that attackers received, in order and unchanged. With it an attacker can send
// messages again and use their signatures elsewhere, but cannot sign for others. Attackers may share one. It is not safe
// for concurrent use.
type Recording struct{ messages []wire.Message }

// NewRecording returns an empty recording.
func NewRecording() *Recording { return new(Recording) }

// Add remembers a message, which must not be changed afterwards. It ignores messages without signature: only their link
// authenticates them, so an attacker could not use them.
func (r *Recording) Add(m wire.Message) {
	switch m.(type) {
	case *wire.Heartbeat, *wire.Reply, *wire.Status, *wire.Fetch, *wire.Inquire, *wire.Report, *wire.Attach, *wire.Attached,
		*wire.Query, *wire.QueryReply, *wire.Watch, *wire.WatchTaken, *wire.Changes, *wire.Progress,
		*wire.Attest, *wire.Attestation, *wire.Prove, *wire.Proof:
		return
	default: // other messages hold signatures
	}
	r.messages = append(r.messages[max(0, len(r.messages)-mostRecorded+1):], m)
}

// Len is the number of messages that are remembered.
func (r *Recording) Len() int { return len(r.messages) }

// At returns a remembered message, the oldest one being number 0.
func (r *Recording) At(i int) wire.Message { return r.messages[i] }

// newest returns the last remembered message of a type that meets a condition, or nil.
func newest[M wire.Message](r *Recording, fits func(M) bool) (none M) {
	for _, m := range slices.Backward(r.messages) {
		if m, is := m.(M); is && fits(m) {
			return m
		}
	}
	return none
}

// replay sends earlier messages again, or to other receivers.
var replay = tamper.Describe[repeater]("replay", tamper.Byzantine,
	"sends recorded messages of others byte for byte, messages of other streams, and its own votes for another cluster",
	"no state changes")

type repeater struct {
	liar
	What tamper.List `default:"all" words:"recorded,streams,cluster" doc:"recorded: what it heard from any replica, of any view; "`
	_    any         `doc:"streams: messages that belong on clients' streams; cluster: its own votes signed for another cluster; all: everything"`
	Rate uint64      `default:"5" cap:"1000" doc:"messages a tick, to everybody"`

	next    int
	foreign wire.Config
	own     wire.Message // the attacker's newest vote
}

func (r *repeater) ready() error {
	if r.listen(); r.cfg != nil {
		r.foreign = *r.cfg
		r.foreign.Cluster[0] ^= 0xff
	}
	return nil
}

func (r *repeater) speak(m wire.Message) []wire.Message {
	switch m.(type) {
	case *wire.Prepare, *wire.Commit, *wire.Checkpoint:
		r.own = m
	default:
	}
	return []wire.Message{m}
}

func (r *repeater) tick(port.Tick) {
	for range r.Rate {
		r.repeat()
	}
}

// repeat sends the next recorded message, and the other messages that the attacker sends without the core.
func (r *repeater) repeat() {
	if r.heard.Len() == 0 {
		return
	}
	r.next = (r.next + 1) % r.heard.Len()
	m := r.heard.At(r.next)
	// Messages without signature, such as Status, are authenticated by the link. If the attacker sent them again, they
	// would count as its own.
	if _, signed := wire.Signer(r.cfg, m); signed && r.What.Has("recorded") {
		r.spread(m)
	}
	if q, ok := m.(*wire.Request); ok && r.What.Has("streams") {
		r.spread(&wire.Attach{Session: q.ID.Session})
		r.spread(&wire.Inquire{})
		r.spread(&wire.Reply{
			ID: q.ID, Request: q.Digest(), Outcome: wire.OutcomeExecuted, Seq: 1, Results: [][]byte{nil},
		})
	}
	if r.own != nil && r.What.Has("cluster") {
		vote := tamper.Copy(r.own)
		wire.Sign(&r.foreign, vote, r.sign)
		r.spread(vote)
	}
}
