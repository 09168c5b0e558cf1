package check

import (
	"fmt"
	"maps"
	"slices"

	"tagma/pbft/wire"
)

// Monitor holds the invariants against a run while it goes on. Whoever makes the run tells it what correct replicas do,
// and what clients accept; it knows nothing else of the run. Calls about replicas that are not correct are ignored. It is
// not safe for concurrent use.
//
// The order of the calls is the order of what happened: Stepped when the core returned, then Durable for each record that
// reached the disk, then Left for what went out, and Applied for what was executed. What a replica had not made durable
// when it stopped is forgotten at Restarted, and what it had, all but its word, at Forgot.
//
// Of a process that nobody can look into the journal tells the same: Read takes it, as often as one likes.
type Monitor struct {
	cfg     *wire.Config
	n, f, q int // counted here, not by pbft
	correct func(wire.ReplicaID) bool
	holds   func([]wire.Claim) bool
	every   int // of so many messages and certificates one has its signatures verified again
	seen    int

	replicas []*observed
	order    order
	changes  []*change // new views that became active somewhere, oldest first
	clients  clients
	read     bool               // journals were
	views    map[wire.View]bool // that became active somewhere

	facts      [len(Rules)]verdict
	violations []Violation
}

// Violation is an invariant that did not hold.
type Violation struct {
	ID      string // I1 to I19; D0 to D5 for a vote that rests on nothing durable, E1 for false evidence
	Replica wire.ReplicaID
	What    string
}

func (v *Violation) String() string { return fmt.Sprintf("%s: %s", v.ID, v.What) }

// maxViolations bounds how many are kept. The first one is what matters; the others help to understand it.
const maxViolations = 32

// DefaultEvery is how often signatures are verified again, unless VerifyEvery says otherwise.
const DefaultEvery = 32

// NewMonitor returns a monitor of a run that has not begun. Self of the configuration does not matter. Correct reports
// whether a replica follows the protocol and has its disk; it may change its answer from true to false. Holds reports
// whether all of the claims have valid signatures; nil: nobody knows, and signatures are not judged.
func NewMonitor(cfg *wire.Config, correct func(wire.ReplicaID) bool, holds func([]wire.Claim) bool) *Monitor {
	m := &Monitor{
		cfg: cfg, n: len(cfg.Members), correct: correct, holds: holds, every: DefaultEvery,
		order: newOrder(), clients: clients{sessions: make(map[wire.SessionID]*session)}, views: make(map[wire.View]bool),
	}
	m.f = (m.n - 1) / 3
	for 2*m.q < m.n+m.f+1 { // the least q of which any two sets share f+1 replicas
		m.q++
	}
	for id := range m.n {
		m.replicas = append(m.replicas, newObserved(wire.ReplicaID(id)))
	}
	return m
}

// VerifyEvery sets of how many messages and certificates one has its signatures verified again; 1 means all.
func (m *Monitor) VerifyEvery(n int) { m.every = max(1, n) }

// of returns what is known of a correct replica, nil of any other.
func (m *Monitor) of(id wire.ReplicaID) *observed {
	if int(id) >= m.n || !m.correct(id) {
		return nil
	}
	return m.replicas[id]
}

// checked counts one fact that was compared.
func (m *Monitor) checked(r rule) { m.facts[r].checked++ }

// breaks counts one fact that was compared, and says whether it breaks the rule.
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

// Violation is the first one, or nil.
func (m *Monitor) Violation() *Violation {
	if len(m.violations) == 0 {
		return nil
	}
	return &m.violations[0]
}

// Violations are the first ones, in the order in which they were noticed.
func (m *Monitor) Violations() []Violation { return m.violations }

// Views lists the views above 0 that became active somewhere, ascending.
func (m *Monitor) Views() []wire.View { return slices.Sorted(maps.Keys(m.views)) }
