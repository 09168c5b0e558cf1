package replica

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"tagma/pbft"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// trial is a cluster in memory, of four replicas unless the test says otherwise. Attackers may take the places of some
// replicas. Signatures are keyed hashes that only the test harness can make.
type trial struct {
	t     *testing.T
	nodes []*member
	liar  int            // the attacker that the test examines
	liars map[int]string // the behaviours of all attackers, by replica
	cut   map[int]bool   // replicas that are disconnected from all others
	lose  func(packet) bool
	wire  []packet
	now   time.Duration
	sent  []packet // all packets that were ever sent
	bad   []packet // the sent packets that their receivers refused
	lost  []packet // the sent packets that were lost because a replica was disconnected

	submitted uint64     // number of requests that load has submitted
	recording *Recording // records all messages, for scripts; may be nil
}

type packet struct {
	from, to wire.ReplicaID
	msg      wire.Message
	at       time.Duration
}

type member struct {
	t        *trial
	cfg      *wire.Config
	actor    Core
	replica  *pbft.Replica
	inbox    []port.Event
	root     wire.Digest
	executed map[wire.Seq]wire.Digest
	done     map[wire.RequestID]bool
	again    int                            // requests that were ordered a second time, and not executed
	dropped  map[port.Reason]int            // how many of the liar's messages the core dropped, by reason
	hearing  bool                           // the core is handling a message of the liar
	replies  map[wire.RequestID]*wire.Reply // the last reply to each request
	accused  []wire.Evidence
	entered  []wire.View
}

func keyOf(name string, i int) wire.PublicKey {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i))
}

func signWith(key wire.PublicKey) Sign {
	return func(b []byte) (s wire.Signature) {
		half := sha256.Sum256(append(append([]byte("secret"), key[:]...), b...))
		copy(s[:], half[:])
		return s
	}
}

func holds(claims []wire.Claim) bool {
	for _, c := range claims {
		if signWith(c.Signer)(c.Signed) != c.Sig {
			return false
		}
	}
	return true
}

// begin starts four replicas. If choice names an attacker, the attacker takes the place of the replica with the number
// in liar.
func begin(t *testing.T, liar int, choice string, options ...Options) *trial {
	t.Helper()
	return beginWith(t, 4, map[int]string{liar: choice}, options...)
}

// beginWith starts n replicas, some of them attackers. The test examines the attacker with the lowest number.
func beginWith(t *testing.T, n int, liars map[int]string, options ...Options) *trial {
	t.Helper()
	tr := &trial{t: t, liar: n, liars: liars, cut: map[int]bool{}}
	for i := range n {
		cfg := wire.Config{
			Cluster: wire.Digest{1}, CheckpointInterval: 4, LogWindow: 8, ViewTimeout: time.Second, Self: wire.ReplicaID(i),
		}.WithDefaults()
		for j := range n {
			cfg.Members = append(cfg.Members, keyOf("replica", j))
		}
		replica, err := pbft.New(&cfg, nil, pbft.Applied{})
		if err != nil {
			t.Fatal(err)
		}
		m := &member{
			t: tr, cfg: &cfg, actor: replica, replica: replica, dropped: map[port.Reason]int{},
			executed: map[wire.Seq]wire.Digest{}, done: map[wire.RequestID]bool{}, replies: map[wire.RequestID]*wire.Reply{},
		}
		if choice, lies := liars[i]; lies {
			tr.liar = min(tr.liar, i)
			c, err := parse(choice)
			if err != nil {
				t.Fatal(err)
			}
			if m.actor, err = New(c, &cfg, replica, signWith(cfg.Members[i]), options...); err != nil {
				t.Fatal(err)
			}
		}
		tr.nodes = append(tr.nodes, m)
	}
	tr.pass(20 * time.Millisecond)
	return tr
}

// faulty reports whether a replica is an attacker.
func (tr *trial) faulty(i int) bool {
	_, lies := tr.liars[i]
	return lies
}

// pass lets time pass in ticks. After each tick it delivers all messages in order.
func (tr *trial) pass(d time.Duration) {
	for end := tr.now + d; tr.now < end; {
		tr.now += 10 * time.Millisecond
		for _, m := range tr.nodes {
			m.step(port.Tick{Mono: tr.now, Wall: int64(tr.now)})
		}
		for len(tr.wire) > 0 {
			p := tr.wire[0]
			tr.wire = tr.wire[1:]
			if tr.cut[int(p.from)] || tr.cut[int(p.to)] || tr.lose != nil && tr.lose(p) {
				tr.lost = append(tr.lost, p)
				continue
			}
			tr.nodes[p.to].receive(p)
		}
	}
}

