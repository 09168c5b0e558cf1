package processes

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/client"
	"tagma/crypto"
	"tagma/testnet/check"
	"tagma/testnet/scenario"
)

const (
	openLoop  = 16 // operations of a client at once, where a rate is asked for
	registers = 4  // keys that all clients share
	ownKeys   = 32 // keys that a worker of a mixed workload writes again and again
	dialers   = 16 // clients that connect at once
)

// dial opens the clients' sessions, and accounts if they are to have some.
func (c *cluster) dial(ctx context.Context) (*load, error) {
	w := &c.s.Workload
	l := &load{s: c.s, sessions: make(map[int]*client.Client), changed: make(chan struct{})}
	if w.Rate > 0 {
		l.gap = time.Duration(float64(time.Second) / w.Rate)
	}
	var mu sync.Mutex
	group, dialing := errgroup.WithContext(ctx)
	group.SetLimit(dialers)
	for i := range w.Clients {
		if !c.honest(i) || w.Kind == scenario.KindNone && !c.named(i) {
			continue
		}
		group.Go(func() error {
			key, err := crypto.ReadKey(c.local.ClientKey(i))
			if err != nil {
				return fmt.Errorf("client c%d: %w", i, err)
			}
			session, err := client.DialCluster(dialing, c.local.File, key)
			if err != nil {
				return fmt.Errorf("client c%d: %w", i, err)
			}
			mu.Lock()
			defer mu.Unlock()
			l.sessions[i] = session
			return nil
		})
	}
	err := group.Wait()
	for _, i := range slices.Sorted(maps.Keys(l.sessions)) {
		if err == nil {
			err = l.employ(ctx, i)
		}
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// honest reports whether a client is not malicious.
func (c *cluster) honest(i int) bool {
	return !slices.ContainsFunc(c.s.Malicious, func(m scenario.Malicious) bool { return m.Client != nil && *m.Client == i })
}

// named reports whether an event lets a client submit something.
func (c *cluster) named(i int) bool {
	return slices.ContainsFunc(c.s.Events, func(e scenario.Event) bool {
		return slices.ContainsFunc(e.Submit, func(o scenario.Operation) bool { return o.Client == i })
	})
}

// employ gives a client its workers.
func (l *load) employ(ctx context.Context, i int) error {
	w := &l.s.Workload
	workers := max(w.InFlight, 1)
	if w.Rate > 0 && w.Kind != scenario.KindRegister { // whose history is judged the slower the more overlaps
		workers = openLoop
	}
	for j := range workers {
		dice := rand.New(rand.NewPCG(l.s.Seed, uint64(i*openLoop+j)))
		name := fmt.Sprintf("c%d/%02d", i, j)
		var next func() task
		switch w.Kind {
		case scenario.KindPut:
			next = puts(name, w.ValueBytes, dice)
		case scenario.KindMixed:
			next = mixed(name, w.ValueBytes, dice)
		case scenario.KindRegister:
			next = registerAccesses(name, dice)
		case scenario.KindBank:
			if err := l.openAccounts(ctx, i, name); err != nil {
				return err
			}
			next = transfers(name)
		default:
			return nil
		}
		l.makers = append(l.makers, worker{client: i, next: next})
	}
	return nil
}

// puts writes every key once, so that reading back shows each single write.
func puts(name string, size int, dice *rand.Rand) func() task {
	n := 0
	return func() task {
		n++
		return put(fmt.Sprintf("%s/%06d", name, n), text(size, dice))
	}
}

// put is a write of a key that nobody else writes meanwhile.
func put(key, value string) task {
	return task{op: check.Op{Kind: check.Put, Key: key, Value: value}, write: &check.Write{Key: key, Value: value}}
}

func get(key string) task { return task{op: check.Op{Kind: check.Get, Key: key}} }

// mixed writes own keys again and again, and reads them as often.
func mixed(name string, size int, dice *rand.Rand) func() task {
	return func() task {
		key := fmt.Sprintf("%s/%02d", name, dice.IntN(ownKeys))
		if dice.IntN(2) == 0 {
			return get(key)
		}
		return put(key, text(size, dice))
	}
}

// registerAccesses writes and reads keys that all share. No value is written twice, so that it shows which write a read
// has seen.
func registerAccesses(name string, dice *rand.Rand) func() task {
	n := 0
	return func() task {
		key := fmt.Sprintf("register%d", dice.IntN(registers))
		if dice.IntN(2) == 0 {
			return get(key)
		}
		n++
		t := put(key, fmt.Sprintf("%s#%d", name, n))
		t.write = nil // it has many writers: the history tells what it may hold
		return t
	}
}

// fortune is more than a workload can transfer.
const fortune = 1 << 40

func from(name string) string { return name + "/from" }
func to(name string) string   { return name + "/to" }

// openAccounts makes the accounts of a worker, before the workload begins.
func (l *load) openAccounts(ctx context.Context, number int, name string) error {
	for account, amount := range map[string]uint64{from(name): fortune, to(name): 0} {
		opened, err := l.sessions[number].Bank().Open(ctx, account, amount)
		if err != nil {
			return fmt.Errorf("open an account: %w", err)
		}
		l.history = append(l.history, check.Call{
			Client: number, Op: check.Op{Kind: check.Open, Key: account, Amount: amount}, Invoked: -2, Returned: -1, Known: true,
			Out: check.Out{Balance: opened.Balance},
		})
	}
	return nil
}

// transfers moves 1 at a time between two accounts that nobody else uses, so that a balance counts executions.
func transfers(name string) func() task {
	return func() task {
		return task{
			op:    check.Op{Kind: check.Transfer, Key: from(name), To: to(name), Amount: 1},
			write: &check.Write{Key: to(name), Value: isOpen},
		}
	}
}

// isOpen stands for the value of an account that exists.
const isOpen = "open"

// text is a value of so many bytes.
func text(size int, dice *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	b := make([]byte, size)
	for i := range b {
		b[i] = letters[dice.IntN(len(letters))]
	}
	return string(b)
}
