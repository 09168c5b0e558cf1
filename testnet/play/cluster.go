package play

import (
	"context"
	"errors"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/fact"
	"tagma/testnet/links"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Cluster is what a scenario runs on: replicas, their links and clients. One goroutine calls its methods.
type Cluster interface {
	// Begin starts the clock; Load lets the clients begin.
	Begin()
	Load(ctx context.Context)
	// Now is the time since Begin, 0 before.
	Now() time.Duration
	// Pass lets the cluster run until something may have changed, or until the time until; 0 is no bound. It returns the
	// error of ctx, or ErrOver.
	Pass(ctx context.Context, until time.Duration) error

	// Do performs an event that is not about links. It returns later = true if the event waits for a moment within a
	// replica. In that case Touched reports whether that moment has come.
	Do(ctx context.Context, e *scenario.Event) (later bool, err error)
	// Say sends a message of a script that has waited for a fact.
	Say(ctx context.Context, l *scenario.Script) error
	// Ask makes a client send a request. Answers counts, for each outcome, the replicas that have answered it so far.
	Ask(ctx context.Context, r *scenario.Request) error
	Answers(r *scenario.Request) map[wire.Outcome]int
	// Happened reports whether one of the scenario's facts has happened by now.
	Happened(f fact.Fact) bool
	// Command changes the links.
	Command(ctx context.Context, c links.Command) error
	// Wake lets a malicious replica or client begin its behaviour, or stops it.
	Wake(ctx context.Context, m *scenario.Malicious, on bool) error
	// Touched reports whether an event, an attacker or a rule has had an effect by now (I18). It is given one of these:
	// the ID of a change of the links, a *scenario.Malicious, *scenario.Script, *scenario.Request or *scenario.Event. It
	// is true if that cannot be known.
	Touched(what any) bool

	// Work returns what the clients have done so far.
	Work() Work
	// Extend tells the clients whether the run needs operations beyond the workload, so that some are under way at every
	// event. The argument last is when the last event happened; after it one more operation is enough. It is negative
	// while further events are planned.
	Extend(more bool, last time.Duration)
	// Replicas returns the present status of every replica.
	Replicas() []Replica

	// EndWork lets operations under way finish, for at most a while.
	EndWork(patience time.Duration)
	// ReadBack reads the keys that clients wrote, as far as the verdict needs them.
	ReadBack(ctx context.Context, show Show) error
	// Stop ends the replicas. Their files remain.
	Stop()
	// Tap returns the trace in which the run records what it does to the cluster; nil without a trace.
	Tap() *trace.Tap
	// Remains returns what must be judged after everything has stopped.
	Remains() (*Remains, error)
	// Close ends everything that still runs.
	Close()
}

// ErrOver says that nothing more happens in a cluster, because a broken invariant ended the run.
var ErrOver = errors.New("the run is over")

// Work is what clients have done.
type Work struct {
	report.Operations
	Acks    []Ack // of acknowledged operations, in the order of their arrival
	Made    bool  // the workload sends nothing more, and every operation is answered
	Flying  int   // how many operations are under way
	Stopped bool  // the clients are stopped
}

// Replica is the status of a replica at one moment.
type Replica struct {
	report.Replica
	Up      bool // the replica runs and answers
	Primary bool // the replica says that it is the primary of its view
	View    uint64
	Active  bool // the replica's view is active
	Health  string
	Split   uint64 // a checkpoint that, as the replica says, can never be stable; 0: it knows of none
	Behind  bool   // the replica is so far behind that it needs a transfer of the state
	Counts  bool   // the replica runs and follows the protocol, so the run can wait for it
}

// Remains is what a cluster leaves to be judged.
type Remains struct {
	Invariants []check.Result // results for the protocol, and for what was read back
	Violated   bool           // an invariant broke while the cluster ran, and this ended the run
	Replicas   []Replica
	Views      int          // how many views above 0 became active
	Proofs     []Proof      // proofs that correct replicas hold
	Calls      []check.Call // the clients' history, nil if there is none to judge
	Order      []string     // operations in executed order, as far as the scenario asks for it
	Stopped    []int        // replicas that stopped by themselves
	Strange    []Strange    // events that nobody planned
	Strain     Strain       // how much processor time the machine kept from the processes
	Unclean    error        // why not all replicas stopped cleanly
	Course     Course       // what happened during the run, as far as expectations ask for it
	Failed     []error      // why scripts could not be sent
}

// Course is what happened during the run, for the expectations that ask for it.
type Course struct {
	Said     string              // the first message that Expect.Silent's replica sent while it had to be silent; "": none
	Executed string              // the first execution during Expect.NoExecutions; "": none
	Slots    map[wire.Seq]string // what correct replicas executed, in the form of scenario.Outcome.Slots
}

// Proof is evidence against a replica.
type Proof struct {
	Replica int
	Kind    string
	Holds   bool
}

// Strange is an event that was not planned, such as the end of a process.
type Strange struct {
	What string
	At   time.Duration
	Own  bool // a replica's process ended by its own decision
}
