package statemachine

import (
	"fmt"
	"math"
)

// Defaults of the limits that clients have to know.
const (
	DefaultWindow   = 1024
	DefaultSessions = 256
)

// Limits are replicated configuration: every replica of a cluster must run with the same values, because they decide
// outcomes. A zero field stands for its default.
type Limits struct {
	Window   uint64 // request numbers a session may have in use above its acknowledged ones (W of C2); default DefaultWindow
	Sessions int    // sessions held per client (S of C1); default DefaultSessions

	MaxResultBytes      int // results of one request together; default 1 MiB
	MaxReplyCacheBytes  int // bytes of cached replies of one session from which on its requests are refused; default 4 MiB
	MaxClientReplyBytes int // the same over all sessions of one client; default 16 MiB

	MaxKeyBytes   int // one application key; default 4 KiB
	MaxValueBytes int // one application value; default 1 MiB
	MaxWriteBytes int // keys and values that one operation writes; default 16 MiB

	MaxPassedKeys int // keys that ranges may pass in one request; default 100,000

	// Budgets of work, in units of cost; 0 stands for none. A cluster keeps the budgets with which it began, because
	// every replica must execute a batch in the same way, whenever it does so. New clusters have the defaults.
	MaxRequestCost int // of all operations of one request
	MaxBatchCost   int // of a batch; beyond it, requests of clients that used more than an equal part are refused

	// Rules selects the rules by which batches are executed; a cluster keeps them for good, too. By rules 0, a copy of
	// a refused request may be executed later; by rules 1 it may not. New clusters have NewestRules.
	Rules int

	// FirstVersion is the version of the state with which the cluster began (see the function FirstVersion); 0 if the
	// machine had neither versions nor an Init when the cluster was made. In that case no Init is executed, and a state
	// that was never upgraded is at version 1.
	FirstVersion int

	// Cluster is the identity under which the cluster's replicas sign: Reader.Cluster.
	Cluster [32]byte

	// Administrators are the clients for which Reader.Administrator is true.
	Administrators [][32]byte

	// Refused are the digests of requests that are not executed but answered with ResultUnwanted. An operator lists a
	// request here if its operation never ends. A digest may be added only if the execution of its request has not ended
	// on any replica (CheckRefused). It must never be removed, because every replica must execute a batch in the same
	// way, whenever it does so.
	Refused [][32]byte
}

// NewestRules are the Rules of new clusters.
const NewestRules = 1

// Default budgets of new clusters. A unit is about a microsecond on a small machine. A request that keeps the other
// limits and reads values of ordinary size costs less than DefaultMaxRequestCost.
const (
	DefaultMaxRequestCost = 1_000_000
	DefaultMaxBatchCost   = 1_000_000
)

// The cost of what an operation does is the same on every replica, however long it takes there: see Reply.Cost. Each
// kilobyte of a key and its value that is read, passed or written costs one unit more.
const (
	costOperation = 4 // for the call of the operation
	costRead      = 4
	costPass      = 1 // for each key that a range passes
	costWrite     = 8
	costShift     = 10
)

// withDefaults replaces zeros by the defaults, and refuses negative numbers.
func (l Limits) withDefaults() (Limits, error) {
	if l.Window == 0 {
		l.Window = DefaultWindow
	}
	for _, f := range []struct {
		name  string
		value *int
		def   int
	}{
		{"Sessions", &l.Sessions, DefaultSessions},
		{"MaxResultBytes", &l.MaxResultBytes, 1 << 20},
		{"MaxReplyCacheBytes", &l.MaxReplyCacheBytes, 4 << 20},
		{"MaxClientReplyBytes", &l.MaxClientReplyBytes, 16 << 20},
		{"MaxKeyBytes", &l.MaxKeyBytes, 4 << 10},
		{"MaxValueBytes", &l.MaxValueBytes, 1 << 20},
		{"MaxWriteBytes", &l.MaxWriteBytes, 16 << 20},
		{"MaxPassedKeys", &l.MaxPassedKeys, 100_000},
	} {
		if *f.value < 0 {
			return Limits{}, fmt.Errorf("replicated limit %s is %d; it must be positive, or 0 for %d",
				f.name, *f.value, f.def)
		}
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	if l.Rules < 0 || l.Rules > NewestRules {
		return Limits{}, fmt.Errorf("rules of execution %d: this version knows 0 to %d", l.Rules, NewestRules)
	}
	if l.FirstVersion < 0 || l.FirstVersion > math.MaxInt32 {
		return Limits{}, fmt.Errorf("the first version of the state is %d; it must be positive, or 0 for none", l.FirstVersion)
	}
	if l.MaxRequestCost < 0 || l.MaxBatchCost < 0 {
		return Limits{}, fmt.Errorf("replicated limits MaxRequestCost %d and MaxBatchCost %d must be positive, or 0 for none",
			l.MaxRequestCost, l.MaxBatchCost)
	}
	return l, nil
}
