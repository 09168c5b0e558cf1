package processes

import (
	"context"
	"errors"
	"fmt"

	"tagma/client"
	"tagma/internal/inspect"
	"tagma/testnet/check"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// Remains implements play.Cluster.
func (c *Cluster) Remains() (*play.Remains, error) {
	w := c.watch
	if err := errors.Join(w.unread, c.untraced); err != nil {
		return nil, err
	}
	r := &play.Remains{
		Invariants: append(w.journals.Results(), c.ReadBackJudged()...), Replicas: c.Replicas(), Views: len(w.journals.Views()),
		Calls: c.load.history, Stopped: w.are(stopped), Strain: c.gauge.Read(), Unclean: c.unclean,
	}
	// In a short run there may have been nothing to check for an invariant; I18 judges whether the run was long enough.
	// But if an operation was acknowledged, replicas agreed on it (I1) and voted for it (I2).
	for i := range r.Invariants {
		x := &r.Invariants[i]
		if must := len(c.load.acks) > 0 && (x.ID == "I1" || x.ID == "I2"); x.Checked == 0 && x.Held && !x.Idle && !must {
			x.Idle, x.Note = true, "nothing of this kind happened"
		}
	}
	keys, err := inspect.CheckWith(c.local.File)
	if err != nil {
		return nil, err
	}
	for id := range r.Replicas {
		x := &r.Replicas[id]
		// the size of a damaged journal says nothing
		x.JournalBytes, x.JournalWritten, _ = journalSize(c.local.Home(id), int64(c.SegmentBytes))
		x.JournalPeak = max(x.JournalPeak, x.JournalBytes)
		if !w.seen[id].trusted {
			continue
		}
		evidence, err := inspect.ReadEvidence(c.local.Home(id), keys)
		if err != nil {
			return nil, fmt.Errorf("the evidence of replica %d: %w", id, err)
		}
		for _, p := range evidence.Found {
			if p.Kind != inspect.Diverged { // evidence of the kind Diverged is about the replica that has it
				r.Proofs = append(r.Proofs, play.Proof{Replica: p.Replica, Kind: p.Kind, Holds: p.Verified})
			}
		}
	}
	for _, d := range w.dead {
		if !d.Own || !w.seen[d.Replica].damaged {
			r.Strange = append(r.Strange, play.Strange{What: d.String(), At: d.At.Sub(*c.began.Load()), Own: d.Own})
		}
	}
	return r, nil
}

// ReadBackJudged judges I3 and I9 by what ReadBack found last.
func (c *Cluster) ReadBackJudged() []check.Result {
	writes := c.load.writes()
	switch {
	case len(writes) == 0 || c.s.Expect.Halts():
		return nil
	case c.found == nil:
		const why = "the writes could not be read back"
		late := c.unread == nil || play.IsLate(c.unread)
		return []check.Result{{ID: "I3", Why: why, Timed: late}, {ID: "I9", Why: why, Timed: late}}
	default:
		return []check.Result{check.Once(writes, c.found), check.Durable(writes, c.found)}
	}
}

// ReadBack implements play.Cluster.
func (c *Cluster) ReadBack(ctx context.Context, show play.Show) (err error) {
	defer func() { c.unread = err }()
	writes, read := c.load.writes(), check.Get
	if len(writes) == 0 || c.s.Expect.Halts() {
		return nil
	}
	show.Phase("read back", "every acknowledged write, one by one")
	patience := 2 * c.Stall(c.s)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if c.s.Workload.Kind == scenario.KindBank {
		read = check.Balance
	}
	var ops []check.Op
	once := make(map[string]bool)
	for _, w := range writes {
		if !once[w.Key] {
			ops = append(ops, check.Op{Kind: read, Key: w.Key})
		}
		once[w.Key] = true
	}
	began := c.Now()
	outs, err := c.load.inBulk(ctx, ops, client.ReadOnly())
	if err == nil && read == check.Balance {
		_, err = c.load.inBulk(ctx, []check.Op{{Kind: check.Audit}}, client.ReadOnly())
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return play.Late("%d keys were not read back within %v", len(ops), patience)
	case err != nil:
		return fmt.Errorf("read %d keys back: %w", len(ops), err)
	}
	c.found = make(map[string]check.Found)
	for i, out := range outs {
		switch {
		case out.Found:
			c.found[ops[i].Key] = check.Found{Value: out.Value, Version: out.Version}
		case read == check.Balance && out.Refused == "":
			c.found[ops[i].Key] = check.Found{Value: isOpen, Version: out.Balance}
		}
		if c.s.Workload.Keys == 0 { // the history of a large state would be long and would show nothing more
			c.load.history = append(c.load.history, check.Call{
				Client: -1, Op: ops[i], Invoked: began, Returned: c.Now(), Known: true, Out: out,
			})
		}
	}
	play.Say(show, c.Now(), play.Note, "%d keys read", len(outs))
	return nil
}

var _ play.Cluster = (*Cluster)(nil)
