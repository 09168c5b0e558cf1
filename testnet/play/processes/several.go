package processes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tagma/crypto"
	"tagma/internal/reach"
	"tagma/pbft/wire"
	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
	"tagma/testnet/across"
	"tagma/testnet/across/live"
	"tagma/testnet/check"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// several implements play.Several: clusters of processes beside each other.
type several struct {
	s       *scenario.Scenario
	host    *live.Host
	members []*member
	done    atomic.Bool // the transactions came to their end
	show    play.Show
}

// member is one of several clusters.
type member struct {
	*Cluster
	all   *several
	calm  atomic.Bool // every event has happened
	group across.Group

	mu   sync.Mutex
	acks []play.Ack // of operations of the transactions, since Work was asked last
}

// StartSeveral implements play.Severals.
func (e Engine) StartSeveral(ctx context.Context, s *scenario.Scenario, dir string, t play.Trace, show play.Show) (_ play.Several, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a directory for the clusters: %w", err)
	}
	all := &several{s: s, show: show}
	defer func() {
		if err != nil {
			all.Close()
		}
	}()
	longest := time.Duration(0)
	for _, one := range s.Clusters {
		longest = max(longest, one.ViewTimeout())
		c, err := e.Open(ctx, one, filepath.Join(dir, one.Name), play.Trace{}, show)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", one.Name, err)
		}
		m := &member{Cluster: c, all: all}
		all.members = append(all.members, m)
		if m.group, err = groupOf(c, one); err != nil {
			return nil, fmt.Errorf("cluster %s: %w", one.Name, err)
		}
	}
	all.host = live.New(all.dial, len(all.members), 2*longest+2*time.Second, all.acted)
	return all, nil
}

// groupOf is a cluster as others register it. Its liars, if it has some, sign whatever lying drivers ask for.
func groupOf(c *Cluster, s *scenario.Scenario) (g across.Group, err error) {
	cfg, err := c.local.File.Config(0)
	if err != nil {
		return g, err
	}
	g.Group = commit.Group{ID: cfg.Cluster, Name: s.Name, Machine: s.Machine, Epoch: cfg.Epoch, Crash: cfg.Crash}
	for _, key := range cfg.Members {
		g.Keys = append(g.Keys, key)
	}
	liars := map[int]*crypto.PrivateKey{}
	for id := range s.Replicas {
		if s.Lies(wire.ReplicaID(id)) {
			if liars[id], err = crypto.ReadKey(filepath.Join(c.local.Home(id), "key")); err != nil {
				return g, err
			}
		}
	}
	g.Forge = func(statement []byte) (all []attest.Signature) {
		for id := range s.Replicas {
			if key := liars[id]; key != nil {
				all = append(all, attest.Signature{Replica: id, Sig: key.Sign(attest.Bytes(cfg.Cluster, cfg.Epoch, id, statement))})
			}
		}
		return all
	}
	return g, nil
}

// dial opens a session of a program: the first one has the administrators' key.
func (a *several) dial(ctx context.Context, program, group int) (live.Session, error) {
	m := a.members[group]
	path := filepath.Join(m.local.Dir, "admin1.key")
	if program > 0 {
		path = m.local.ClientKey(m.s.Workload.Clients + program)
	}
	key, err := crypto.ReadKey(path)
	if err != nil {
		return nil, err
	}
	session, err := reach.Dial(ctx, m.local.File, key)
	if err != nil {
		return nil, err
	}
	return session, nil
}

// acted notes an operation that a group answered.
func (a *several) acted(group int, began time.Time) {
	m := a.members[group]
	now := m.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.acks = append(m.acks, play.Ack{At: now, Took: time.Since(began)})
}

// Clusters implements play.Several.
func (a *several) Clusters() (all []play.Cluster) {
	for _, m := range a.members {
		all = append(all, m)
	}
	return all
}

// Together implements play.Several: clusters of processes need not wait for each other, except that all of them are up when
// the transactions begin.
func (a *several) Together(ctx context.Context, each []func(context.Context)) {
	var groups []across.Group
	for _, m := range a.members {
		groups = append(groups, m.group)
	}
	a.host.Begin(play.AcrossOf(a.s, true), groups)
	var under sync.WaitGroup
	for i, do := range each {
		under.Go(func() {
			do(ctx)
			a.members[i].calm.Store(true) // no event comes any more, whether all have happened or not
		})
	}
	under.Wait()
}

// Transactions implements play.Several.
func (a *several) Transactions() (t report.Transactions) {
	a.host.Ask(func(l *across.Load) { t = l.Report() })
	return t
}

// Judge implements play.Several.
func (a *several) Judge() (all []check.Result) {
	a.host.Ask(func(l *across.Load) { all = l.Judge() })
	return all
}

// Close implements play.Several.
func (a *several) Close() {
	if a.host != nil {
		a.host.Close()
	}
	for _, m := range a.members {
		m.Cluster.Close()
	}
}

// Work implements play.Cluster: with the operations of the transactions, and not done before these are.
func (m *member) Work() play.Work {
	m.mu.Lock()
	m.load.also(m.acks)
	m.acks = nil
	m.mu.Unlock()
	w := m.Cluster.Work()
	w.Made = w.Made && m.all.done.Load()
	return w
}

// also counts acknowledged operations that somebody else submitted.
func (l *load) also(acks []play.Ack) {
	if len(acks) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks = append(l.acks, acks...)
	l.counts.Submitted, l.counts.Acknowledged = l.counts.Submitted+len(acks), l.counts.Acknowledged+len(acks)
	l.extra += len(acks)
}

// Extend implements play.Cluster. Once every event of every cluster has happened, the transactions come to their end.
func (m *member) Extend(more bool, last time.Duration) {
	m.calm.Store(last >= 0)
	all := true
	for _, o := range m.all.members {
		all = all && o.calm.Load()
	}
	m.all.host.Ask(func(l *across.Load) {
		if all {
			l.Calm()
		}
		m.all.done.Store(l.Done())
	})
	m.Cluster.Extend(more, last)
}
