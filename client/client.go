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
	close   func() error // closes everything, once
}

// Dial opens a session with the cluster that clusterFile (cluster.toml) describes, under the private key in keyFile. It
// returns once n−f of the n replicas are connected, f being the number of faulty ones that the cluster masks, or with
// an error if ctx ends before. From then on lost links are restored in the background. The caller must close the
// client. The passphrase of an encrypted key is taken from the environment (TAGMA_PASSPHRASE, or a file that
// TAGMA_PASSPHRASE_FILE names), or asked for on the terminal.
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
		Cluster: cfg.Cluster, Replicas: cfg.N(), Weak: cfg.Weak(), Remaining: cfg.Remaining(),
		Limits: session.Limits{
			Window: uint64(file.Protocol.WithDefaults().Window), Ops: cfg.MaxOps, OpBytes: cfg.MaxOpBytes,
			TotalBytes: min(cfg.MaxBatchBytes, network.DefaultMaxClientFrame-frameOverhead),
		}.Choose(o.pack, o.inFlight),
		Protocol: &cfg, Holds: holds,
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
	if err := link.host.WaitConnected(ctx, cfg.Remaining()); err != nil {
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

// frameOverhead bounds how many bytes longer the frame of a request may be than the request.
const frameOverhead = 64

// link is the session's Host. The session is made before the network, but sends only after Dial has set host.
type link struct{ host *network.ClientHost }

func (l *link) Send(to int, frame []byte) bool { return l.host.Send(to, frame) }
func (l *link) Open(frame []byte)              { l.host.Open(frame) }

var lastSession atomic.Int64

// newSessionNumber is the wall clock in nanoseconds, or one more than the last number given in this process if the
// clock is not above that. If the result would be less than the argument, the argument is returned: it is above the
// sessions that replicas hold, which can be ahead of this clock (C1). No number is used twice.
func newSessionNumber(above wire.Session) wire.Session {
	for {
		last := lastSession.Load()
		number := max(time.Now().UnixNano(), last+1) // the clock is negative after the year 2262
		if lastSession.CompareAndSwap(last, number) {
			return max(wire.Session(number), above)
		}
	}
}
