package driver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// script is a core that returns the effects that the test chooses, with ports that record all calls.
type script struct {
	Ignore
	steps   [][]port.Effect // by event
	heard   []port.Event
	wrote   [][]wire.Record
	did     []string
	known   *wire.Reply // what Lookup answers
	replied []*wire.Reply
}

func (s *script) Step(ev port.Event) []port.Effect {
	s.heard = append(s.heard, ev)
	if len(s.steps) == 0 {
		return nil
	}
	out := s.steps[0]
	s.steps = s.steps[1:]
	return out
}

func (s *script) Anchor() []wire.Record { return []wire.Record{&wire.Head{View: 7}} }

func (s *script) Append(turn []wire.Record, _ func() []wire.Record) error {
	s.wrote = append(s.wrote, slices.Clone(turn))
	s.did = append(s.did, "append")
	return nil
}

func (s *script) Later(turn []wire.Record, _ func() []wire.Record) error {
	if len(turn) > 0 {
		s.wrote = append(s.wrote, slices.Clone(turn))
		s.did = append(s.did, "later")
	}
	return nil
}

func (s *script) Truncate(wire.Seq, func() []wire.Record) error {
	s.did = append(s.did, "truncate")
	return nil
}
func (s *script) Sign([]byte) [64]byte        { return [64]byte{1} }
func (s *script) Send(wire.ReplicaID, []byte) { s.did = append(s.did, "send") }
func (s *script) Respond(r *wire.Reply) {
	s.replied = append(s.replied, r)
	s.did = append(s.did, "respond")
}

