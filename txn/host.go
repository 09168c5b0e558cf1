package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tagma/internal/driver"
	"tagma/statemachine/commit"
)

// patience bounds one action. The driver then tries again, and an operation that is executed late changes nothing twice.
const patience = 5 * time.Second

// host carries out a driver's actions.
type host struct {
	driver *driver.Driver
	groups []*Group
	ended  chan func() []driver.Action // reports the end of an action to the driver
	sent   sync.WaitGroup
}

// run returns once the driver has ended or ctx has, and no goroutine is left.
func (h *host) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer h.sent.Wait()
	defer cancel()
	h.begin(ctx, h.driver.Begin(now()))
	for !h.driver.Ended() {
		var due <-chan time.Time
		if at := h.driver.Wake(); at > 0 {
			due = time.After(time.Duration(at - now()))
		}
		select {
		case <-ctx.Done():
			return
		case <-due:
			h.begin(ctx, h.driver.Tick(now()))
		case report := <-h.ended:
			h.begin(ctx, report())
		}
	}
}

func now() int64 { return time.Now().UnixNano() }

// begin carries out actions, each on a goroutine.
func (h *host) begin(ctx context.Context, actions []driver.Action) {
	for _, a := range actions {
		h.sent.Go(func() {
			report := h.carryOut(ctx, a)
			select {
			case h.ended <- report:
			case <-ctx.Done():
			}
		})
	}
}

func (h *host) carryOut(ctx context.Context, a driver.Action) (report func() []driver.Action) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := h.group(a.Group).session
	if a.Do == driver.Attest {
		c, err := s.Attest(ctx, a.Op)
		return func() []driver.Action { return h.driver.Attested(now(), a.Group, c, err) }
	}
	result, _, err := s.Call(ctx, a.Op, a.Do == driver.Read)
	return func() []driver.Action { return h.driver.Executed(now(), a.Group, result, err) }
}

func (h *host) group(id [32]byte) *Group {
	return h.groups[slices.IndexFunc(h.groups, func(g *Group) bool { return g.about.ID == id })]
}

// name returns the name of a group, or "" if there is none.
func (h *host) name(id [32]byte) string {
	if id == [32]byte{} {
		return ""
	}
	return h.group(id).about.Name
}

// outcome converts what the driver knows to Run's results.
func (h *host) outcome(ended error) (Committed, error) {
	o, tid := h.driver.Outcome(), h.driver.TID()
	var open []string
	for _, id := range o.Open {
		open = append(open, h.name(id))
	}
	switch o.State {
	case commit.StateCommitted:
		return Committed{TID: tid, Receipt: o.Decision, Open: open}, nil
	case commit.StateAborted:
		why := o.Why
		if why == "" && o.Last != nil {
			why = o.Last.Error()
		}
		return Committed{}, &Aborted{TID: tid, Group: h.name(o.Group), Why: why, Receipt: o.Decision, Open: open}
	}
	if o.Last != nil && !errors.Is(o.Last, ended) {
		ended = fmt.Errorf("%w; %w", ended, o.Last)
	}
	return Committed{}, &Unknown{TID: tid, Cause: ended}
}
