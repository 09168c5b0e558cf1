package processes

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tagma/crypto"
	"tagma/network"
	"tagma/pbft"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/testnet/assault"
	"tagma/testnet/byzantine"
	"tagma/testnet/scenario"
)

// rogue hosts a client that misbehaves: it has links and time, and the client decides what goes out.
type rogue struct {
	name   string
	host   *network.ClientHost
	links  *assault.Dormant // what it does to links from below its messages; nil: nothing
	ticker sync.WaitGroup
	quit   chan struct{}
	once   sync.Once

	mu     sync.Mutex
	client byzantine.Client
	awake  bool
	spent  time.Duration // time that it was awake
	last   time.Time
}

// roguesEvery is how often malicious clients are told the time.
const roguesEvery = 5 * time.Millisecond

// hire connects the malicious clients, all asleep.
func (r *run) hire() ([]*rogue, error) {
	var all []*rogue
	for i := range r.s.Malicious {
		m := &r.s.Malicious[i]
		if m.Client == nil {
			continue
		}
		g, err := r.hireOne(m)
		if err != nil {
			return all, fmt.Errorf("client c%d: %w", *m.Client, err)
		}
		all = append(all, g)
	}
	return all, nil
}

func (r *run) hireOne(m *scenario.Malicious) (*rogue, error) {
	key, err := crypto.ReadKey(r.cluster.ClientKey(*m.Client))
	if err != nil {
		return nil, err
	}
	name := m.Who()
	g := &rogue{name: name, quit: make(chan struct{})}
	g.links = assault.NewDormant(assault.Options{File: r.cluster.File, Key: key, Choice: m.Choice})
	g.client, err = byzantine.NewClient(m.Choice, byzantine.ClientConfig{
		Cluster: r.cfg.Cluster, Epoch: r.cfg.Epoch, Replicas: r.cfg.N(), Key: pbft.PublicKey(key.Public()),
		Session: pbft.Session(time.Now().UnixNano()), ViewTimeout: r.cfg.ViewTimeout, Operation: r.operations(name),
	}, func(b []byte) pbft.Signature { return key.Sign(b) })
	if err != nil {
		return nil, err
	}
	g.host, err = network.Dial(network.ClientConfig{
		Seed: key.Seed(), Members: r.cluster.File.Members(), Greeting: r.cluster.File.Greeting(),
	}, g)
	if err != nil {
		return nil, err
	}
	g.ticker.Go(g.run)
	return g, nil
}

// operations makes what a malicious client has executed, apart from what others write.
func (r *run) operations(name string) func(n uint64) []byte {
	return func(n uint64) []byte {
		if r.s.Workload.Kind == scenario.KindBank || r.s.Machine == bankMachine {
			return bank.Open(fmt.Sprintf("%s/%d", name, n), 0)
		}
		return kv.Put(fmt.Appendf(nil, "%s/rogue/%d", name, n), []byte("rogue"))
	}
}

// FromReplica implements network.ClientHandler.
func (g *rogue) FromReplica(from int, frame []byte) {
	m, err := pbft.Decode(frame)
	if err != nil {
		return
	}
	reply, ok := m.(*pbft.Reply)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.send(g.client.Replied(pbft.ReplicaID(from), reply))
}

func (g *rogue) run() {
	ticker := time.NewTicker(roguesEvery)
	defer ticker.Stop()
	for {
		select {
		case <-g.quit:
			return
		case now := <-ticker.C:
			g.tick(now)
		}
	}
}

func (g *rogue) tick(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.awake {
		g.spent += now.Sub(g.last)
		g.send(g.client.Tick(g.spent))
	}
	g.last = now
}

// send sends parcels while the client is awake. What a link does not take is lost, as a client's own haste has it.
func (g *rogue) send(parcels []byzantine.Parcel) {
	if !g.awake {
		return
	}
	for _, p := range parcels {
		g.host.Send(int(p.To), p.Frame)
	}
}

// wake lets the client act, or stops it.
func (g *rogue) wake(on bool) error {
	g.mu.Lock()
	g.awake, g.last = on, time.Now()
	g.mu.Unlock()
	return g.links.Wake(on)
}

// rest ends what it does for good.
func (g *rogue) rest() {
	_ = g.wake(false) // what its links say when they end does not matter
	g.once.Do(func() { close(g.quit) })
	g.ticker.Wait()
}

func (g *rogue) close() {
	g.rest()
	_ = g.host.Close() // nothing of it is needed any more
}

func (g *rogue) lied() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.client.Told().Lies > 0 || g.links.Acts() > 0
}

// misuse wakes a malicious client, and stops it if it has an end.
func (r *run) misuse(m *scenario.Malicious) []*act {
	var g *rogue
	for _, known := range r.rogues {
		if known.name == m.Who() {
			g = known
		}
	}
	turn := func(on bool) func(context.Context) error {
		return func(context.Context) error { return g.wake(on) }
	}
	begin := &act{what: fmt.Sprintf("%s: %s", m.Who(), m.Choice), line: m.Line, due: m.From, fault: true, late: true, proof: g.lied}
	begin.do = r.announced(begin, turn(true))
	if m.Until == 0 {
		return []*act{begin}
	}
	end := &act{what: fmt.Sprintf("%s: the end of %s", m.Who(), m.Choice.Name), line: m.Line, due: m.Until, ends: true}
	end.do = r.announced(end, turn(false))
	return []*act{begin, end}
}
