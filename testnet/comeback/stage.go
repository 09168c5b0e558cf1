package comeback

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tagma/client"
	"tagma/crypto"
	"tagma/pbft/wire"
	"tagma/testnet/links"
	"tagma/testnet/local"
	"tagma/testnet/play"
)

const (
	replicas = 4
	victim   = replicas - 1 // the replica that comes back
	dataDir  = "data"       // in a home: journal, state and evidence, and nothing else
)

// stage is the cluster of one case with its clients.
type stage struct {
	ctx      context.Context
	o        *Options
	show     play.Show
	result   *Case
	cluster  *local.Cluster
	sessions []*client.Client
	ledger   *ledger
	marks    marks
}

// newStage makes a cluster of which no replica runs yet. Close must follow.
func newStage(ctx context.Context, o *Options, dir string, result *Case, show play.Show) (*stage, error) {
	c, err := local.Create(local.Options{
		Dir: dir, Replicas: replicas, Protocol: o.protocol(), Seed: 1, Admin: true, Data: dataDir,
	})
	if err != nil {
		return nil, err
	}
	return &stage{
		ctx: ctx, o: o, show: show, result: result, cluster: c, ledger: newLedger(o.Keys, o.ValueBytes), marks: marks{},
	}, nil
}

// close ends clients and replicas. The files stay.
func (s *stage) close() {
	for _, c := range s.sessions {
		_ = c.Close() // what they wrote is judged already
	}
	s.cluster.Close()
}

// data is the data directory of a replica.
func (s *stage) data(id int) string { return filepath.Join(s.cluster.Home(id), dataDir) }

// start runs replicas, waits until they say that nothing is wrong with them, and connects the clients if they are not yet.
func (s *stage) start(ids ...int) {
	s.must(s.cluster.Start(ids...))
	s.until("the replicas to be ready", ids, func(v view) string { return local.Unwell(v, ids) })
	if len(s.sessions) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Within)
	defer cancel()
	key, err := crypto.ReadKey(s.cluster.ClientKey(0))
	s.must(err)
	for range s.o.Sessions {
		c, err := client.DialCluster(ctx, s.cluster.File, key)
		s.must(err)
		s.sessions = append(s.sessions, c)
	}
}

// restart runs a replica again and waits until it answers.
func (s *stage) restart(id int) {
	s.must(s.cluster.Start(id))
	s.until("the replica to answer", []int{id}, func(v view) string {
		if _, answered := v[id]; !answered {
			return fmt.Sprintf("replica %d does not answer", id)
		}
		return ""
	})
}

// slow has the links to the victim carry the whole state in about so long, however fast the machine is: only so can
// something happen in the middle of the transfer of a small state. No link is slower than slowestLink; a transfer over
// it is therefore shorter than was asked for if the state is small, and slow returns how long it will last at least.
func (s *stage) slow(lasts time.Duration) (atLeast time.Duration) {
	const donors = replicas - 1
	bytes := max(s.o.payload()/donors/lasts.Seconds(), slowestLink)
	if s.o.LinkBytes > 0 {
		bytes = float64(s.o.LinkBytes)
	}
	s.order(links.Command{
		Do: links.DoLink, From: []wire.ReplicaID{0, 1, 2}, To: []wire.ReplicaID{victim}, Link: links.Link{Bandwidth: int64(bytes)},
	})
	return time.Duration(s.o.payload() / donors / bytes * float64(time.Second))
}

// slowestLink is in bytes a second. A receiver has four answers of up to 1 MiB under way from each donor, and asks
// again for one that has not come within half a view timeout.
const slowestLink = 10 << 20

// unslow ends slow.
func (s *stage) unslow() { s.order(links.Command{Do: links.DoHeal}) }

func (s *stage) order(c links.Command) {
	ctx, cancel := context.WithTimeout(s.ctx, local.Patience)
	defer cancel()
	s.must(s.cluster.Order(ctx, c))
}

// stop ends replicas cleanly, all of them if none is named.
func (s *stage) stop(ids ...int) { s.must(s.cluster.Stop(local.Patience, ids...)) }

// farBehind is more log windows than replicas keep for those that lag (X0: three).
const farBehind = 5

// begin runs all replicas, fills the state, and goes on until nobody can follow from the first batch on any more.
func (s *stage) begin() {
	s.start(everybody...)
	s.fill()
	s.leaveBehind(farBehind)
}

// leaveBehind has so many log windows of batches executed, and returns how many batches that were.
func (s *stage) leaveBehind(windows int) uint64 {
	before := s.executed()
	return s.advance(fewestKeys, 0, before+s.o.windows(windows)) - before
}

// wipe kills a replica, empties its data directory, and starts it again. Key, life and settings stay.
func (s *stage) wipe(id int) {
	s.cluster.Kill(id)
	s.must(errors.Join(os.RemoveAll(s.data(id)), os.Mkdir(s.data(id), 0o700), s.cluster.Start(id)))
}

// awaySuffix names where the data of a replica lie while they are taken from it.
const awaySuffix = ".away"

// takeAway moves the data of a stopped replica aside and leaves an empty directory: a disk that is not mounted.
func (s *stage) takeAway(id int) {
	s.must(errors.Join(os.Rename(s.data(id), s.data(id)+awaySuffix), os.Mkdir(s.data(id), 0o700)))
}

// bringBack undoes takeAway. The directory must still be empty.
func (s *stage) bringBack(id int) {
	s.must(errors.Join(os.Remove(s.data(id)), os.Rename(s.data(id)+awaySuffix, s.data(id))))
}

// logged is what a replica has written to its log so far.
func (s *stage) logged(id int) string {
	text, err := os.ReadFile(filepath.Join(s.cluster.Home(id), local.LogFile))
	s.must(err)
	return string(text)
}

var everybody = []int{0, 1, 2, 3}

// others lists all replicas but some.
func others(but ...int) []int {
	return slices.DeleteFunc(slices.Clone(everybody), func(id int) bool { return slices.Contains(but, id) })
}
