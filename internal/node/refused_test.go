package node

import (
	"bytes"
	"encoding/hex"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tagma/client/status"

	"tagma/internal/cluster"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// hanging is a key-value store in which an operation on the key "endless" ends only when the test allows it.
type hanging struct {
	kv.Machine
	let chan struct{}
}

func (h hanging) Apply(tx statemachine.Txn, op []byte) []byte {
	if bytes.Contains(op, []byte("endless")) {
		<-h.let
	}
	return h.Machine.Apply(tx, op)
}

func (h hanging) Query(r statemachine.Reader, op []byte) []byte {
	if bytes.Contains(op, []byte("endless")) {
		<-h.let
	}
	return h.Machine.Query(r, op)
}

// hang makes all replicas execute a write that does not end. It returns the request's digest and a channel with the
// error that the client will get.
func (b *testbed) hang(l *load) (digest string, outcome <-chan error) {
	b.t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := kv.NewClient(l.c).Put(l.ctx, "endless", []byte("x"))
		done <- err
	}()
	b.until("all hang in one request", func([]Report) bool {
		names := make(map[string]bool)
		for _, n := range b.nodes {
			digest, _ = n.instance.Load().machine.underWay()
			names[digest] = true
		}
		return len(names) == 1 && digest != ""
	})
	return digest, done
}

// refuse saves a cluster file with a list of refused requests.
func (b *testbed) refuse(name string, digests ...string) {
	b.t.Helper()
	file := *b.fresh.File
	for _, digest := range digests {
		var k cluster.Key
		if err := k.UnmarshalText([]byte(digest)); err != nil {
			b.t.Fatal(err)
		}
		file.Refused = append(file.Refused, k)
	}
	if err := file.Save(filepath.Join(b.dir, name)); err != nil {
		b.t.Fatal(err)
	}
}

// giveUp stops replicas whose execution hangs. Then it lets the hanging operations end, as the end of a real process
// would.
func (b *testbed) giveUp(let chan struct{}, replicas ...int) {
	b.t.Helper()
	var stopped []*running
	for _, i := range replicas {
		r := b.nodes[i]
		r.stop()
		var stuck *Stuck
		if err := <-r.done; !errors.As(err, &stuck) || stuck.Seq == 0 || stuck.Request == "" {
			b.t.Errorf("replica %d stopped: %v", i, err)
		}
		stopped, b.nodes[i] = append(stopped, r), nil
	}
	close(let)
	for _, r := range stopped {
		r.lingering.Wait()
	}
}

// An operation that never ends stops a cluster. The cluster continues when all replicas refuse the request. Some of them
// execute the batch again from their journals, and one fetches the state. They refuse links with a replica that does not
// refuse the request.
func TestC9_AClusterGetsOutOfAnEndlessOperation(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	let := make(chan struct{})
	hangs := func(let chan struct{}) Options {
		return Options{Machine: hanging{let: let}, batchPatience: 100 * time.Millisecond}
	}
	for i := range b.nodes {
		b.start(i, hangs(let))
	}
	l := b.load()
	l.put(3, 8)
	digest, outcome := b.hang(l)
	b.because(status.CauseExecuting, "executing batch 4 for", digest)
	b.giveUp(let, 0, 1, 2, 3)

	b.refuse("cluster.toml", digest)
	b.refuse("before.toml")
	b.adjust(3, func(s *Settings) { s.Cluster = "../before.toml" })
	let = make(chan struct{})
	var here, there lines
	log := func(l *lines) *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
	for i := range 3 {
		opt := hangs(let)
		opt.Logger = log(&here)
		b.start(i, opt)
	}
	opt := hangs(let)
	opt.Logger = log(&there)
	b.start(3, opt)
	if err := <-outcome; !errors.Is(err, statemachine.ErrUnwanted) {
		t.Errorf("its client is told %v", err)
	}
	b.until("both sides say why they are apart", func(rs []Report) bool {
		return here.contain("replica 3 (") && here.contain(otherRefused) && there.contain(otherRefused) &&
			strings.HasSuffix(rs[3].Health, "another list of refused requests have replicas 0 1 2")
	})
	b.nodes[3].stop()
	if err := <-b.nodes[3].done; err != nil {
		t.Errorf("replica 3, which never got as far, stopped: %v", err)
	}
	b.nodes[3] = nil
	l.renew()
	l.grow(0, 1, 2)

	b.adjust(3, func(s *Settings) { s.Cluster = DefaultClusterFile })
	b.start(3, hangs(let))
	l.put(8, 8)
	b.level(4)
	if found, err := kv.NewClient(l.c).Prefix(l.ctx, "end", 1); err != nil || len(found.Pairs) > 0 {
		t.Errorf("of the refused write there is %v, %v", found.Pairs, err)
	}
}

// D5: if the execution of a request has ended on this replica, the answer may have been sent. So the replica must not
// refuse the request afterwards, even if its batch is above every checkpoint.
func TestD5_AReplicaWhereARequestEndedDoesNotRefuseIt(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	let := make(chan struct{})
	for i := range b.nodes {
		b.start(i, Options{Machine: hanging{let: let}})
	}
	l := b.load()
	digest, outcome := b.hang(l)
	close(let)
	if err := <-outcome; err != nil {
		t.Fatal(err)
	}
	b.until("it ended everywhere", func(rs []Report) bool {
		return rs[0].Executed > 0 && rs[1].Executed > 0 && rs[2].Executed > 0 && rs[3].Executed > 0
	})
	b.stopAll()
	b.refuse("cluster.toml", digest)
	var ended *statemachine.EndedError
	if _, err := Open(b.home(0), Options{}); !errors.As(err, &ended) || hex.EncodeToString(ended.Digest[:]) != digest {
		t.Fatalf("a replica where it ended: %v", err)
	}
	b.refuse("cluster.toml", strings.Repeat("ab", 32))
	b.startAll()
	l.renew()
	if v, err := kv.NewClient(l.c).Get(l.ctx, "endless"); err != nil || string(v) != "x" {
		t.Errorf("what was answered: %q, %v", v, err)
	}
}
