package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"tagma/internal/session"
	"tagma/network"
	"tagma/pbft/wire"
)

// Client is one session with a cluster. It is safe for concurrent use.
type Client struct {
	cluster *Cluster
	key     *Key
	shell   *shell
	host    *network.ClientHost
	running sync.WaitGroup
	close   func() error // once
}

// Dial opens a session with the cluster that clusterFile (cluster.toml) describes, under the private key in keyFile. It
// returns when n−f of the n replicas are connected, f being how many faulty ones the cluster masks, or with an error when
// ctx ends before; the links are mended in the background from then on. The caller closes the client. The passphrase of an
// encrypted key is taken from the environment (TAGMA_PASSPHRASE, or a file that TAGMA_PASSPHRASE_FILE names), or asked for
// on the terminal.
func Dial(ctx context.Context, clusterFile, keyFile string, opts ...Option) (*Client, error) {
	cluster, err := LoadCluster(clusterFile)
	if err != nil {
		return nil, err
	}
	key, err := ReadKey(keyFile)
	if err != nil {
		return nil, err
	}
	return DialCluster(ctx, cluster, key, opts...)
}

// DialCluster is Dial with a cluster and a key that need not come from files.
func DialCluster(ctx context.Context, cluster *Cluster, key *Key, opts ...Option) (*Client, error) {
	if err := errors.Join(cluster.check(), key.check()); err != nil {
		return nil, fmt.Errorf("dial the cluster: %w", err)
	}
	file := cluster.file
	if ctx == nil {
		return nil, errNoContext
	}
	var o options
	for _, set := range opts {
		if set != nil {
			set(&o)
		}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	cfg, err := file.Config(0)
	if err != nil {
		return nil, err
	}
	if !cfg.Client(key.Public()) {
		return nil, fmt.Errorf("client key %x is not registered in the cluster file; add it as a [[client]] on every replica, or use a registered key",
			key.Public())
	}
	link := new(link)
	s := newShell(session.Config{
		Cluster: cfg.Cluster, Replicas: cfg.N(), Weak: cfg.Weak(),
		Limits: session.Limits{
			Window: uint64(file.Protocol.WithDefaults().Window), Ops: cfg.MaxOps, OpBytes: cfg.MaxOpBytes,
			TotalBytes: min(cfg.MaxBatchBytes, network.DefaultMaxClientFrame-frameOverhead),
		}.Choose(o.pack, o.inFlight),
		Client: key.Public(), Sign: key.signRequest, ID: newSessionNumber(0), Fresh: newSessionNumber,
		Host: link, Random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), NoHedging: o.noHedging,
	}, o.semantics)
	s.observer, s.machine = o.observer, file.Machine
	dial := network.ClientConfig{Members: file.Members(), Greeting: file.Greeting(), Logger: o.logger, Opening: s.core.Opening()}
	key.prove(&dial)
	link.host, err = network.Dial(dial, s)
	if err != nil {
		return nil, fmt.Errorf("dial the cluster: %w", err)
	}
	if err := link.host.WaitConnected(ctx, cfg.N()-cfg.F()); err != nil {
		return nil, errors.Join(fmt.Errorf("dial the cluster: %w", err), link.host.Close())
	}
	c := &Client{cluster: cluster, key: key, shell: s, host: link.host}
	c.running.Go(s.run)
	c.close = sync.OnceValue(func() error {
		s.linger(linger)
		s.close()
		defer c.running.Wait()
		return c.host.Close()
	})
	return c, nil
}

// frameOverhead is what an encoded request may be longer by in its frame.
const frameOverhead = 64

// link is the session's host. The session exists before the network, which calls it, and sends only after Dial.
type link struct{ host *network.ClientHost }

func (l *link) Send(to int, frame []byte) bool { return l.host.Send(to, frame) }
func (l *link) Open(frame []byte)              { l.host.Open(frame) }

var lastSession atomic.Int64

// newSessionNumber is the wall clock in nanoseconds, or one more than the clock last gave in this process, unless that is
// below above, which is taken then: what the replicas hold is beyond the clock (C1). No number is used twice.
func newSessionNumber(above wire.Session) wire.Session {
	for {
		last := lastSession.Load()
		number := max(time.Now().UnixNano(), last+1) // a clock beyond the year 2262 is below 0
		if lastSession.CompareAndSwap(last, number) {
			return max(wire.Session(number), above)
		}
	}
}
