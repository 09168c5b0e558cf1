package concepts

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// This file compares consensus protocols. It measures the same core in both fault models, and records a run of the
// crash-fault mode in the terms of Paxos, viewstamped replication and Raft. docs/consensus.md contains both.

// Cost is what one operation of a client costs a cluster in which nothing fails.
type Cost struct {
	Crash    bool          `json:"crash"` // the fault model; else byzantine
	Replicas int           `json:"replicas"`
	Masks    int           `json:"masks"` // replicas that may fail
	Messages float64       `json:"messages"`
	Syncs    float64       `json:"syncs"`      // of all disks together
	Backup   float64       `json:"syncs_each"` // of one backup's disk
	Latency  time.Duration `json:"latency_ns"` // until the client believes the answer
}

// Delays of the measured clusters: of every link, and of every sync.
const (
	CostLink  = time.Millisecond
	costSync  = 2 * time.Millisecond
	costCalls = 200
)

// Costs measures clusters of both fault models that mask one fault and two.
func Costs() (all []Cost, err error) {
	for _, c := range []Cost{{Crash: true, Replicas: 3}, {Crash: true, Replicas: 5}, {Replicas: 4}, {Replicas: 7}} {
		if err := c.measure(); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// ordering are the messages that order an operation; others, such as statuses, are also sent without any operation.
var ordering = map[string]bool{"pre-prepare": true, "prepare": true, "commit": true}

func (c *Cost) measure() error {
	var messages, syncs, backup int
	run := quiet{crash: c.Crash, replicas: c.Replicas, sync: costSync, hear: func(e trace.Event) {
		switch e := e.(type) {
		case *trace.Sent:
			if e.To != trace.None && ordering[wire.Describe(trace.About(e)).Type] {
				messages++
			}
		case *trace.Synced:
			if syncs++; e.Replica == 1 {
				backup++
			}
		}
	}}
	w, err := run.begin()
	if err != nil {
		return err
	}
	if _, err := put(w, 0); err != nil { // the session begins
		return err
	}
	messages, syncs, backup = 0, 0, 0
	for i := range costCalls {
		took, err := put(w, i+1)
		if err != nil {
			return err
		}
		c.Latency += took / costCalls
	}
	c.Masks = (&sim.Plan{Replicas: c.Replicas, Crash: c.Crash}).Masks()
	c.Messages, c.Syncs, c.Backup = float64(messages)/costCalls, float64(syncs)/costCalls, float64(backup)/costCalls
	return nil
}

// quiet is a simulated cluster with one client, which does what it is told.
type quiet struct {
	crash    bool
	replicas int
	sync     time.Duration
	hear     func(trace.Event)
}

func (q *quiet) begin() (*sim.World, error) {
	o := sim.Options{
		Seed: 1, Replicas: q.replicas, Clients: 1, Workload: sim.Workload{Kind: sim.None, NoHedging: true}, Trace: q.hear, TraceLines: -1,
		Sync: q.sync,
	}
	o.Base.Delay = CostLink
	o.Config.Crash, o.Config.CheckpointInterval, o.Config.LogWindow = q.crash, 1024, 2048
	return sim.New(o)
}

// put makes the client write once, and waits for the answer.
func put(w *sim.World, i int) (time.Duration, error) {
	o := w.Submit(0, [][]byte{kv.Put(fmt.Appendf(nil, "key%d", i), []byte("value"))}, false)
	err := w.RunUntilTrue(time.Minute, "an answer", func() bool { return o.Known })
	return o.Returned - o.Invoked, err
}

// CostTable returns the measurements of Costs as docs/consensus.md contains them.
func CostTable(all []Cost) string {
	var b strings.Builder
	b.WriteString("| fault model | replicas | masks | messages | syncs of all disks | of one backup | latency |\n|---|---|---|---|---|---|---|\n")
	for _, c := range all {
		model := "byzantine: PBFT"
		if c.Crash {
			model = "crash"
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %.1f | %.1f | %.2f | %.1f ms |\n", model, c.Replicas, c.Masks, c.Messages, c.Syncs, c.Backup,
			float64(c.Latency)/float64(time.Millisecond))
	}
	return b.String()
}

// words are the names by which Paxos, viewstamped replication and Raft call a message of the crash-fault mode.
type words struct{ paxos, vr, raft string }

var inOtherWords = map[string]words{
	"pre-prepare": {"accept (phase 2a), by the proposer", "Prepare, by the primary", "AppendEntries, by the leader"},
	"commit":      {"accepted (phase 2b), by an acceptor to all learners", "PrepareOK, to all", "reply to AppendEntries, to all"},
	"suspect":     {"none: who proposes next is outside Paxos", "StartViewChange", "the election timeout"},
	"view-change": {"promise (phase 1b), with what was accepted", "DoViewChange", "RequestVote and its reply, with the log in it"},
	"new-view":    {"accept (phase 2a) for every open slot", "StartView", "the new leader's log"},
}

// Story is a run of three replicas of the crash-fault mode, event by event: an operation, the death of the primary, the
// election of the next one, and another operation. Each message is named in the terms of the other protocols.
func Story() (string, error) {
	var lines []string
	last, began := "", int64(-1)
	run := quiet{crash: true, replicas: 3, sync: 200 * time.Microsecond, hear: func(e trace.Event) {
		at := trace.Of(e)
		line, others := "", words{}
		switch e := e.(type) {
		case *trace.Sent:
			m := wire.Describe(trace.About(e))
			if others = inOtherWords[m.Type]; e.To == trace.None || others == (words{}) {
				return
			}
			line = fmt.Sprintf("| r%d to all | %s |", at.Replica, m.Text())
		case *trace.Executed:
			line = fmt.Sprintf("| r%d | executes s%d |", at.Replica, e.Seq)
			others = words{"learns the value", "executes", "applies the entry"}
		case *trace.View:
			if e.Step != trace.Entered {
				return
			}
			line = fmt.Sprintf("| r%d | enters view %d |", at.Replica, e.View)
			others = words{"a ballot begins", "the view begins", "the term begins"}
		case *trace.Process:
			if e.Step != "crashed" {
				return
			}
			line = fmt.Sprintf("| r%d | crashes |", at.Replica)
			others = words{"a proposer stops", "the primary fails", "the leader fails"}
		default:
			return
		}
		if line == last { // this is the same message to another replica
			return
		}
		if last = line; began < 0 {
			began = at.At
		}
		lines = append(lines, fmt.Sprintf("| %.1f ms %s %s | %s | %s |", float64(at.At-began)/1000, line, others.paxos, others.vr, others.raft))
	}}
	w, err := run.begin()
	if err != nil {
		return "", err
	}
	_, first := put(w, 0)
	w.Crash(0, disk.Kill)
	_, second := put(w, 1)
	return "| at | who | what | Paxos | viewstamped replication | Raft |\n|---|---|---|---|---|---|\n" + strings.Join(lines, "\n") + "\n",
		errors.Join(first, second)
}

// ConsensusPage returns the part of docs/consensus.md that is measured and recorded.
func ConsensusPage() (string, error) {
	costs, err := Costs()
	if err != nil {
		return "", err
	}
	story, err := Story()
	return fmt.Sprintf("\n## What an operation costs\n\n%s\n## A recorded run\n\n%s", CostTable(costs), story), err
}
