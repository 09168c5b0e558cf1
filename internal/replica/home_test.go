package replica

import (
	"math/rand/v2"
	"testing"
	"time"

	"tagma/checkpoint/journal"
	"tagma/checkpoint/store"
	"tagma/pbft/wire"
)

// rig is a home on a simulated machine in memory.
type rig struct {
	t       testing.TB
	machine *machine
	text    string // content of the life file; "" means that there is no file
	lives   []string
	medium  *medium // nil: there is no store
	damaged bool    // it cannot be opened
	aside   int     // stores that were moved aside
	opened  *testStore
	cfg     wire.Config
	chance  *rand.Rand
	booted  *Disk
}

const (
	testK = 4
	testL = 8
)

func testConfig(n int) wire.Config {
	cfg := wire.Config{
		Cluster: wire.Digest{7}, CheckpointInterval: testK, LogWindow: testL, ViewTimeout: time.Second,
	}
	for i := range n {
		cfg.Members = append(cfg.Members, wire.PublicKey{byte(i + 1)})
	}
	return cfg.WithDefaults()
}

// newRig returns a home whose replica was never started.
func newRig(t testing.TB) *rig {
	return &rig{t: t, machine: newMachine(), text: Unborn, cfg: testConfig(4), chance: rand.New(rand.NewPCG(1, 2))}
}

func (r *rig) home() *Home {
	return &Home{
		Config: &r.cfg, Life: rigLife{r}, FS: r.machine, Journal: "data/journal", SegmentBytes: 16 << 10, Random: r.chance.Uint64,
		State: rigState{r},
	}
}

type rigLife struct{ r *rig }

func (l rigLife) Read() (string, error) { return l.r.text, nil }

func (l rigLife) Write(text string) error {
	if err := l.r.machine.step(); err != nil {
		return err
	}
	l.r.text = text
	l.r.lives = append(l.r.lives, text)
	return nil
}

type rigState struct{ r *rig }

func (s rigState) Exists() (bool, error) { return s.r.medium != nil, nil }

func (s rigState) Open() (Store, error) {
	if s.r.damaged {
		return nil, store.ErrDamaged
	}
	if s.r.medium == nil {
		if err := s.r.machine.step(); err != nil {
			return nil, err
		}
		s.r.medium = newMedium()
	}
	s.r.opened = openStore(s.r.medium)
	return s.r.opened, nil
}

func (s rigState) Aside() error {
	if err := s.r.machine.step(); err != nil {
		return err
	}
	s.r.medium, s.r.damaged = nil, false
	s.r.aside++
	return nil
}

func (s rigState) OpenNext() (Store, error) {
	if s.r.medium == nil || s.r.medium.next == nil {
		return nil, nil
	}
	return openStore(s.r.medium.next), nil
}

func (s rigState) Settle(next bool) error {
	if err := s.r.machine.step(); err != nil {
		return err
	}
	if next {
		s.r.medium, s.r.damaged = s.r.medium.next, false
	}
	s.r.medium.next = nil
	return nil
}

// start opens the home as a process does.
func (r *rig) start() (*Disk, error) {
	d, err := Open(r.home())
	r.booted = d
	return d, err
}

func (r *rig) mustStart() *Disk {
	r.t.Helper()
	d, err := r.start()
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// stop ends the process.
func (r *rig) stop(power bool) {
	r.machine.crash(power)
	r.booted = nil
}

// vote makes a vote of this replica durable, as the driver does before the vote is sent.
func (r *rig) vote(d *Disk, seq wire.Seq) error {
	turn := []wire.Record{&wire.Sent{Msg: &wire.Prepare{Seq: seq, Digest: wire.Digest{byte(seq)}, Replica: r.cfg.Self}}}
	return d.Votes.Append(turn, d.Replica.Anchor)
}

// write writes records of a life into a new journal, as an earlier process would have left them.
func (r *rig) write(life wire.Life, records ...wire.Record) {
	r.t.Helper()
	head := &wire.Head{Cluster: r.cfg.Cluster, Epoch: r.cfg.Epoch, Self: r.cfg.Self, Active: true, Life: life}
	j, err := journal.Create("data/journal", encode(append([]wire.Record{head}, records...)), r.home().journalOptions())
	if err != nil {
		r.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// cert returns a stable checkpoint. Nobody checks its signatures here.
func cert(seq wire.Seq, root wire.Digest) wire.StableCert {
	c := wire.StableCert{Seq: seq, Digest: root}
	for id := range wire.ReplicaID(3) {
		c.Checkpoints = append(c.Checkpoints, wire.Endorsement{Replica: id})
	}
	return c
}

// ownMark is the record of this replica's own checkpoint. stableAt is the record that the checkpoint is stable.
func ownMark(seq wire.Seq, root wire.Digest) wire.Record {
	return &wire.Sent{Msg: &wire.Checkpoint{Seq: seq, Digest: root}}
}

func stableAt(seq wire.Seq, root wire.Digest) wire.Record { return &wire.Stable{Cert: cert(seq, root)} }
