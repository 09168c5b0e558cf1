package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/bench"
	"tagma/internal/page"
	"tagma/internal/reach"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
	"tagma/testnet/local"
)

// LoadClients is how many clients a cluster must have for the load of its page, in addition to client 0, with whose key
// the page sends single requests.
const LoadClients = 4

// Bounds of the load that a page may ask for; and how long a client waits for an answer, or for links to a quorum.
const (
	mostClients  = 64
	mostRate     = 20_000
	mostPatience = 10 * time.Second
)

// clients are the clients that the page uses: one that sends single requests, and some that make load.
type clients struct {
	cluster *local.Cluster
	tell    func(trace.Event) // unstamped

	dialing  sync.Mutex
	sessions map[int]*client.Client
	stopLoad func()

	mu   sync.Mutex
	load page.Load
	took []int64 // latencies in microseconds, since the last call of loaded
}

func newClients(c *local.Cluster, tell func(trace.Event)) *clients {
	return &clients{cluster: c, tell: tell, sessions: make(map[int]*client.Client), stopLoad: func() {}}
}

// session opens a client's session, once.
func (c *clients) session(ctx context.Context, number int) (*client.Client, error) {
	c.dialing.Lock()
	defer c.dialing.Unlock()
	if s := c.sessions[number]; s != nil {
		return s, nil
	}
	key, err := crypto.ReadKey(c.cluster.ClientKey(number))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, mostPatience)
	defer cancel()
	s, err := reach.Dial(ctx, c.cluster.File, key, client.WithObserver(observer{c, number}))
	if err != nil {
		return nil, page.Refusef(http.StatusServiceUnavailable, "failed", "client %d cannot connect to enough replicas; heal the cluster and try again: %w", number, err)
	}
	c.sessions[number] = s
	return s, nil
}

// ask makes one call of the key-value machine as client 0. It returns how the call ended, and which replicas vouched for
// the result.
func (c *clients) ask(ctx context.Context, call func(context.Context, kv.Client) error) (*client.CallEnd, error) {
	s, err := c.session(ctx, 0)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, mostPatience)
	defer cancel()
	end := new(client.CallEnd)
	err = call(context.WithValue(ctx, endKey{}, end), kv.NewClient(s))
	if errors.Is(err, client.ErrUnknown) || errors.Is(err, client.ErrNotSent) {
		return nil, page.Refusef(http.StatusGatewayTimeout, "failed",
			"no f+1 replicas answered alike within %v; ask why, heal the cluster, and try again: %w", mostPatience, err)
	}
	return end, err
}

// make makes so many clients send so many operations in a second together. That replaces the load before. If either
// number is 0, there is no load.
func (c *clients) make(ctx context.Context, number int, rate float64) error {
	c.stopLoad()
	c.stopLoad = func() {}
	if number == 0 || rate == 0 {
		return nil
	}
	var callers []bench.Caller
	for i := range min(number, LoadClients) {
		s, err := c.session(ctx, i+1)
		if err != nil {
			return err
		}
		callers = append(callers, bench.Session(s))
	}
	opt := bench.Options{
		Clients: number, Rate: rate, Duration: 1000 * time.Hour, ValueBytes: 32, Reads: 30, Batch: 1, Keys: 1000, Timeout: mostPatience,
		Seed: uint64(time.Now().UnixNano()),
	}
	if err := opt.Check(); err != nil {
		return err
	}
	// The load must not end with the request of the page that asked for it.
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		// It always ends because it is interrupted; the observers have counted its operations.
		_, _ = bench.Run(ctx, callers, opt, 0, nil)
	}()
	c.stopLoad = func() { cancel(); <-over }
	return nil
}

// loaded returns what the clients have done so far, and the latencies since its last call.
func (c *clients) loaded() page.Load {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.took)
	if n := len(c.took); n > 0 {
		c.load.P50, c.load.P99 = c.took[(n-1)/2], c.took[(n-1)*99/100]
	} else {
		c.load.P50, c.load.P99 = 0, 0
	}
	c.took = c.took[:0]
	return c.load
}

// close ends the load and the sessions.
func (c *clients) close() {
	c.stopLoad()
	c.dialing.Lock()
	defer c.dialing.Unlock()
	for _, s := range c.sessions {
		_ = s.Close() // the load has ended
	}
}

// endKey is the key under which a context holds the CallEnd that an observer must fill in.
type endKey struct{}

