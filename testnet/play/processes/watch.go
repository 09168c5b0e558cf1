package processes

import (
	"context"
	"slices"
	"sync"
	"time"

	"tagma/crypto"
	"tagma/internal/node"
	"tagma/internal/replica"
	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// watcher observes the replicas of a running cluster: it asks for their reports, reads their journals, and records when
// one of them ends. Its methods may be called from any goroutine.
type watcher struct {
	s     *scenario.Scenario
	local *local.Cluster
	say   func(kind play.Kind, format string, args ...any)

	mu       sync.Mutex
	seen     []observation // by replica
	journals *check.Monitor
	unread   error // why the last reading of a correct replica's journal failed
	dead     []local.Death
}

// observation is what the watcher knows about a replica.
type observation struct {
	state   condition
	trusted bool // its reports and its journal are judged
	damaged bool // its disk was damaged on purpose, so it may end by itself
	struck  bool // an event made it forget what it signed

	report       node.Report // the last one
	at           time.Time   // when the watcher asked for the report
	rss, journal int64       // the largest seen, in bytes
}

// condition says whether a replica's process runs. If it does not, condition says what ended or paused it.
type condition string

const (
	up      condition = ""        // it runs
	down    condition = "down"    // the run ended it
	halted  condition = "paused"  // the run paused it
	stopped condition = "stopped" // it ended by itself
	killed  condition = "killed"  // a signal ended it that this run did not send
)

const (
	reportsEvery  = 100 * time.Millisecond
	journalsEvery = 500 * time.Millisecond
	verifyEvery   = 16 // the signatures of one certificate in this many are verified again
	readingShare  = 20 // at most one part in this many of the time goes into reading journals
)

func newWatcher(c *local.Cluster, cfg *wire.Config, s *scenario.Scenario, say func(play.Kind, string, ...any)) *watcher {
	w := &watcher{s: s, local: c, say: say, seen: make([]observation, s.Replicas)}
	verifier, all := crypto.NewVerifier(0, nil), func(wire.ReplicaID) bool { return true } // only for correct ones
	w.journals = check.NewMonitor(cfg, all, replica.Holds(verifier))
	w.journals.VerifyEvery(verifyEvery)
	for id := range w.seen {
		at, turns := s.Turns(wire.ReplicaID(id))
		w.seen[id].trusted = !slices.Contains(s.Faulty(), wire.ReplicaID(id)) || turns && at > 0
	}
	return w
}

// run asks for reports and reads journals, again and again, until ctx ends.
func (w *watcher) run(ctx context.Context) {
	reports, journals := time.NewTicker(reportsEvery), time.NewTimer(journalsEvery)
	defer reports.Stop()
	defer journals.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-w.local.Deaths():
			w.died(d)
		case <-reports.C:
			w.look()
		case <-journals.C:
			// A running replica may write to its journal while it is read. So an error counts only in the last reading,
			// after Stop.
			began := time.Now()
			w.readJournals()
			journals.Reset(max(journalsEvery, readingShare*time.Since(began)))
		}
	}
}

// look records what the running replicas report.
func (w *watcher) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.seen {
		x := &w.seen[id]
		if r, asked, _ := w.local.Report(id); asked.After(x.at) {
			x.report, x.at = r, asked
			x.rss, x.journal = max(x.rss, r.ResidentBytes), max(x.journal, r.JournalBytes)
		}
	}
}

// died records that a process has ended which this run did not end: either a signal from elsewhere ended it, or it ended
// itself.
func (w *watcher) died(d local.Death) {
	w.mu.Lock()
	w.dead = append(w.dead, d)
	x := &w.seen[d.Replica]
	if x.state = killed; d.Own {
		x.state = stopped
	}
	expected := x.damaged
	w.mu.Unlock()
	switch {
	case d.Own && expected:
		w.say(play.Note, "replica %d noticed what was done to its disk and stopped: %s", d.Replica, d.Last)
	case d.Own:
		w.say(play.Bad, "%v", d)
	default:
		w.say(play.Bad, "%v, not by this run: it is not waited for any more", d)
	}
}

// change changes what is known of replicas.
func (w *watcher) change(ids []int, how func(*observation)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		how(&w.seen[id])
	}
}

// set sets the condition of replicas.
func (w *watcher) set(c condition, ids ...int) { w.change(ids, func(x *observation) { x.state = c }) }

// damage records that replicas may end by themselves because of their disks.
func (w *watcher) damage(ids []int) { w.change(ids, func(x *observation) { x.damaged = true }) }

// strike records that replicas were made to forget what they signed.
func (w *watcher) strike(ids []int) { w.change(ids, func(x *observation) { x.struck = true }) }

// all lists the replicas of which something holds.
func (w *watcher) all(holds func(*observation) bool) (ids []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.seen {
		if holds(&w.seen[id]) {
			ids = append(ids, id)
		}
	}
	return ids
}

// are lists the replicas that are in a given condition.
func (w *watcher) are(c condition) []int {
	return w.all(func(x *observation) bool { return x.state == c })
}

// turns records that a replica is malicious from now on. Its journal is read and judged a last time.
func (w *watcher) turns(id int) {
	w.readJournals()
	w.change([]int{id}, func(x *observation) { x.trusted = false })
}

// distrustForgetful stops judging replicas that report that they may have forgotten, and replicas that an event made
// forget and that are down.
func (w *watcher) distrustForgetful() {
	w.change(w.all(func(x *observation) bool { return x.forgotten() || x.struck && x.state == down }), func(x *observation) { x.trusted = false })
}

// forgotten reports whether a replica's last report says that it may have forgotten what it signed.
func (w *watcher) forgotten(id int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[id].forgotten()
}

func (x *observation) forgotten() bool {
	return x.report.Recovery != nil && x.report.Recovery.Phase == node.PhaseForgotten
}

// ended reports whether each of some replicas ended by itself at some time.
func (w *watcher) ended(ids []int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !slices.ContainsFunc(ids, func(id int) bool {
		return !slices.ContainsFunc(w.dead, func(d local.Death) bool { return d.Own && d.Replica == id })
	})
}

// Replicas implements play.Cluster.
func (c *Cluster) Replicas() []play.Replica {
	w := c.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]play.Replica, len(w.seen))
	for id := range w.seen {
		x, out := &w.seen[id], &all[id]
		r := &x.report
		lies := slices.Contains(c.s.Faulty(), wire.ReplicaID(id))
		out.ID, out.Correct, out.Role = id, !lies && x.state != killed, x.role(c.local.Malicious(id))
		out.Executed, out.Stable, out.StateDigest = r.Executed, r.StableCheckpoint, r.StateDigest
		out.ResidentBytes, out.JournalPeak, out.Refused = x.rss, x.journal, r.Refused
		out.Up = x.state == up && time.Since(x.at) < time.Second
		out.View, out.Active, out.Primary, out.Health = r.View, r.Active, r.Primary == id, r.Health
		out.Behind, out.Split = r.LeftBehind, r.Split
		out.Counts = (x.trusted || c.s.RolledBack(wire.ReplicaID(id))) && (x.state == up || x.state == halted)
		switch {
		case x.state != up:
			out.Health = string(x.state)
		case !out.Up:
			out.Health = "does not answer"
		}
	}
	return all
}

// role describes a replica in a word or two.
func (x *observation) role(malicious bool) string {
	switch {
	case malicious:
		return "malicious"
	case x.state == up && x.forgotten():
		return "waits for others"
	case x.state == up || x.state == halted:
		return "correct"
	default:
		return string(x.state)
	}
}