// submit gives a client's request to all replicas.
func (tr *trial) submit(t uint64) wire.RequestID { return tr.submitAs(0, t) }

func (tr *trial) submitAs(client int, t uint64) wire.RequestID {
	key := keyOf("client", client)
	r := &wire.Request{ID: wire.RequestID{Client: key, Session: 1, T: t}, Ops: [][]byte{{byte(t)}}}
	wire.SignRequest(tr.nodes[0].cfg.Cluster, r, signWith(key))
	for _, m := range tr.nodes {
		if v, err := wire.Verify(m.cfg, r, holds); err != nil {
			tr.t.Fatal(err)
		} else if !m.done[r.ID] && !tr.cut[int(m.cfg.Self)] {
			m.step(port.Received{From: port.Source{Client: true}, Msg: v})
		}
	}
	return r.ID
}

func (m *member) receive(p packet) {
	decoded, err := wire.Decode(wire.Encode(p.msg))
	var v wire.Verified
	if err == nil {
		v, err = wire.Verify(m.cfg, decoded, holds)
	}
	if err != nil {
		if !m.t.faulty(int(p.from)) {
			m.t.t.Fatalf("%v of honest replica %d is refused: %v", wire.TypeOf(p.msg), p.from, err)
		}
		m.t.bad = append(m.t.bad, p)
		return
	}
	if r, ok := decoded.(*wire.Request); ok && m.done[r.ID] {
		return // the driver answers this request from the sessions (C3)
	}
	m.hearing = int(p.from) == m.t.liar
	m.step(port.Received{From: port.Source{Replica: p.from}, Msg: v})
	m.hearing = false
}

func (m *member) step(ev port.Event) {
	m.inbox = append(m.inbox, ev)
	for len(m.inbox) > 0 {
		ev, m.inbox = m.inbox[0], m.inbox[1:]
		for _, e := range append([]port.Effect(nil), m.actor.Step(ev)...) {
			m.perform(e)
		}
	}
}

func (m *member) perform(e port.Effect) {
	switch e := e.(type) {
	case port.Broadcast:
		wire.Sign(m.cfg, e.Msg, signWith(m.cfg.Members[m.cfg.Self]))
		for to := range m.t.nodes {
			m.t.post(m.cfg.Self, wire.ReplicaID(to), e.Msg)
		}
		m.inbox = append(m.inbox, port.Received{
			From: port.Source{Replica: m.cfg.Self, Loopback: true}, Msg: wire.Own(e.Msg),
		})
	case port.Send:
		m.t.post(m.cfg.Self, e.To, e.Msg)
	case port.Respond:
		m.replies[e.Reply.ID] = e.Reply
	case port.Execute:
		m.execute(e)
	case port.Snapshot:
		m.inbox = append(m.inbox, port.Snapshotted{Seq: e.Seq, Digest: m.root})
	case port.Accuse:
		m.accused = append(m.accused, e.Evidence)
	case port.Entered:
		m.entered = append(m.entered, e.View)
	case port.Dropped:
		if m.hearing {
			m.dropped[e.Why]++
		}
	default: // effects on the disk
	}
}

func (tr *trial) post(from, to wire.ReplicaID, m wire.Message) {
	if from != to {
		tr.wire = append(tr.wire, packet{from, to, m, tr.now})
		tr.sent = append(tr.sent, packet{from, to, m, tr.now})
		if tr.recording != nil {
			tr.recording.Add(m)
		}
	}
}

func (m *member) execute(e port.Execute) {
	d := e.Body.Digest()
	m.executed[e.Seq] = d
	m.root = sha256.Sum256(append(binary.BigEndian.AppendUint64(m.root[:], uint64(e.Seq)), d[:]...))
	done := port.Executed{Seq: e.Seq}
	for _, r := range e.Body.Requests {
		if m.done[r.ID] { // C2: its session shows that the request was executed, and no request is executed twice
			m.again++
		}
		m.done[r.ID] = true
		done.Replies = append(done.Replies, &wire.Reply{
			ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: e.Seq, Results: r.Ops,
		})
	}
	m.inbox = append(m.inbox, done)
}

// parse reads a choice. The test fails if the choice is invalid.
func parse(text string) (tamper.Choice, error) {
	c, err := tamper.Split(text)
	if err == nil {
		_, err = New(c, nil, nil, nil)
	}
	return c, err
}
