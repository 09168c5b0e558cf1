package comeback

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"time"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/node"
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
	admin    []string // by replica: where its report and metrics are
	sessions []*client.Client
	ledger   *ledger
	marks    marks
}

// newStage makes a cluster of which no replica runs yet. Close must follow.
func newStage(ctx context.Context, o *Options, dir string, result *Case, show play.Show) (*stage, error) {
	admin, err := adminAddresses(replicas)
	if err != nil {
		return nil, err
	}
	c, err := local.Create(local.Options{Dir: dir, Replicas: replicas, Protocol: o.protocol(), Seed: 1})
	if err != nil {
		return nil, err
	}
	s := &stage{
		ctx: ctx, o: o, show: show, result: result, cluster: c, admin: admin, ledger: newLedger(o.Keys, o.ValueBytes), marks: marks{},
	}
	for id := range replicas {
		settings := node.DefaultSettings()
		settings.Data, settings.Admin = dataDir, admin[id]
		if err := errors.Join(settings.Save(c.Home(id)), os.Mkdir(s.data(id), 0o700)); err != nil {
			c.Close()
			return nil, err
		}
	}
	return s, nil
}

// close ends clients and replicas. The files stay.
func (s *stage) close() {
	for _, c := range s.sessions {
		_ = c.Close() // what they wrote is judged already
	}
	s.cluster.Close()
}

// Ports of the admin addresses lie between those of the replicas and those of outgoing connections, so that nobody takes one
// while its replica is down.
const (
	lowestPort  = 32_000
	highestPort = 32_700
)

// adminAddresses finds n different addresses on which nobody listens now.
func adminAddresses(n int) (found []string, err error) {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", lowestPort+rand.IntN(highestPort-lowestPort))
		l, err := net.Listen("tcp4", address)
		if err != nil {
			continue
		}
		defer l.Close() //nolint:errcheck // held until all are chosen, so that none is chosen twice
		if found = append(found, address); len(found) == n {
			return found, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports were found from %d to %d on 127.0.0.1", n, lowestPort, highestPort)
}

// data is the data directory of a replica.
func (s *stage) data(id int) string { return filepath.Join(s.cluster.Home(id), dataDir) }

// start runs replicas, all of them if none is named, and connects the clients if they are not yet.
func (s *stage) start(ids ...int) error {
	if err := s.cluster.Start(ids...); err != nil {
		return err
	}
	if len(ids) == 0 {
		ids = everybody()
	}
	if err := s.ready(ids...); err != nil {
		return err
	}
	return s.dial()
}

// ready waits until replicas say that nothing is wrong with them.
func (s *stage) ready(ids ...int) error {
	_, err := s.until("the replicas to be ready", ids, func(v view) string { return local.Unwell(v, ids) })
	return err
}

func (s *stage) dial() error {
	if len(s.sessions) > 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Within)
	defer cancel()
	key, err := crypto.ReadKey(s.cluster.ClientKey(0))
	if err != nil {
		return err
	}
	for range s.o.Sessions {
		c, err := client.DialCluster(ctx, s.cluster.File, key)
		if err != nil {
			return err
		}
		s.sessions = append(s.sessions, c)
	}
	return nil
}

// slow has the links to the victim carry the whole state in about so long, however fast the machine is: only so can
// something happen in the middle of the transfer of a small state. No link is slower than slowestLink; a transfer over
// it is therefore shorter than was asked for if the state is small, and slow returns how long it will last at least.
func (s *stage) slow(lasts time.Duration) (atLeast time.Duration, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, local.Patience)
	defer cancel()
	const donors = replicas - 1
	bytes := max(s.o.payload()/donors/lasts.Seconds(), slowestLink)
	if s.o.LinkBytes > 0 {
		bytes = float64(s.o.LinkBytes)
	}
	return time.Duration(s.o.payload() / donors / bytes * float64(time.Second)), s.cluster.Order(ctx, links.Command{
		Do: links.DoLink, From: []wire.ReplicaID{0, 1, 2}, To: []wire.ReplicaID{victim}, Link: links.Link{Bandwidth: int64(bytes)},
	})
}

// slowestLink is in bytes a second. A receiver has four answers of up to 1 MiB under way from each donor, and asks
// again for one that has not come within half a view timeout.
const slowestLink = 10 << 20

// unslow ends slow.
func (s *stage) unslow() error {
	ctx, cancel := context.WithTimeout(s.ctx, local.Patience)
	defer cancel()
	return s.cluster.Order(ctx, links.Command{Do: links.DoHeal})
}

// stop ends replicas cleanly.
func (s *stage) stop(ids ...int) error { return s.cluster.Stop(local.Patience, ids...) }

// begin runs all replicas, fills the state, and goes on until nobody can follow from the first batch on any more.
func (s *stage) begin() error {
	if err := s.start(); err != nil {
		return err
	}
	if err := s.fill(); err != nil {
		return err
	}
	_, err := s.advance(fewestKeys, 0, s.executed()+s.o.windows(farBehind))
	return err
}

// farBehind is more log windows than replicas keep for those that lag (X0: three).
const farBehind = 5

// wipe kills a replica, empties its data directory, and starts it again. Key, life and settings stay.
func (s *stage) wipe(id int) error {
	s.cluster.Kill(id)
	if err := errors.Join(os.RemoveAll(s.data(id)), os.Mkdir(s.data(id), 0o700)); err != nil {
		return fmt.Errorf("empty the data of replica %d: %w", id, err)
	}
	return s.cluster.Start(id)
}

func everybody() []int { return others(replicas) }

// others lists all replicas but one.
func others(but int) (ids []int) {
	for id := range replicas {
		if id != but {
			ids = append(ids, id)
		}
	}
	return ids
}
