package check

import (
	"fmt"
	"maps"
	"slices"

	"tagma/pbft/wire"
)

// Monitor checks the invariants during a run. The code that runs the cluster tells it what correct replicas do and what
// clients accept; it knows nothing else about the run. It ignores calls about replicas that are not correct. It is not
// safe for concurrent use.
//
// Calls must be made in the order in which things happened: Stepped when the core returned, then Durable for each record
// that reached the disk, then Left for each message that was sent, and Applied for each executed batch. At Restarted the
// Monitor forgets what a replica had not made durable. At Forgot it also forgets what was durable, except what the
// replica signed.
//
// If a process cannot be observed, the Monitor can read its journal instead: see Read, which may be called repeatedly.
type Monitor struct {
	cfg     *wire.Config
	n, f, q int // computed here, not by pbft: replicas, those that may lie, a quorum
	correct func(wire.ReplicaID) bool
	holds   func([]wire.Claim) bool
	every   int // for one in so many messages and certificates, the signatures are verified again
	seen    int

	replicas []*observed
	order    order
	changes  []*change // new views that became active at some replica, oldest first
	clients  clients
	read     bool               // journals were read
	views    map[wire.View]bool // views that became active at some replica

	facts      [len(Rules)]verdict
	violations []Violation
}

// Violation says that an invariant was violated.
type Violation struct {
	ID      string // I1 to I19; D0 to D5 for a vote that depends on something not durable; E1 for false evidence
	Replica wire.ReplicaID
	What    string
}

func (v *Violation) String() string { return fmt.Sprintf("%s: %s", v.ID, v.What) }

// maxViolations bounds how many violations are kept. The first one matters; the others help to understand it.
const maxViolations = 32

// DefaultEvery is how often signatures are verified again, unless VerifyEvery says otherwise.
const DefaultEvery = 32

// NewMonitor returns a monitor for a run that has not begun. Self in the configuration is ignored. Correct reports
// whether a replica follows the protocol and has its disk; its answer may change from true to false. Holds reports
// whether all given claims have valid signatures; nil: signatures are not checked.
func NewMonitor(cfg *wire.Config, correct func(wire.ReplicaID) bool, holds func([]wire.Claim) bool) *Monitor {
	m := &Monitor{
		cfg: cfg, n: len(cfg.Members), correct: correct, holds: holds, every: DefaultEvery,
		order: newOrder(), clients: clients{sessions: make(map[wire.SessionID]*session)}, views: make(map[wire.View]bool),
	}
	if !cfg.Crash { // else nobody lies (F1)
		m.f = (m.n - 1) / 3
	}
	for 2*m.q < m.n+m.f+1 { // the least q of which any two sets share f+1 replicas
		m.q++
	}
	for id := range m.n {
		m.replicas = append(m.replicas, newObserved(wire.ReplicaID(id)))
	}
	return m
}

// VerifyEvery sets that one in so many messages and certificates has its signatures verified again; 1 stands for all.
func (m *Monitor) VerifyEvery(n int) { m.every = max(1, n) }

// of returns what is known about a correct replica, or nil for any other replica.
func (m *Monitor) of(id wire.ReplicaID) *observed {
	if int(id) >= m.n || !m.correct(id) {
		return nil
	}
	return m.replicas[id]
}

// checked counts one fact that was compared.
func (m *Monitor) checked(r rule) { m.facts[r].checked++ }

// breaks counts one compared fact, and reports whether it breaks the rule.
func (m *Monitor) breaks(r rule, broken bool) bool {
	m.facts[r].checked++
	return broken
}

func (m *Monitor) fail(r rule, replica wire.ReplicaID, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	m.facts[r].fail("%s", what)
	if len(m.violations) < maxViolations {
		m.violations = append(m.violations, Violation{ID: Rules[r].ID, Replica: replica, What: what})
	}
}

// Violation is the first violation, or nil.
func (m *Monitor) Violation() *Violation {
	if len(m.violations) == 0 {
		return nil
	}
	return &m.violations[0]
}

// Violations are the first violations, in the order in which they were noticed.
func (m *Monitor) Violations() []Violation { return m.violations }

// Views lists the views above 0 that became active somewhere, ascending.
func (m *Monitor) Views() []wire.View { return slices.Sorted(maps.Keys(m.views)) }