// observer observes the calls of one client.
type observer struct {
	*clients
	number int
}

// Start implements client.Observer.
func (o observer) Start(ctx context.Context, _ client.CallInfo) client.CallObserver {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.load.Submitted++
	o.load.InFlight++
	end, _ := ctx.Value(endKey{}).(*client.CallEnd)
	return &asked{observer: o, end: end}
}

// asked is one call.
type asked struct {
	observer
	end    *client.CallEnd // nil: nobody needs the end of this call
	number uint64          // of the request
}

// Sent implements client.CallObserver.
func (a *asked) Sent(t client.Transmission) {
	if a.number != t.Request.Number {
		a.number = t.Request.Number
		a.tell(&trace.Request{Client: a.observer.number, Step: trace.Asked, Number: a.number})
	}
}

// Answered implements client.CallObserver. It does nothing, because a single replica's answer proves nothing.
func (a *asked) Answered(int, time.Time) {}

// End implements client.CallObserver.
func (a *asked) End(e client.CallEnd) {
	if a.end != nil {
		*a.end = e
	}
	a.mu.Lock()
	a.load.InFlight--
	if e.Err != nil {
		a.load.Failed++
	} else {
		a.load.Acknowledged++
		a.took = append(a.took, e.Latency.Microseconds())
	}
	a.mu.Unlock()
	if e.Err == nil {
		a.tell(&trace.Request{Client: a.observer.number, Step: trace.Answered, Number: e.Request.Number, Seq: wire.Seq(e.Seq)})
	}
}

func load(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	if a.Clients < 0 || a.Clients > mostClients || !(a.Rate >= 0 && a.Rate <= mostRate) {
		return nil, page.Refusef(http.StatusBadRequest, "bad", "load is of 0 to %d clients with 0 to %d operations a second altogether", mostClients, mostRate)
	}
	if err := l.clients.make(ctx, a.Clients, a.Rate); err != nil {
		return nil, err
	}
	if a.Clients == 0 || a.Rate == 0 {
		return l.noted("the load ends"), nil
	}
	return l.noted("load: %d clients, %g operations a second", a.Clients, a.Rate), nil
}

// answer is the result of a request, and which replicas vouched for it.
type answer struct {
	Value   *string `json:"value,omitempty"`
	Found   bool    `json:"found"`
	Seq     uint64  `json:"seq"`
	Vouched []int   `json:"vouched"`
	Differs []int   `json:"differs"`
	Client  int     `json:"client"`
	Number  uint64  `json:"number"`
}

// ask sends one request. The argument does says what the request does with the key.
func (l *Live) ask(ctx context.Context, does string, a *page.Act, call func(context.Context, kv.Client, *answer) error) (*page.Done, error) {
	if a.Key == "" {
		return nil, page.Refusef(http.StatusBadRequest, "bad", "name a key")
	}
	out := &answer{Vouched: []int{}, Differs: []int{}}
	end, err := l.clients.ask(ctx, func(ctx context.Context, c kv.Client) error { return call(ctx, c, out) })
	switch {
	case errors.Is(err, kv.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		out.Found = true
	}
	out.Seq, out.Number = end.Seq, end.Request.Number
	out.Vouched, out.Differs = append(out.Vouched, end.Vouched...), append(out.Differs, end.Differed...)
	said := fmt.Sprintf("%s %q at %d: %s answered alike", does, a.Key, out.Seq, named(out.Vouched))
	if !out.Found {
		said = fmt.Sprintf("there is no %q at %d: %s answered alike", a.Key, out.Seq, named(out.Vouched))
	}
	return &page.Done{Said: said, Result: out}, nil
}

func put(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	return l.ask(ctx, "put", a, func(ctx context.Context, c kv.Client, _ *answer) error {
		_, err := c.Put(ctx, a.Key, []byte(a.Value))
		return err
	})
}

func get(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	return l.ask(ctx, "read", a, func(ctx context.Context, c kv.Client, out *answer) error {
		value, err := c.Get(ctx, a.Key)
		if err == nil {
			out.Value = new(string(value))
		}
		return err
	})
}

func remove(ctx context.Context, l *Live, a *page.Act) (*page.Done, error) {
	return l.ask(ctx, "deleted", a, func(ctx context.Context, c kv.Client, _ *answer) error {
		gone, err := c.Delete(ctx, a.Key)
		if err == nil && gone.Deleted == 0 {
			return kv.ErrNotFound
		}
		return err
	})
}
