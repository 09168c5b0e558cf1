package processes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"tagma/client"
	"tagma/statemachine/kv"
	"tagma/testnet/check"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// Remains implements play.Cluster.
func (c *cluster) Remains() (*play.Remains, error) {
	w := c.watch
	if err := errors.Join(w.unread, c.untraced); err != nil {
		return nil, err
	}
	r := &play.Remains{
		Invariants: append(w.journals.Results(), c.readBackJudged()...), Replicas: c.Replicas(), Views: len(w.journals.Views()),
		Calls: c.load.history, Stopped: w.are(stopped), Waited: c.waited, Unclean: c.unclean,
	}
	// What had nothing to check is no accident in a short run: that the run was real is I18's matter. Only what was
	// acknowledged must have been agreed on and voted for.
	for i := range r.Invariants {
		x := &r.Invariants[i]
		if must := len(c.load.acks) > 0 && (x.ID == "I1" || x.ID == "I2"); x.Checked == 0 && x.Held && !x.Idle && !must {
			x.Idle, x.Note = true, "nothing of this kind happened"
		}
	}
	cfg, err := c.local.File.Config(0)
	if err != nil {
		return nil, err
	}
	for id := range r.Replicas {
		x := &r.Replicas[id]
		// A damaged journal has no size that means anything.
		x.JournalBytes, x.JournalWritten, _ = journalSize(c.local.Home(id), int64(c.SegmentBytes))
		x.JournalPeak = max(x.JournalPeak, x.JournalBytes)
		if !w.seen[id].trusted {
			continue
		}
		found, err := proofs(c.local.Home(id), &cfg)
		if err != nil {
			return nil, fmt.Errorf("the evidence of replica %d: %w", id, err)
		}
		r.Proofs = append(r.Proofs, found...)
	}
	for _, d := range w.dead {
		if !d.Own || !w.seen[d.Replica].damaged {
			r.Strange = append(r.Strange, play.Strange{What: d.String(), At: d.At.Sub(*c.began.Load()), Own: d.Own})
		}
	}
	return r, nil
}

// readBackJudged are the invariants that are judged from what was read back.
func (c *cluster) readBackJudged() []check.Result {
	l := c.load
	switch {
	case len(l.writes) == 0 || c.s.Expect.Halts():
		return nil
	case !c.read || c.unread != nil:
		const why = "the writes could not be read back"
		return []check.Result{{ID: "I3", Why: why}, {ID: "I9", Why: why}}
	default:
		return []check.Result{check.Once(l.writes, c.found), check.Durable(l.writes, c.found)}
	}
}

// ReadBack implements play.Cluster.
func (c *cluster) ReadBack(ctx context.Context, show play.Show) error {
	l := c.load
	if c.s.Workload.Kind == scenario.KindNone || len(l.writes) == 0 || c.s.Expect.Halts() {
		return nil
	}
	show.Phase("read back", "every acknowledged write, one by one")
	ctx, cancel := context.WithTimeout(ctx, 2*c.Stall(c.s))
	defer cancel()
	session := l.sessions[slices.Min(slices.Collect(maps.Keys(l.sessions)))]
	once := make(map[string]bool)
	keys := slices.DeleteFunc(slices.Clone(l.writes), func(w check.Write) bool {
		again := once[w.Key]
		once[w.Key] = true
		return again
	})
	c.read = true
	if c.s.Workload.Kind == scenario.KindBank {
		c.found, c.unread = balances(ctx, session, keys)
		return c.unread
	}
	began := c.Now()
	if c.found, c.unread = values(ctx, session, keys); c.unread != nil {
		return c.unread
	}
	for _, w := range keys {
		f, there := c.found[w.Key]
		l.history = append(l.history, check.Call{
			Client: -1, Op: check.Op{Kind: check.Get, Key: w.Key}, Invoked: began, Returned: c.Now(), Known: true,
			Out: check.Out{Found: there, Value: f.Value, Version: f.Version},
		})
	}
	play.Say(show, c.Now(), play.Note, "%d keys read", len(c.found))
	return nil
}

// values reads keys, many in one request.
func values(ctx context.Context, c *client.Client, writes []check.Write) (map[string]check.Found, error) {
	found := make(map[string]check.Found, len(writes))
	for len(writes) > 0 {
		part := writes[:atOnce(writes)]
		writes = writes[len(part):]
		ops := make([][]byte, len(part))
		for i := range part {
			ops[i] = kv.Get([]byte(part[i].Key))
		}
		result, err := c.DoMany(ctx, ops, client.ReadOnly())
		if err != nil {
			return found, fmt.Errorf("read %d keys back: %w", len(ops), err)
		}
		for i, out := range result.Outputs {
			got, err := kv.DecodeGet(out)
			if err != nil {
				return found, fmt.Errorf("read key %q back: %w", part[i].Key, err)
			}
			if got.Pair != nil {
				found[part[i].Key] = check.Found{Value: string(got.Pair.Value), Version: got.Pair.Version}
			}
		}
	}
	return found, nil
}

// atOnce is how many keys one request asks for: their values are in one result, which has a limit.
func atOnce(writes []check.Write) int {
	const mostKeys, mostBytes = 128, 256 << 10
	bytes := 0
	for i := range writes {
		if bytes += len(writes[i].Value); i > 0 && (i == mostKeys || bytes > mostBytes) {
			return i
		}
	}
	return len(writes)
}

// balances reads accounts into which 1 was transferred at a time: the balance is how often.
func balances(ctx context.Context, c *client.Client, accounts []check.Write) (map[string]check.Found, error) {
	found := make(map[string]check.Found, len(accounts))
	for _, a := range accounts {
		balance, err := c.Bank().Balance(ctx, a.Key)
		if err != nil {
			return found, fmt.Errorf("read the balance of %q back: %w", a.Key, err)
		}
		found[a.Key] = check.Found{Value: isOpen, Version: balance}
	}
	audit, err := c.Bank().Audit(ctx)
	if err != nil {
		return found, fmt.Errorf("audit the bank: %w", err)
	}
	if audit.Sum != audit.Supply {
		return found, fmt.Errorf("audit the bank: the balances add up to %d, and %d was minted", audit.Sum, audit.Supply)
	}
	return found, nil
}

var _ play.Cluster = (*cluster)(nil)
