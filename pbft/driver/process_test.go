package driver

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"time"

	"tagma/internal/trace"
	"tagma/pbft"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// process is one replica behind a driver: it implements every port but the journal. Its journal (the tape) and the
// states that it saved at checkpoints survive a crash.
type process struct {
	Ignore
	lab     *lab
	cfg     *wire.Config
	tape    *tape
	saved   map[wire.Seq]state
	driver  *Driver // nil while down
	replica *pbft.Replica
	inbox   []port.Event
	state   state
	fetched state
	calls   []string // of the ports in this turn, in order
	amid    bool     // dies after its next call
	downFor time.Duration
	ups     int
}

// state is the result of execution: a chained hash and the answers.
type state struct {
	seq  wire.Seq
	root wire.Digest
	done map[wire.RequestID]wire.Reply
}

// lend takes the place of the transfer of state (X3): it returns what another replica saved at that checkpoint.
func (l *lab) lend(to *process, at wire.StableCert) {
	for _, p := range l.processes {
		s, ok := p.saved[at.Seq]
		if p == to || !ok || s.root != at.Digest {
			continue
		}
		l.lent++
		to.fetched = s.clone()
		to.inbox = append(to.inbox, port.Transferred{Cert: at})
		return
	}
	to.inbox = append(to.inbox, port.Starving{})
}

func (s state) clone() state { return state{s.seq, s.root, maps.Clone(s.done)} }

// start starts the process from what is durable, at the newest checkpoint that both the journal and the saved states
// have.
func (p *process) start() {
	p.lab.t.Helper()
	if len(p.tape.segments) == 0 {
		fresh, err := pbft.New(p.cfg, nil, pbft.Applied{})
		if err != nil {
			p.lab.t.Fatal(err)
		}
		p.tape.begin(fresh.Anchor())
	}
	log := p.tape.read(0)
	// If the journal lacks the batches above, other replicas give them.
	base := state{done: make(map[wire.RequestID]wire.Reply)}
	for _, m := range wire.Log(log).Marks() {
		if s, ok := p.saved[m.Seq]; ok && s.root == m.Digest {
			base = s
			break
		}
	}
	if err := p.boot(log, base); err != nil {
		p.lab.t.Fatalf("replica %d: %v", p.cfg.Self, err)
	}
}

func (p *process) boot(log []wire.Record, s state) error {
	r, err := pbft.New(p.cfg, log, pbft.Applied{Seq: s.seq, Root: s.root})
	if err != nil {
		return err
	}
	p.replica, p.state, p.inbox, p.amid = r, s.clone(), nil, false
	p.saved[s.seq] = s
	p.driver = New(p.cfg, r, Ports{
		Journal: p, Signer: p, Transport: p, Machine: p, Log: log,
		Observers: []Observer{
			p, trace.NewTap(int(p.cfg.Self), p.cfg.Quorum(), func() int64 { return p.lab.now.Microseconds() }, p.lab.told),
		},
	})
	p.ups++
	return nil
}

// turn takes one turn; a crash ends it and the process.
func (p *process) turn(events []port.Event) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
			p.driver = nil
		}
	}()
	p.calls = p.calls[:0]
	return p.driver.Turn(events)
}

// called records a call of a port whose effect others can see. A process that crashes does not get past it.
func (p *process) called(what string) {
	p.calls = append(p.calls, what)
	if p.amid {
		p.amid = false
		panic(crash{})
	}
}

func (p *process) Append(turn []wire.Record, anchor func() []wire.Record) error {
	if p.tape.strike != nil && p.tape.strike(p.tape.appends+1, turn) == diesAmid {
		p.amid = true
	}
	err := p.tape.Append(turn, anchor)
	p.calls = append(p.calls, "append")
	return err
}

func (p *process) Later(turn []wire.Record, anchor func() []wire.Record) error {
	return p.Append(turn, anchor)
}

func (p *process) Truncate(below wire.Seq, anchor func() []wire.Record) error {
	p.called("truncate")
	return p.tape.Truncate(below, anchor)
}

func (p *process) Sign(b []byte) [64]byte { return signWith(p.cfg.Members[p.cfg.Self])(b) }

func (p *process) Send(to wire.ReplicaID, frame []byte) {
	m, err := wire.Decode(frame)
	if err != nil {
		p.lab.t.Fatalf("replica %d sends what nobody can read: %v", p.cfg.Self, err)
	}
	p.lab.ledger.sent(p, m)
	p.lab.post(p.cfg.Self, to, frame)
	p.called("send " + wire.TypeOf(m).String())
}

func (p *process) Respond(reply *wire.Reply) {
	p.lab.hear(p.cfg.Self, reply)
	p.called("respond")
}

func (p *process) Do(work port.Effect) {
	switch e := work.(type) {
	case port.Execute:
		p.execute(e.Seq, e.Body)
	case port.Snapshot:
		p.saved[e.Seq] = p.state.clone()
		p.inbox = append(p.inbox, port.Snapshotted{Seq: e.Seq, Digest: p.state.root})
		p.called("snapshot")
	case port.Truncate:
		maps.DeleteFunc(p.saved, func(at wire.Seq, _ state) bool { return at < e.Discard })
	case port.Transfer:
		p.lab.lend(p, e.Target)
		p.called("transfer")
	case port.Resume:
		p.resume(e.Seq)
	default: // nobody asks for what is offered
	}
}

func (p *process) execute(seq wire.Seq, body *wire.Body) {
	p.lab.ledger.executed(p, seq, body.Digest())
	if seq != p.state.seq+1 {
		p.lab.t.Fatalf("I8: replica %d executes %d after %d", p.cfg.Self, seq, p.state.seq)
	}
	digest := body.Digest()
	p.state.seq = seq
	p.state.root = sha256.Sum256(append(binary.BigEndian.AppendUint64(p.state.root[:], uint64(seq)), digest[:]...))
	done := port.Executed{Seq: seq}
	for _, req := range body.Requests {
		reply, again := p.state.done[req.ID]
		if !again {
			reply = wire.Reply{ID: req.ID, Request: req.Digest(), Outcome: wire.OutcomeExecuted, Seq: seq}
			p.state.done[req.ID] = reply
		}
		done.Replies = append(done.Replies, &reply)
	}
	p.inbox = append(p.inbox, done)
	p.called(fmt.Sprintf("execute %d", seq))
}

func (p *process) resume(seq wire.Seq) {
	if p.fetched.seq != seq {
		p.lab.t.Fatalf("X6: replica %d goes on at %d, and %d was fetched", p.cfg.Self, seq, p.fetched.seq)
	}
	p.state = p.fetched.clone()
	p.saved[seq] = p.fetched.clone()
	p.called("resume")
}

func (p *process) Lookup(req *wire.Request) (*wire.Reply, bool) {
	reply, done := p.state.done[req.ID]
	return &reply, done
}

// tells reports events that correct replicas alone never cause.
func (p *process) tells(what string, of any) {
	p.lab.t.Errorf("of correct replicas alone, replica %d tells %s: %+v", p.cfg.Self, what, of)
}

func (p *process) Accused(e wire.Evidence)                      { p.tells("an accusation", e) }
func (p *process) Diverged(_ wire.Digest, cert wire.StableCert) { p.tells("a divergence", cert) }
func (p *process) Split(_ wire.Seq, says []wire.Digest)         { p.tells("a split", says) }
func (p *process) Forgot(said string, _ wire.ReplicaID)         { p.tells("an amnesia", said) }
