package driver

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// lab is a cluster in memory and in one thread: real cores, real drivers, fake ports.
type lab struct {
	t         *testing.T
	processes []*process
	ledger    ledger
	now       time.Duration
	hops      int                     // how many messages that cause each other may be delivered in one tick
	cut       map[wire.ReplicaID]bool // messages from and to these replicas are lost
	wire      [][]packet              // by destination
	open      []*wire.Request         // requests that f+1 replicas have not answered yet
	heard     map[wire.RequestID]map[wire.ReplicaID]wire.Seq
	next      uint64
	lent      int               // states that were transferred
	trace     func(trace.Event) // nil: nobody listens
}

type packet struct {
	from  wire.ReplicaID
	frame []byte
}

const (
	tick      = 20 * time.Millisecond
	patience  = 60 * time.Second
	askAgain  = 500 * time.Millisecond
	restartIn = 300 * time.Millisecond
)

func keyOf(name string, i int) wire.PublicKey {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i))
}

// signWith makes signatures, which are keyed hashes.
func signWith(key wire.PublicKey) func([]byte) wire.Signature {
	return func(b []byte) (s wire.Signature) {
		half := sha256.Sum256(append(key[:], b...))
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

func configOf(self, n int) *wire.Config {
	cfg := wire.Config{
		Cluster: wire.Digest{1}, CheckpointInterval: 4, LogWindow: 8, ViewTimeout: time.Second, Self: wire.ReplicaID(self),
	}.WithDefaults()
	for j := range n {
		cfg.Members = append(cfg.Members, keyOf("replica", j))
	}
	return &cfg
}

// newLab starts four replicas whose segments have room for so many bytes.
func newLab(t *testing.T, room int) *lab {
	t.Helper()
	l := &lab{
		t: t, ledger: newLedger(), cut: map[wire.ReplicaID]bool{}, wire: make([][]packet, 4),
		heard: map[wire.RequestID]map[wire.ReplicaID]wire.Seq{}, hops: 1000,
	}
	for i := range 4 {
		p := &process{
			lab: l, cfg: configOf(i, 4), tape: &tape{room: room},
			saved: map[wire.Seq]state{0: {done: map[wire.RequestID]wire.Reply{}}},
		}
		p.start()
		l.processes = append(l.processes, p)
	}
	return l
}

func (l *lab) told(e trace.Event) {
	if l.trace != nil {
		l.trace(e)
	}
}

func (l *lab) post(from, to wire.ReplicaID, frame []byte) {
	if !l.cut[from] && !l.cut[to] {
		l.wire[to] = append(l.wire[to], packet{from, frame})
	}
}

// hear receives replies as a client does: it believes a result that f+1 replicas gave.
func (l *lab) hear(from wire.ReplicaID, r *wire.Reply) {
	if r.Outcome != wire.OutcomeExecuted {
		return
	}
	if l.heard[r.ID] == nil {
		l.heard[r.ID] = map[wire.ReplicaID]wire.Seq{}
	}
	l.heard[r.ID][from] = r.Seq
}

func (l *lab) acknowledged(r *wire.Request) bool { return len(l.heard[r.ID]) >= 2 }

// submit sends a request to all replicas, again and again until f+1 have answered.
func (l *lab) submit() {
	l.next++
	key := keyOf("client", 0)
	r := &wire.Request{ID: wire.RequestID{Client: key, Session: 1, T: l.next}, Ops: [][]byte{{byte(l.next)}}}
	wire.SignRequest(wire.Digest{1}, r, signWith(key))
	l.open = append(l.open, r)
	l.ask(r)
}

func (l *lab) ask(r *wire.Request) {
	for _, p := range l.processes {
		if p.driver != nil && !l.cut[p.cfg.Self] {
			p.receive(port.Source{Client: true}, wire.Encode(r))
		}
	}
}

func (p *process) receive(from port.Source, frame []byte) {
	m, err := wire.Decode(frame)
	if err != nil {
		p.lab.t.Fatal(err)
	}
	v, err := wire.Verify(p.cfg, m, holds)
	if err != nil {
		p.lab.t.Fatalf("replica %d is sent what does not verify: %v", p.cfg.Self, err)
	}
	p.inbox = append(p.inbox, port.Received{From: from, Msg: v})
}

// pass lets one tick pass. Processes that were down long enough start again, and all messages on the way arrive.
func (l *lab) pass() {
	l.now += tick
	for _, p := range l.processes {
		if p.driver == nil {
			if p.downFor += tick; p.downFor < restartIn {
				continue
			}
			p.downFor = 0
			p.start()
		}
		p.inbox = append(p.inbox, port.Tick{Mono: l.now, Wall: int64(l.now)})
	}
	if l.now%askAgain == 0 {
		for _, r := range l.open {
			l.ask(r)
		}
	}
	for range l.hops {
		if !l.deliver() {
			break
		}
	}
}

// deliver gives every process one turn with all events that wait for it, and reports whether there were any.
func (l *lab) deliver() (busy bool) {
	for i, p := range l.processes {
		waiting := l.wire[i]
		l.wire[i] = nil
		if p.driver == nil {
			p.inbox = nil
			continue
		}
		for _, k := range waiting {
			p.receive(port.Source{Replica: k.from}, k.frame)
		}
		if len(p.inbox) == 0 && !p.driver.Pending() {
			continue
		}
		busy = true
		events := p.inbox
		p.inbox = nil
		if err := p.turn(events); err != nil {
			p.lab.failed(p, err)
		}
	}
	return busy
}

// failed ends a process whose turn returned an error, as the node does (D6).
func (l *lab) failed(p *process, err error) {
	if !p.tape.failed {
		l.t.Fatalf("replica %d: %v", p.cfg.Self, err)
	}
	if last := p.calls[len(p.calls)-1]; last != "append" {
		l.t.Fatalf("D6: after a failed append replica %d did: %s", p.cfg.Self, last)
	}
	p.calls = p.calls[:0]
	again := p.driver.Turn([]port.Event{port.Tick{Mono: l.now}})
	if again == nil || p.driver.Close() == nil || len(p.calls) > 0 {
		l.t.Fatalf("D6: replica %d goes on after %v: %v", p.cfg.Self, err, p.calls)
	}
	p.driver, p.tape.failed = nil, false
}

// until lets time go by until a condition holds.
func (l *lab) until(what string, holds func() bool) {
	l.t.Helper()
	for end := l.now + patience; !holds(); {
		if l.now >= end {
			l.t.Fatalf("never: %s; %s", what, l)
		}
		l.pass()
	}
}

// settle waits until every request is answered.
func (l *lab) settle() {
	l.t.Helper()
	l.until("all requests are answered", func() bool {
		kept := l.open[:0]
		for _, r := range l.open {
			if !l.acknowledged(r) {
				kept = append(kept, r)
			}
		}
		l.open = kept
		return len(kept) == 0
	})
}

func (l *lab) String() string {
	s := fmt.Sprintf("after %v", l.now)
	for _, p := range l.processes {
		if p.driver != nil {
			in := p.replica.Inspect()
			s += fmt.Sprintf("; replica %d: view %d active %t executed %d stable %d",
				p.cfg.Self, in.View, in.Active, in.Executed, in.Stable)
		}
	}
	return s
}
