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
// returns when enough replicas are connected to answer, or with an error when ctx ends before; the links are mended in
// the background from then on. The caller closes the client. The passphrase of an encrypted key is taken from the
// environment (TAGMA_PASSPHRASE, or a file that TAGMA_PASSPHRASE_FILE names), or asked for on the terminal.
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

// Do has one operation executed and returns its result. The operation is in the machine's own encoding. When ctx ends
// before f+1 replicas answered, the error is an *UnknownError: the operation may or may not be executed; or an ErrNotSent
// if it had not left yet. Operations that wait together are sent in one request, and each still is what it would be alone.
func (c *Client) Do(ctx context.Context, op []byte, opts ...CallOption) (Result, error) {
	return c.DoMany(ctx, [][]byte{op}, opts...)
}

// Call has one operation executed under the client's semantics, for the calls of a machine (statemachine.Caller).
func (c *Client) Call(ctx context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error) {
	var opts []CallOption
	if readOnly {
		opts = append(opts, ReadOnly())
	}
	done, err := c.Do(ctx, op, opts...)
	if err != nil {
		return nil, 0, err
	}
	return done.Output(), done.Seq, nil
}

// Machine is the name of the state machine that the cluster runs, as its file has it. The calls of a machine refuse a
// cluster that runs another one (statemachine.For); Do sends whatever it is given.
func (c *Client) Machine() string {
	if c == nil {
		return ""
	}
	return c.cluster.Machine()
}

// DoMany has several operations executed as one request: one after the other, with nothing between them, each for
// itself: one that fails does not undo the others. It costs little more than a single operation.
func (c *Client) DoMany(ctx context.Context, ops [][]byte, opts ...CallOption) (Result, error) {
	return c.shell.do(ctx, ops, gather(c.shell.semantics, opts))
}

// Submit sends one operation and returns without its result, which Call.Wait gives. It blocks while as much waits to be
// sent as the next requests can carry; when ctx ends meanwhile, the error is an ErrNotSent.
func (c *Client) Submit(ctx context.Context, op []byte, opts ...CallOption) (*Call, error) {
	return c.SubmitMany(ctx, [][]byte{op}, opts...)
}

// SubmitMany is Submit for several operations in one request, as in DoMany.
func (c *Client) SubmitMany(ctx context.Context, ops [][]byte, opts ...CallOption) (*Call, error) {
	return c.shell.submit(ctx, ops, gather(c.shell.semantics, opts))
}

// Close ends the session and its links and waits for all goroutines. Calls under way end with an *UnknownError; best-effort
// ones get a moment to leave. It may be called more than once.
func (c *Client) Close() error { return c.close() }
