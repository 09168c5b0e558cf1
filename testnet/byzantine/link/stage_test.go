package link_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/node"
	"tagma/internal/reach"
	"tagma/statemachine/kv"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/link"
	"tagma/testnet/local"
)

func TestMain(m *testing.M) {
	local.RunIfReplica()
	os.Exit(m.Run())
}

// stage is a cluster of real processes with an honest client. A test adds an attacker.
type stage struct {
	t       *testing.T
	cluster *local.Cluster
	honest  *client.Client
	puts    int
}

func newStage(t *testing.T) *stage {
	t.Helper()
	c, err := local.Create(local.Options{
		Dir: t.TempDir(), Replicas: 4, Clients: 2,
		// This is far longer than any step takes on a slow machine, so if the view changes, the attacker caused it.
		Protocol: cluster.Protocol{ViewTimeout: cluster.Duration{Duration: 8 * time.Second}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, cluster: c}
	if err := c.WaitReady(s.within(), c.Running()...); err != nil {
		t.Fatal(err)
	}
	s.honest = s.dial(s.key(c.ClientKey(1)))
	return s
}

func (s *stage) within() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	s.t.Cleanup(cancel)
	return ctx
}

func (s *stage) key(path string) *crypto.PrivateKey {
	s.t.Helper()
	key, err := crypto.ReadKey(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

// keyOf returns the key of replica 3, or of a client that is used only for attacks.
func (s *stage) keyOf(who string) *crypto.PrivateKey {
	s.t.Helper()
	if who == "replica" {
		return s.key(filepath.Join(s.cluster.Home(3), node.KeyFile))
	}
	return s.key(s.cluster.ClientKey(2))
}

func (s *stage) dial(key *crypto.PrivateKey) *client.Client {
	s.t.Helper()
	c, err := reach.Dial(s.within(), s.cluster.File, key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// attack begins an attack.
func (s *stage) attack(key *crypto.PrivateKey, choice byzantine.Choice) *link.Dormant {
	s.t.Helper()
	a := link.NewDormant(link.Options{
		File: s.cluster.File, Key: key, Choice: choice,
		Operation: func(n uint64) []byte { return kv.Put(lie(n), []byte{1}) },
	})
	if err := a.Wake(true); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = a.Wake(false) })
	return a
}

// stop ends an attack and returns its counts.
func (s *stage) stop(a *link.Dormant) link.Tally {
	s.t.Helper()
	if err := a.Wake(false); err != nil {
		s.t.Error(err)
	}
	return a.Told()
}

// lie returns the key that the n-th operation of a malicious client writes.
func lie(n uint64) []byte { return fmt.Appendf(nil, "lie/%06d", n) }

// put writes values with the honest client. The test fails unless all of them are acknowledged.
func (s *stage) put(n int) {
	s.t.Helper()
	for range n {
		s.puts++
		result, err := s.honest.Do(s.within(), kv.Put(fmt.Appendf(nil, "honest/%d", s.puts), []byte{1}))
		if err == nil {
			_, err = kv.DecodePut(result.Output())
		}
		if err != nil {
			s.t.Fatalf("put %d: %v", s.puts, err)
		}
	}
}

func (s *stage) reports() map[int]node.Report { return s.cluster.Ask(s.within(), s.cluster.Running()) }

// until waits until the attack's counts meet a condition.
func (s *stage) until(a *link.Dormant, what string, holds func(link.Tally) bool) link.Tally {
	s.t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for ctx := s.within(); ; {
		if holds(a.Told()) {
			return a.Told()
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			s.t.Fatalf("not reached: %s; %+v", what, a.Told())
		}
	}
}

// growth bounds how much an attack may add to a replica's resident memory. A frame may have 16 MiB and the window of a
// stream 4 MiB, and uncollected garbage may double their sum.
const growth = 512 << 20

// mustStand fails the test if a replica's memory grew too much, a view changed, or a replica ended.
func (s *stage) mustStand(before map[int]node.Report) map[int]node.Report {
	s.t.Helper()
	after := s.reports()
	if len(after) != 4 {
		s.t.Fatalf("%d replicas answer", len(after))
	}
	for id, r := range after {
		if r.ViewChanges != 0 {
			s.t.Errorf("replica %d entered %d views", id, r.ViewChanges)
		}
		if grown := r.ResidentBytes - before[id].ResidentBytes; grown > growth {
			s.t.Errorf("I14: the memory of replica %d grew by %d MiB", id, grown>>20)
		}
	}
	return after
}

func refusedBy(before, after map[int]node.Report, except int) (least uint64) {
	least = ^uint64(0)
	for id, r := range after {
		if id != except {
			least = min(least, r.Refused-before[id].Refused)
		}
	}
	return least
}
