package processes

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"tagma/crypto"
	"tagma/internal/reach"
	"tagma/statemachine/bank"
	"tagma/testnet/check"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

const (
	openLoop  = 16 // workers of a client whose workload has a rate
	registers = 4  // keys that all clients share
	ownKeys   = 32 // keys that a worker of a mixed workload writes again and again
	dialers   = 16 // clients that connect at once
)

// dial opens the clients' sessions, and opens accounts if the clients need them.
func (c *Cluster) dial(ctx context.Context) (*load, error) {
	w := &c.s.Workload
	l := newLoad(c.s, c.show)
	var mu sync.Mutex
	group, dialing := errgroup.WithContext(ctx)
	group.SetLimit(dialers)
	for _, i := range play.Honest(c.s) {
		if w.Kind == scenario.KindNone && !c.named(i) {
			continue
		}
		group.Go(func() error {
			key, err := crypto.ReadKey(c.local.ClientKey(i))
			if err != nil {
				return fmt.Errorf("client c%d: %w", i, err)
			}
			session, err := reach.Dial(dialing, c.local.File, key)
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
	if err == nil {
		err = l.fill(ctx)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// named reports whether some event makes a client submit an operation.
func (c *Cluster) named(i int) bool {
	return slices.ContainsFunc(c.s.Events, func(e scenario.Event) bool {
		return slices.ContainsFunc(e.Submit, func(o scenario.Operation) bool { return o.Client == i })
	})
}

// employ starts the workers of a client.
func (l *load) employ(ctx context.Context, i int) error {
	w := &l.s.Workload
	workers := max(w.InFlight, 1)
	if w.Rate > 0 && w.Kind != scenario.KindRegister { // if operations on registers overlap, judging the history takes long
		workers = openLoop
	}
	for j := range workers {
		name := fmt.Sprintf("%s%02d", ownedBy(i), j)
		if w.Kind == scenario.KindBank {
			if err := l.openAccounts(ctx, i, name); err != nil {
				return err
			}
		}
		own, dice := shareOf(w.Keys, w.Clients*workers, i*workers+j), rand.New(rand.NewPCG(l.s.Seed, uint64(i*openLoop+j)))
		l.makers = append(l.makers, worker{client: i, keys: own, next: operations(w, name, own, dice)})
	}
	return nil
}

// shareOf is how many of all keys belong to one worker.
func shareOf(all, workers, number int) int {
	share := all / workers
	if number < all%workers {
		share++
	}
	return share
}

// ownedBy returns the prefix of the keys and accounts that only one client uses.
func ownedBy(client int) string { return fmt.Sprintf("c%d/", client) }

// operations returns a function that makes a worker's next operation. The worker uses so many keys of its own; 0: as
// many as it needs. No value is written twice, so the value that a read returns shows which write it saw.
func operations(w *scenario.Workload, name string, keys int, dice *rand.Rand) func() check.Op {
	n := 0
	return func() check.Op {
		if n++; keys > 0 && n > keys {
			n = 1
		}
		op := check.Op{Kind: check.Put}
		switch w.Kind {
		case scenario.KindPut: // every key once, so that reading back shows each single write
			op.Key = keyOf(name, n)
		case scenario.KindMixed: // own keys again and again
			op.Key = fmt.Sprintf("%s/%02d", name, dice.IntN(ownKeys))
		case scenario.KindRegister:
			op.Key, op.Value = fmt.Sprintf("register%d", dice.IntN(registers)), fmt.Sprintf("%s#%d", name, n)
		case scenario.KindBank: // of 1, between the worker's two accounts, so that a balance counts executions
			return check.Op{Kind: check.Transfer, Key: from(name), To: to(name), Amount: 1}
		}
		switch {
		case w.Kind != scenario.KindPut && dice.IntN(2) == 0:
			return check.Op{Kind: check.Get, Key: op.Key}
		case op.Value == "":
			op.Value = text(w.ValueBytes, dice)
		}
		return op
	}
}

// keyOf is the n-th key of a worker, from 1 on.
func keyOf(worker string, n int) string { return fmt.Sprintf("%s/%06d", worker, n) }

// text is a value of so many bytes.
func text(size int, dice *rand.Rand) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = 'a' + byte(dice.IntN(26))
	}
	return string(b)
}

// fortune is more money than a workload can transfer.
const fortune = 1 << 40

func from(name string) string { return name + "/from" }
func to(name string) string   { return name + "/to" }

// openAccounts makes the accounts of a worker, before the workload begins.
func (l *load) openAccounts(ctx context.Context, number int, name string) error {
	for account, amount := range map[string]uint64{from(name): fortune, to(name): 0} {
		opened, err := bank.NewClient(l.sessions[number]).Open(ctx, account, amount)
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

// isOpen is used as the value of an account that exists.
const isOpen = "open"

// writes returns the writes that reading back can judge: writes to keys and accounts that only one worker uses.
func (l *load) writes() (all []check.Write) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all = slices.Clone(l.filled)
	for _, c := range l.history {
		w := check.Write{Key: c.Op.Key, Value: c.Op.Value, Acknowledged: c.Known}
		if c.Op.Kind == check.Transfer {
			w.Key, w.Value = c.Op.To, isOpen
		} else if c.Op.Kind != check.Put {
			continue
		}
		if strings.HasPrefix(w.Key, ownedBy(c.Client)) {
			all = append(all, w)
		}
	}
	return all
}
