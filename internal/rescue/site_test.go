package rescue

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"tagma/checkpoint/store"
	"tagma/checkpoint/store/memory"
	"tagma/checkpoint/transfer"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/replica"
	"tagma/network"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// site is four replicas on real links. Of each replica only the donor runs.
type site struct {
	t     *testing.T
	made  *cluster.Fresh
	cfg   wire.Config
	hosts []*network.Host
	state map[string]string
	at    uint64
	gives []*giver
}

// giver is the donor of one replica. Its store is in memory.
type giver struct {
	mu    sync.Mutex
	donor *replica.Donor
	store *store.Store
	link  *network.ClientLink
	lie   func(*wire.Data) *wire.Data // what it sends instead of an answer; nil: it sends the answer
	now   time.Duration
}

func (g *giver) FromReplica(int, []byte)        {}
func (g *giver) ClientGone(*network.ClientLink) {}

func (g *giver) FromClient(from *network.ClientLink, frame []byte) {
	m, err := wire.Decode(frame)
	if err != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.link = from
	g.now += replica.OutsidePause // let enough time pass that the budget for backups never delays the test
	g.donor.Ask(outsider, m, g.now)
	for g.donor.Step(g.now) || g.donor.Rests(g.now) > 0 { // until nothing waits
		g.now += replica.OutsidePause
	}
}

func (g *giver) send(_ wire.ReplicaID, m wire.Message) {
	data := m.(*wire.Data)
	if g.lie != nil {
		if data = g.lie(data); data == nil {
			return
		}
	}
	g.link.Send(wire.Encode(data))
}

const outsider = wire.ReplicaID(4)

// newSite makes a site whose replicas do not have a state yet.
func newSite(t *testing.T) *site {
	made, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 1, Clients: []string{"operator"}})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, made: made, state: map[string]string{}}
	if s.cfg, err = made.File.Config(0); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		cfg, err := made.File.Config(i)
		if err != nil {
			t.Fatal(err)
		}
		g := &giver{store: store.New("memory", memory.New(), 64<<10)}
		if _, err := g.store.Load(0); err != nil {
			t.Fatal(err)
		}
		g.donor = replica.NewDonor(&cfg, g.store, &replica.Votes{}, g.send)
		host, err := network.Listen(network.Config{
			Seed: made.Replicas[i].Seed(), Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Members: made.File.Members(), Self: i,
			AllowClient: func(key [32]byte) bool { return s.cfg.Client == nil || s.cfg.Client(key) }, Greeting: made.File.Greeting(),
		}, g)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = host.Close() })
		s.gives, s.hosts = append(s.gives, g), append(s.hosts, host)
	}
	for i, h := range s.hosts {
		made.File.Replicas[i].Addresses = h.Addrs()
	}
	return s
}

// write changes the state and makes the next checkpoint stable. The value "" deletes a key.
func (s *site) write(changes map[string]string) wire.StableCert {
	s.t.Helper()
	s.at += uint64(s.cfg.CheckpointInterval)
	set := statemachine.WriteSet{Seq: s.at}
	for k, v := range changes {
		set.Writes = append(set.Writes, statemachine.Write{Key: []byte(k), Value: []byte(v), Delete: v == ""})
		if s.state[k] = v; v == "" {
			delete(s.state, k)
		}
	}
	slices.SortFunc(set.Writes, func(a, b statemachine.Write) int { return bytes.Compare(a.Key, b.Key) })
	var root wire.Digest
	for _, g := range s.gives {
		g.mu.Lock()
		err := g.store.Write([]statemachine.WriteSet{set})
		if err == nil {
			root, err = g.store.Checkpoint(s.at)
		}
		g.mu.Unlock()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	cert := s.certify(s.at, root, 0, 1, 2)
	for _, g := range s.gives {
		g.mu.Lock()
		g.donor.Offer(cert)
		g.mu.Unlock()
	}
	return cert
}

// certify has some replicas sign a checkpoint.
func (s *site) certify(seq uint64, root wire.Digest, signers ...int) wire.StableCert {
	cert := wire.StableCert{Seq: wire.Seq(seq), Digest: root}
	for _, id := range signers {
		m := &wire.Checkpoint{Seq: cert.Seq, Digest: root, Replica: wire.ReplicaID(id)}
		wire.Sign(&s.cfg, m, func(b []byte) wire.Signature { return s.made.Replicas[id].Sign(b) })
		cert.Checkpoints = append(cert.Checkpoints, wire.Endorsement{Replica: m.Replica, Sig: m.Sig})
	}
	return cert
}

// many are keys with values of several sizes, one of them longer than an answer.
func many(n int) map[string]string {
	out := map[string]string{"long": string(bytes.Repeat([]byte("long"), 400_000))}
	for i := range n {
		out[fmt.Sprintf("key %05d", i)] = fmt.Sprintf("%0*d", 1+i%300, i)
	}
	return out
}

// emptyStore opens a new store, into which a backup can be fetched.
func (s *site) emptyStore() *store.Store {
	s.t.Helper()
	st, err := store.Open(s.t.TempDir(), store.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := st.Close(); err != nil {
			s.t.Error(err)
		}
	})
	if _, err := st.Load(0); err != nil {
		s.t.Fatal(err)
	}
	return st
}

// save writes what a store holds at a certificate.
func (s *site) save(name string, st *store.Store, cert wire.StableCert, since *Chain, before statemachine.StorageView) (path string) {
	s.t.Helper()
	view, err := st.View(uint64(cert.Seq))
	if err != nil {
		s.t.Fatal(err)
	}
	defer view.Close()
	if path = name; !filepath.IsAbs(name) {
		path = filepath.Join(s.t.TempDir(), name)
	}
	if _, err := Save(path, s.made.File, cert, since, before, view); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *site) key() *crypto.PrivateKey { return s.made.Clients[0] }

// spoilt alters the first entry that an answer gives; it reports false if there is none.
func spoilt(d *wire.Data) (*wire.Data, bool) {
	if len(d.Answer) == 0 {
		return d, false
	}
	a, err := transfer.DecodeAnswer(d.Answer)
	if err != nil {
		panic(err)
	}
	for i := range a.Parts {
		p := &a.Parts[i]
		switch {
		case p.Kind == transfer.IsPage:
			p.Page[0].Value = append(bytes.Clone(p.Page[0].Value), '!')
		case p.Kind == transfer.IsNode:
			p.Node.Digest[0][3] ^= 1
			if p.Node.Entries&1 != 0 {
				p.Node.Entry[0].Value = append(bytes.Clone(p.Node.Entry[0].Value), '!')
			}
		default:
			continue
		}
		out := *d
		out.Answer = a.Encode()
		return &out, true
	}
	return d, false
}