func (s *script) Do(work port.Effect) {
	if _, is := work.(port.Truncate); is {
		s.did = append(s.did, "discard")
		return
	}
	s.did = append(s.did, strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", work), "port.")))
}

func (s *script) Forgot(string, wire.ReplicaID) { s.did = append(s.did, "forgot") }

func (s *script) Lookup(*wire.Request) (*wire.Reply, bool) { return s.known, s.known != nil }

func (s *script) driver() *Driver {
	return New(configOf(1, 4), s, Ports{Journal: s, Signer: s, Transport: s, Machine: s, Observers: []Observer{s}, Unguarded: true})
}

func mustTurn(t *testing.T, d *Driver, events ...port.Event) {
	t.Helper()
	if err := d.Turn(events); err != nil {
		t.Fatal(err)
	}
}

func stable(seq wire.Seq) *wire.Stable { return &wire.Stable{Cert: wire.StableCert{Seq: seq}} }

func TestD0_EverythingWaitsForOneAppendWhateverTheOrderOfEffects(t *testing.T) {
	s := &script{steps: [][]port.Effect{
		{port.Send{To: 0, Msg: &wire.Fetch{}}, port.Execute{Seq: 1, Body: wire.NullBody}, port.Respond{Reply: &wire.Reply{}}},
		{port.Truncate{Below: 1}, port.Snapshot{Seq: 1}, port.Persist{Record: stable(1)}},
	}}
	mustTurn(t, s.driver(), port.Tick{}, port.Tick{})
	want := []string{"append", "send", "execute", "discard", "truncate", "snapshot", "respond"}
	if !slices.Equal(s.did, want) {
		t.Fatalf("performed %v, want %v", s.did, want)
	}
}

// D0: a vote of the replica itself reaches the core in the turn after the one that made it durable, and before all other
// events of that turn.
func TestD0_OwnVotesCountOnlyOnceTheyAreDurable(t *testing.T) {
	vote := &wire.Prepare{Seq: 1, Replica: 1}
	s := &script{steps: [][]port.Effect{{port.Broadcast{Msg: vote}}}}
	d := s.driver()
	mustTurn(t, d, port.Tick{}, port.Tick{})
	if len(s.heard) != 2 || !d.Pending() || len(s.wrote) != 1 {
		t.Fatalf("after the first turn: heard %d events, pending %t, wrote %d turns", len(s.heard), d.Pending(), len(s.wrote))
	}
	mustTurn(t, d, port.Tick{})
	back, ok := s.heard[2].(port.Received)
	if !ok || !back.From.Loopback || back.Msg.Message() != wire.Message(vote) || d.Pending() {
		t.Fatalf("the second turn began with %+v", s.heard[2])
	}
}

func TestNotes_AreWrittenInOrderWithTheNextRecordThatMustBeDurable(t *testing.T) {
	a, b, c, e := stable(1), stable(2), stable(3), stable(4)
	s := &script{steps: [][]port.Effect{
		{port.Note{Record: a}},
		{port.Note{Record: b}, port.Persist{Record: c}, port.Note{Record: e}},
	}}
	d := s.driver()
	mustTurn(t, d, port.Tick{})
	if len(s.wrote) != 0 {
		t.Fatal("a note alone cost a sync")
	}
	mustTurn(t, d, port.Tick{})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	want := [][]wire.Record{{a, b, c}, {e}}
	if !slices.EqualFunc(s.wrote, want, slices.Equal[[]wire.Record]) {
		t.Fatalf("wrote %v, want %v", s.wrote, want)
	}
}

func request(t *testing.T, from port.Source) port.Received {
	t.Helper()
	key := keyOf("client", 0)
	r := &wire.Request{ID: wire.RequestID{Client: key, Session: 1, T: 1}, Ops: [][]byte{{1}}}
	wire.SignRequest(wire.Digest{1}, r, signWith(key))
	v, err := wire.Verify(configOf(1, 4), r, holds)
	if err != nil {
		t.Fatal(err)
	}
	return port.Received{From: from, Msg: v}
}

func TestC3_AnExecutedRequestIsAnsweredWithoutTheCore(t *testing.T) {
	s := &script{known: &wire.Reply{Seq: 3}}
	d := s.driver()
	mustTurn(t, d, request(t, port.Source{Client: true}))
	if len(s.heard) != 0 || len(s.replied) != 1 || s.replied[0].Seq != 3 || s.replied[0].View != 7 {
		t.Fatalf("the core heard %d events, the client %+v; want none and the reply with view 7", len(s.heard), s.replied)
	}
	mustTurn(t, d, request(t, port.Source{Replica: 2}))
	if len(s.heard) != 0 || len(s.replied) != 1 {
		t.Fatal("a relayed request that was executed was answered, or reached the core")
	}
	s.known = nil
	mustTurn(t, d, request(t, port.Source{Client: true}))
	if len(s.heard) != 1 {
		t.Fatal("a new request did not reach the core")
	}
}

func TestK2_AReplicaThatDivergedAnswersNobody(t *testing.T) {
	s := &script{steps: [][]port.Effect{{port.Diverged{Own: wire.Digest{4}}}}, known: &wire.Reply{}}
	d := s.driver()
	mustTurn(t, d, port.Tick{})
	mustTurn(t, d, request(t, port.Source{Client: true}))
	if len(s.replied) != 0 {
		t.Fatal("a replica whose state is wrong answered from it")
	}
}

func TestC3_RepliesFromTheCacheNameTheNewestView(t *testing.T) {
	s := &script{steps: [][]port.Effect{{port.Entered{View: 9}}}, known: &wire.Reply{}}
	d := s.driver()
	mustTurn(t, d, port.Tick{})
	mustTurn(t, d, request(t, port.Source{Client: true}))
	if s.replied[0].View != 9 {
		t.Fatalf("the reply names view %d", s.replied[0].View)
	}
}

// D7: if a turn asks for the signature of a contradiction, it ends before any of its records is written or its messages
// are sent.
func TestD7_AContradictionEndsTheTurnBeforeItsAppend(t *testing.T) {
	s := &script{steps: [][]port.Effect{
		{port.Broadcast{Msg: &wire.Commit{Seq: 1, Digest: wire.Digest{1}, Replica: 1}}},
		nil, // the loopback
		{
			port.Broadcast{Msg: &wire.Commit{Seq: 2, Digest: wire.Digest{1}, Replica: 1}},
			port.Broadcast{Msg: &wire.Commit{Seq: 1, Digest: wire.Digest{2}, Replica: 1}},
		},
	}}
	cfg := configOf(1, 4)
	d := New(cfg, s, Ports{
		Journal: s, Signer: s, Transport: s, Machine: s, Observers: []Observer{s},
	})
	mustTurn(t, d, port.Tick{})
	before := len(s.did)
	if d.Turn([]port.Event{port.Tick{}}) == nil {
		t.Fatal("two commits for one sequence number were signed")
	}
	if d.Turn([]port.Event{port.Tick{}}) == nil || len(s.did) != before {
		t.Fatalf("after that it did %v", s.did[before:])
	}
}
