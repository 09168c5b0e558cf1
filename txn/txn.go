package txn

import (
	"bytes"
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"tagma/internal/driver"
	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
)

// Session is what a transaction needs of a client's session with a cluster; a *client.Client is one.
type Session interface {
	// Machine is the name of the cluster's machine.
	Machine() string
	// Members are the cluster's replicas, as its file has them.
	Members() attest.Members
	// Call makes the cluster execute one operation, once, and returns the result.
	Call(ctx context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error)
	// Attest collects a certificate of what the cluster vouches for with an operation.
	Attest(ctx context.Context, op []byte) (*attest.Certificate, error)
}

// Group is a cluster that may take part in transactions, with this client's session.
type Group struct {
	session Session
	about   commit.Group
}

// Join returns the group of a session. The name is for people, such as east.
func Join(name string, s Session) *Group {
	m := s.Members()
	return &Group{s, commit.Group{ID: m.ID, Name: name, Machine: s.Machine(), Epoch: m.Epoch, Crash: m.Crash, Keys: m.Keys}}
}

// ID returns the identity under which other clusters know this one.
func (g *Group) ID() [32]byte { return g.about.ID }

// About returns the group in the form in which an administrator registers it at another cluster (commit.SetGroup).
func (g *Group) About() commit.Group { return g.about }

// DefaultDeadline is how long a transaction has by default until its coordinator decides to abort it.
const DefaultDeadline = 10 * time.Second

// Txn is a transaction that is being put together. Its methods return it, so that calls can be chained. If one of them
// is called wrongly, Run returns the error.
type Txn struct {
	groups      []*Group
	parts       map[*Group][]byte
	coordinator *Group
	deadline    time.Duration
	err         error
}

// New begins a transaction over these groups, which must be two at least. Each must get a Part.
func New(groups ...*Group) *Txn {
	return &Txn{groups: groups, parts: map[*Group][]byte{}, deadline: DefaultDeadline}
}

// Part adds what happens in a group, in the encoding that kv.Part and bank.Part return. The group of the first part is
// the coordinator. For a transfer this should be the payer's group, so that no money of the payer is held before the
// decision.
func (t *Txn) Part(g *Group, op []byte) *Txn {
	switch {
	case !slices.Contains(t.groups, g):
		t.fail(errors.New("a part is for a group that New was not given"))
	case t.parts[g] != nil:
		t.fail(fmt.Errorf("there are two parts for %s; put its operations into one", g.about.Name))
	}
	if t.coordinator == nil {
		t.coordinator = g
	}
	t.parts[g] = op
	return t
}

// Deadline sets how long after Run the coordinator may commit; at most an hour. If this client dies, keys and amounts
// may stay locked for that time.
func (t *Txn) Deadline(within time.Duration) *Txn {
	if within <= 0 || int64(within) > commit.MaxHold {
		t.fail(fmt.Errorf("the deadline is %s from now; it must be above 0 and at most an hour", within))
	}
	t.deadline = within
	return t
}

func (t *Txn) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// Committed is a transaction that took effect in all its groups.
type Committed struct {
	TID TID
	// Receipt is the coordinator's decision with the signatures of its replicas, which anybody can check who has the
	// coordinator's cluster file.
	Receipt *attest.Certificate
	// If the context ended early, Open names the groups that have not said yet that they finished. These may still hold
	// the transaction's keys; Resolve can complete the transaction there.
	Open []string
}

// TID identifies a transaction.
type TID = commit.TID

// Aborted is the error of a transaction of which no part took effect or ever will. A new one may succeed.
type Aborted struct {
	TID     TID
	Group   string // the group that refused; "" if the deadline passed first
	Why     string // why the group refused, or what kept the driver from continuing until the deadline
	Receipt *attest.Certificate
	Open    []string // as in Committed
}

func (e *Aborted) Error() string {
	why := e.Why
	if why == "" {
		why = "no reason is known"
	}
	if e.Group == "" {
		return fmt.Sprintf("the transaction was aborted, and changed nothing: its deadline passed (%s)", why)
	}
	return fmt.Sprintf("the transaction was aborted, and changed nothing: %s refused its part (%s)", e.Group, why)
}

// Unknown is the error of a transaction whose decision is not known. It may be committed or aborted, now or later;
// Resolve finds it out, after the deadline at the latest.
type Unknown struct {
	TID   TID
	Cause error // why the wait ended, and what hindered the driver
}

func (e *Unknown) Error() string {
	return fmt.Sprintf("the outcome of transaction %x is not known (%v); `tagma commit resolve %x` finds it out", e.TID[:], e.Cause, e.TID[:])
}

func (e *Unknown) Unwrap() error { return e.Cause }

// Transaction returns the transaction with a new nonce and a deadline from now on, without running it.
func (t *Txn) Transaction() (*commit.Transaction, error) {
	if t.err != nil {
		return nil, t.err
	}
	x := &commit.Transaction{Deadline: time.Now().Add(t.deadline).UnixNano()}
	for _, g := range t.groups {
		if t.parts[g] == nil {
			return nil, fmt.Errorf("group %s has no part; leave it out, or give it one", g.about.Name)
		}
		x.Parts = append(x.Parts, commit.Part{Group: g.about.ID, Op: t.parts[g]})
	}
	slices.SortFunc(x.Parts, func(a, b commit.Part) int { return bytes.Compare(a.Group[:], b.Group[:]) })
	if t.coordinator != nil {
		x.Coordinator = t.coordinator.about.ID
	}
	if _, err := cryptorand.Read(x.Nonce[:]); err != nil {
		return nil, err
	}
	if err := x.Check(); err != nil {
		return nil, fmt.Errorf("the transaction is not valid: it needs two to eight groups, each once, and small parts: %w", err)
	}
	return x, nil
}

