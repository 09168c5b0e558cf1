package comeback

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/testnet/links"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/play/processes"
	"tagma/testnet/scenario"
)

const (
	replicas = 4
	victim   = replicas - 1 // the replica that comes back
)

// stage is the cluster of one case with its clients.
type stage struct {
	*processes.Cluster
	ctx    context.Context
	o      *Options
	show   play.Show
	result *Case
	marks  marks
	k      int          // the cluster's checkpoint interval
	agreed play.Replica // the reports of all replicas when the case was over
}

// begin makes the cluster of a case and fills it with the state. In a case in which all replicas take part from the
// start, it then orders so many batches that no replica keeps the first ones any more.
func (s *stage) begin(t trial, dir string) {
	protocol, workers := s.o.protocol(t.large), s.o.Workers
	if t.large {
		workers = max(workers, largeWorkers)
	}
	s.k = protocol.CheckpointInterval
	c, err := processes.Engine{
		StartWithin: s.o.Within, MayStall: s.o.Within / 2, SegmentBytes: node.DefaultSegmentBytes,
	}.Open(s.ctx, &scenario.Scenario{
		File: t.name, Name: t.name, Replicas: replicas, Seed: 1, Absent: t.absent, Settings: protocol, Events: t.events,
		Workload: scenario.Workload{
			Kind: scenario.KindPut, Clients: s.o.Sessions, InFlight: workers / s.o.Sessions, Keys: s.o.Keys, ValueBytes: s.o.ValueBytes,
		},
	}, dir, play.Trace{}, s.show)
	s.must(err)
	s.Cluster = c
	c.Begin()
	c.Load(s.ctx)
	if len(t.absent) == 0 && !t.large {
		s.leaveBehind(farBehind)
	}
}

// happening returns an event that hits replicas.
func happening(what string, ids ...int) scenario.Event {
	e := scenario.Event{Do: what}
	for _, id := range ids {
		e.Targets = append(e.Targets, wire.ReplicaID(id))
	}
	return e
}

// do performs an event on replicas.
func (s *stage) do(what string, ids ...int) {
	e := happening(what, ids...)
	_, err := s.Do(s.ctx, &e)
	s.must(err)
}

// stop ends replicas cleanly, all of them if none is named.
func (s *stage) stop(ids ...int) { s.must(s.End(ids...)) }

// restart runs a replica again and waits until it answers.
func (s *stage) restart(id int) {
	s.do(scenario.Restart, id)
	s.until("the replica to answer", []int{id}, func(v view) string {
		if len(v) == 0 {
			return fmt.Sprintf("replica %d does not answer", id)
		}
		return ""
	})
}

// wipe kills a replica, empties its data directory, and starts it again. Key, life and settings stay.
func (s *stage) wipe(id int) {
	s.do(scenario.Wipe, id)
	s.do(scenario.Restart, id)
}

// slow limits the speed of the links to the victim so that the transfer of the whole state takes about as long as lasts.
// So there is time to do something in the middle of the transfer. No link is slower than slowestLink; therefore a small
// state takes less time. slow returns how long the transfer takes at least.
func (s *stage) slow(lasts time.Duration) (atLeast time.Duration) {
	const donors = replicas - 1
	bytes := max(s.o.payload()/donors/lasts.Seconds(), slowestLink)
	if s.o.LinkBytes > 0 {
		bytes = float64(s.o.LinkBytes)
	}
	s.must(s.Command(s.ctx, links.Command{
		Do: links.DoLink, From: []wire.ReplicaID{0, 1, 2}, To: []wire.ReplicaID{victim}, Link: links.Link{Bandwidth: int64(bytes)},
	}))
	return time.Duration(s.o.payload() / donors / bytes * float64(time.Second))
}

// slowestLink is in bytes a second. A receiver has four answers of up to 1 MiB under way from each donor, and asks
// again for one that has not come within half a view timeout.
const slowestLink = 10 << 20

// unslow ends slow.
func (s *stage) unslow() { s.must(s.Command(s.ctx, links.Command{Do: links.DoHeal})) }

// farBehind is more log windows than replicas keep for those that lag (X0: three).
const farBehind = 5

// leaveBehind orders so many log windows of batches, and returns how many batches these were.
func (s *stage) leaveBehind(windows int) uint64 {
	before := s.executed()
	return s.overwrite(0, before+s.o.windows(windows)) - before
}

// logged is what a replica has written to its log so far.
func (s *stage) logged(id int) string {
	text, err := os.ReadFile(filepath.Join(s.Local().Home(id), local.LogFile))
	s.must(err)
	return string(text)
}

// logs reports whether a replica has written a text to its log after the log held only before.
func (s *stage) logs(id int, what, before string) bool {
	return strings.Contains(strings.TrimPrefix(s.logged(id), before), what)
}

var everybody = []int{0, 1, 2, 3}

// others lists all replicas but some.
func others(but ...int) []int {
	return slices.DeleteFunc(slices.Clone(everybody), func(id int) bool { return slices.Contains(but, id) })
}
