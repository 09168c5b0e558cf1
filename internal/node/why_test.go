package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tagma/client/status"
	"tagma/internal/cluster"
	"tagma/internal/reach"
	"tagma/pbft/driver"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
)

// causes returns the reasons for which nothing commits, from the reports of the replicas that run.
func (b *testbed) causes() []status.Cause {
	b.t.Helper()
	answers := make([]status.Answer, len(b.nodes))
	for i, n := range b.nodes {
		answers[i] = status.Answer{Replica: i, Err: errors.New("connection refused")}
		if n == nil {
			continue
		}
		document, err := json.Marshal(n.Report())
		if err != nil {
			b.t.Fatal(err)
		}
		answers[i].Document, answers[i].Err = document, nil
	}
	return status.Judge(status.Cluster{Quorum: b.quorum()}, answers).Why()
}

func (b *testbed) quorum() int {
	b.t.Helper()
	cfg, err := b.fresh.File.Config(0)
	if err != nil {
		b.t.Fatal(err)
	}
	return cfg.Quorum()
}

// because waits until the reports give a certain cause, with a text that contains these words.
func (b *testbed) because(code status.Code, words ...string) {
	b.t.Helper()
	var last []status.Cause
	defer func() {
		if b.t.Failed() {
			b.t.Logf("the last causes: %+v", last)
		}
	}()
	b.until("the cause is "+string(code), func([]Report) bool {
		last = b.causes()
		if len(last) == 0 || last[0].Code != code {
			return false
		}
		for _, w := range words {
			if !strings.Contains(last[0].Text, w) {
				return false
			}
		}
		return true
	})
}

// silencer drops certain messages of a replica, once it is told to.
type silencer struct {
	driver.Transport
	on   *atomic.Bool
	says func(m wire.Message) bool
}

func (s silencer) Send(to wire.ReplicaID, frame []byte) {
	if m, err := wire.Decode(frame); err == nil && (!s.on.Load() || s.says(m)) {
		s.Transport.Send(to, frame)
	}
}

// but reports whether a message has none of these types.
func but(types ...wire.Type) func(wire.Message) bool {
	return func(m wire.Message) bool { return !slices.Contains(types, wire.TypeOf(m)) }
}

func nothing(wire.Message) bool { return false }

// The test makes running replicas withhold one kind of message, after they have agreed on a state, while a client sends
// requests. The reports must name the cause.
func TestWhy_NamesWhatRunningReplicasWaitFor(t *testing.T) {
	t.Parallel()
	patient := small // so that the view does not change meanwhile
	patient.ViewTimeout = cluster.Duration{Duration: 60 * time.Second}
	for name, c := range map[string]struct {
		protocol cluster.Protocol
		says     map[int]func(wire.Message) bool
		hours    int // by how many hours the clock of replica 0 is ahead
		halt     []int
		code     status.Code
		words    []string
	}{
		"two of four dead": {
			protocol: small, halt: []int{2, 3},
			code: status.CauseNoQuorum, words: []string{"2 of 4 replicas answer, and 3 are needed", "replica 2, away for", "replica 3, away for"},
		},
		"a primary that is silent": {
			protocol: small, says: map[int]func(wire.Message) bool{0: nothing, 1: but(wire.TypeSuspect), 2: but(wire.TypeSuspect), 3: but(wire.TypeSuspect)},
			code: status.CausePrimarySilent, words: []string{"replicas 1, 2, 3 heard nothing of replica 0, the primary of view 0, for"},
		},
		"a window that lacks checkpoint votes": {
			protocol: patient, says: map[int]func(wire.Message) bool{2: but(wire.TypeCheckpoint), 3: but(wire.TypeCheckpoint)},
			code: status.CauseNoCheckpoint, words: []string{"has the votes of replicas 0, 1", "and needs 3; replicas"},
		},
		"a batch that lacks commits": {
			protocol: patient, says: map[int]func(wire.Message) bool{2: but(wire.TypeCommit), 3: but(wire.TypeCommit)},
			code: status.CauseNoVotes, words: []string{"is prepared and waits for commits: there are those of replicas"},
		},
		"a batch that lacks prepares": {
			protocol: patient, says: map[int]func(wire.Message) bool{1: but(wire.TypePrepare), 2: but(wire.TypePrepare), 3: but(wire.TypePrepare)},
			code: status.CauseNoVotes, words: []string{"waits for prepares: there are those of replicas"},
		},
		"a view change that lacks a ViewChange": {
			protocol: small, says: map[int]func(wire.Message) bool{0: nothing, 2: but(wire.TypeViewChange)},
			code: status.CauseNoViewChange, words: []string{"needs the ViewChange messages of 3: its primary, replica 1, has those of replicas 1, 3, and none of replicas 0, 2"},
		},
		"a new view that is not started": {
			protocol: small, says: map[int]func(wire.Message) bool{0: nothing, 1: but(wire.TypeNewView), 2: but(wire.TypeSuspect), 3: but(wire.TypeSuspect)},
			code: status.CauseNoNewView, words: []string{"replica 1, the primary of view 1, has not started it"},
		},
		"clocks that are apart": {
			protocol: patient, hours: 1,
			code: status.CauseClocksApart, words: []string{"the clock of replica 0, the primary, is", "further ahead of that of replicas 1, 2, 3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, 4, c.protocol)
			var on atomic.Bool
			var hours atomic.Int64
			for i := range b.nodes {
				opt := Options{}
				if says := c.says[i]; says != nil {
					opt.Transport = func(under driver.Transport) driver.Transport { return silencer{under, &on, says} }
				}
				if i == 0 {
					opt.Wall = func() time.Time { return time.Now().Add(time.Duration(hours.Load()) * time.Hour) }
				}
				b.start(i, opt)
			}
			l := b.load()
			l.put(16, 8)
			b.level(4)
			on.Store(true)
			hours.Store(int64(c.hours))
			for _, i := range c.halt {
				b.halt(i)
			}
			ctx, stop := context.WithCancel(l.ctx)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for i := 0; ctx.Err() == nil; i++ {
					_, _ = kv.NewClient(l.c).Put(ctx, fmt.Sprint("more", i), nil)
				}
			}()
			b.because(c.code, c.words...)
			stop()
			<-ended
		})
	}
}

func TestWhy_NamesTheWrongClusterFile(t *testing.T) {
	t.Parallel()
	b, other := newTestbed(t, 4, small), newTestbed(t, 4, small)
	b.startAll()
	b.load().put(1, 8)
	file := *other.fresh.File
	file.Replicas = b.fresh.File.Replicas
	s, err := reach.Inquire(t.Context(), &file, b.fresh.Clients[0])
	if err != nil {
		t.Fatal(err)
	}
	if causes := s.Why(); len(causes) == 0 || causes[0].Code != status.CauseOtherCluster {
		t.Errorf("%+v", causes)
	}
}