// Run runs the transaction and waits until every group has finished it, or until ctx ends. Before anything is sent it
// asks the groups whether they know each other, so that a missing registration costs no wait.
func (t *Txn) Run(ctx context.Context) (Committed, error) {
	x, err := t.Transaction()
	if err != nil {
		return Committed{}, err
	}
	if err := acquainted(ctx, t.coordinator, t.groups); err != nil {
		return Committed{}, err
	}
	return drive(ctx, x, t.groups, false)
}

// ErrStranger says that two groups of a transaction have not registered each other as they are now. Nothing was sent.
var ErrStranger = errors.New("the clusters of the transaction do not know each other")

// acquainted checks that the coordinator and every other group have registered each other as their cluster files
// describe them.
func acquainted(ctx context.Context, coordinator *Group, groups []*Group) error {
	for _, g := range groups {
		result, _, err := g.session.Call(ctx, commit.ReadGroups(), true)
		if err != nil {
			return fmt.Errorf("ask %s which clusters it knows: %w", g.about.Name, err)
		}
		known, err := commit.DecodeGroups(result)
		if err != nil {
			return fmt.Errorf("ask %s which clusters it knows: %w", g.about.Name, err)
		}
		for _, other := range groups {
			if other != g && (g == coordinator || other == coordinator) && !knows(known, &other.about) {
				return fmt.Errorf("%w: %s does not know %s as its file has it; have an administrator of %s run `tagma group add`",
					ErrStranger, g.about.Name, other.about.Name, g.about.Name)
			}
		}
	}
	return nil
}

func knows(known []commit.Group, g *commit.Group) bool {
	return slices.ContainsFunc(known, func(k commit.Group) bool {
		return k.ID == g.ID && k.Epoch == g.Epoch && k.Machine == g.Machine && k.Crash == g.Crash && slices.Equal(k.Keys, g.Keys)
	})
}

// drive runs a driver over the groups' sessions.
func drive(ctx context.Context, x *commit.Transaction, groups []*Group, resolve bool) (Committed, error) {
	about := make([]commit.Group, len(groups))
	for i, g := range groups {
		about[i] = g.about
	}
	d, err := driver.New(driver.Config{
		Transaction: x, Groups: about, Resolve: resolve, Random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	if err != nil {
		return Committed{}, err
	}
	h := &host{driver: d, groups: groups, ended: make(chan func() []driver.Action)}
	h.run(ctx)
	return h.outcome(ctx.Err())
}

// ErrNoRecord says that no group has a record of a transaction: nobody prepared it, or it ended long ago.
var ErrNoRecord = errors.New("no cluster has a record of this transaction: none prepared it, or it ended more than an hour ago")

// Known is what one group knows of a transaction.
type Known struct {
	Group  string
	Record *commit.Record // nil if it has none
	Err    error          // why the group could not be asked
}

// Status asks every group what it knows about a transaction.
func Status(ctx context.Context, tid TID, groups ...*Group) []Known {
	all := make([]Known, len(groups))
	for i, g := range groups {
		all[i].Group = g.about.Name
		result, _, err := g.session.Call(ctx, commit.ReadRecord(tid), true)
		if err == nil {
			all[i].Record, err = commit.DecodeRecord(result)
		}
		if !errors.Is(err, commit.NoRecord) {
			all[i].Err = err
		}
	}
	return all
}

// Resolve completes a transaction that another client began, and returns its outcome as Run does. Any client may call
// it. It prepares nothing: if a group is not prepared, it waits for the deadline and has the coordinator abort. The
// groups must be all that take part. If no group holds anything any more, the outcome is the coordinator's record; the
// error is ErrNoRecord if there is none.
func Resolve(ctx context.Context, tid TID, groups ...*Group) (Committed, error) {
	all := Status(ctx, tid, groups...)
	var failed error
	for i := range all {
		if r := all[i].Record; r != nil && r.Transaction != nil {
			return drive(ctx, r.Transaction, groups, true)
		}
		failed = errors.Join(failed, all[i].Err)
	}
	for i := range all {
		r := all[i].Record
		if r == nil || !r.Coordinator {
			continue
		}
		receipt, err := groups[i].session.Attest(ctx, commit.ReadRecord(tid))
		if err != nil {
			return Committed{}, fmt.Errorf("collect the decision of %s: %w", all[i].Group, err)
		}
		if r.State == commit.StateCommitted {
			return Committed{TID: tid, Receipt: receipt}, nil
		}
		a := &Aborted{TID: tid, Why: r.Why, Receipt: receipt}
		switch r.Cause {
		case commit.CauseOwnPart:
			a.Group = all[i].Group
		case commit.CauseRefused:
			a.Group = nameOf(groups, r.Group)
		}
		return Committed{}, a
	}
	if failed != nil {
		return Committed{}, &Unknown{TID: tid, Cause: failed}
	}
	return Committed{}, ErrNoRecord
}

func nameOf(groups []*Group, id [32]byte) string {
	for _, g := range groups {
		if g.about.ID == id {
			return g.about.Name
		}
	}
	return fmt.Sprintf("%x", id[:4])
}
