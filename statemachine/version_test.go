package statemachine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// program is a script machine of one release, which knows some versions. At version 2 it writes each value twice in a
// row, and at version 3 three times.
type program struct {
	script
	oldest, newest int
	// Called by Migrate instead of rewriting the values; nil: the values are rewritten.
	migrate func(tx statemachine.Txn)
}

func (p program) Init(tx statemachine.Txn) {
	tx.Put([]byte("began"), fmt.Appendf(nil, "%d at %d of %d by %02x", tx.Seq(), tx.Time().UnixNano(), tx.Index(), tx.Client()[0]))
}

func (p program) Versions() (oldest, newest int) { return p.oldest, p.newest }

func (p program) MayUpgrade(r statemachine.Reader, client [32]byte, _ int) bool {
	_, found := r.Get([]byte("began"))
	return found && client[0] == 'c'
}

func (p program) Migrate(tx statemachine.Txn, from int) {
	if p.migrate != nil {
		p.migrate(tx)
		return
	}
	for key, value := range tx.Range([]byte("k"), []byte("l")) {
		tx.Put(key, []byte(strings.Repeat(string(value[:1]), from+1)))
	}
}

func (p program) Apply(tx statemachine.Txn, op []byte) []byte {
	if word := strings.Fields(string(op)); word[0] == "set" {
		tx.Put([]byte(word[1]), []byte(strings.Repeat(word[2], tx.Version())))
		return fmt.Append(nil, tx.Version())
	}
	return p.script.Apply(tx, op)
}

func (p program) Query(r statemachine.Reader, op []byte) []byte {
	if string(op) == "version" {
		return fmt.Append(nil, r.Version())
	}
	return p.script.Query(r, op)
}

// wrapped is a machine that wraps another one.
type wrapped struct{ statemachine.Machine }

func (w wrapped) Unwrap() statemachine.Machine { return w.Machine }

// runs returns a replica that runs a program, from the state in a store after a sequence number.
func runs(t *testing.T, m statemachine.Machine, lim statemachine.Limits, store *memstore.Store, at uint64) (*replica, error) {
	t.Helper()
	s, err := statemachine.New(m, store, lim)
	if err != nil {
		t.Fatal(err)
	}
	return &replica{Service: s, t: t, store: store, lim: lim}, s.Load(at)
}

func mustRun(t *testing.T, m statemachine.Machine, lim statemachine.Limits) *replica {
	t.Helper()
	r, err := runs(t, m, lim, memstore.New(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func upgrade(session, t uint64, to int) statemachine.Request {
	return ask(session, t, string(statemachine.Upgrade(to)))
}

func TestInit_WritesTheFirstStateOnceInTheFirstBatchThatIsNotEmpty(t *testing.T) {
	lim := statemachine.Limits{FirstVersion: 1}
	m := wrapped{program{oldest: 1, newest: 1}}
	r := mustRun(t, m, lim)
	r.apply(statemachine.Batch{Seq: 1})
	expect(t, r.apply(statemachine.Batch{Seq: 2, Time: 7, Requests: []statemachine.Request{ask(1, 1, "index", "get began")}}),
		"executed@2[1 2 at 7 of 0 by 00 true]")
	r.batch(ask(1, 2, "delete began"))
	again, err := runs(t, m, lim, r.store, flushed(r))
	if err != nil {
		t.Fatal(err)
	}
	again.batch(ask(1, 3, "put a 1"))
	if got := again.read("all"); got != "a=1 " {
		t.Errorf("after a restart the state is %q", got)
	}
	for at, want := range map[uint64]string{0: "", 1: "", 2: "began=2 at 7 of 0 by 00 ", 3: ""} {
		if got, err := again.Query([]byte("all"), at); err != nil || string(got) != want {
			t.Errorf("at %d: %q, %v, want %q", at, got, err, want)
		}
	}
}

// A cluster may have been made before its program had versions and an Init. Then no Init is executed, and it has the
// states that it always had.
func TestInit_IsNotExecutedInAnOlderCluster(t *testing.T) {
	plain, older := mustRun(t, script{}, statemachine.Limits{}), mustRun(t, program{oldest: 1, newest: 2}, statemachine.Limits{})
	for _, r := range []*replica{plain, older} {
		r.batch(ask(1, 1, "put a 1"))
	}
	if plain.root() != older.root() {
		t.Error("the states differ")
	}
	if got := older.read("version"); got != "1" {
		t.Errorf("the state is at version %s", got)
	}
}

// bad is a machine whose Init fails.
type bad struct {
	script
	init func(statemachine.Txn)
}

func (b bad) Init(tx statemachine.Txn) { b.init(tx) }

func TestInit_ThatFailsStopsTheReplica(t *testing.T) {
	for want, init := range map[string]func(statemachine.Txn){
		"no rows":        func(statemachine.Txn) { panic("no rows") },
		"runtime.Goexit": func(statemachine.Txn) { runtime.Goexit() },
		"limit": func(tx statemachine.Txn) {
			defer func() { _ = recover() }()
			tx.Put(make([]byte, 5000), nil)
		},
	} {
		r := mustRun(t, bad{init: init}, statemachine.Limits{FirstVersion: 1})
		for range 2 {
			if _, err := r.Apply(statemachine.Batch{Seq: 1, Time: 1}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", want, err)
			}
		}
	}
	var fail error
	s, err := statemachine.New(bad{init: func(tx statemachine.Txn) { tx.Get(nil) }}, broken{memstore.New(), &fail}, statemachine.Limits{FirstVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(statemachine.Batch{Seq: 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(); err != nil { // from now on reads come from the storage
		t.Fatal(err)
	}
	fail = errors.New("the disk is gone")
	if _, err := s.Apply(statemachine.Batch{Seq: 2, Time: 1}); !errors.Is(err, fail) {
		t.Errorf("%v, want the storage's error", err)
	}
}

func TestUpgrade_IsExecutedAtItsPlaceAndStopsAProgramThatDoesNotKnowTheVersion(t *testing.T) {
	lim := statemachine.Limits{FirstVersion: 1}
	first, second := program{oldest: 1, newest: 1}, program{oldest: 1, newest: 2}
	old, updated := mustRun(t, first, lim), mustRun(t, second, lim)
	stranger := upgrade(1, 3, 2)
	stranger.Client[0]++
	for _, r := range []*replica{old, updated} {
		expect(t, r.batch(ask(1, 1, "set k a"), ask(1, 2, "get k")), "executed@1[1]", "executed@1[a true]")
		for _, q := range []statemachine.Request{stranger, upgrade(1, 3, 3)} {
			var refused *statemachine.Refusal
			if why := statemachine.Failure(r.batch(q)[0].Results[0]); !errors.As(why, &refused) || refused.Code != statemachine.RefusedUpgrade {
				t.Errorf("%v, want a refusal", why)
			}
		}
		expect(t, r.batch(upgrade(1, 4, 1)), "executed@4[]") // the state is at that version already
	}
	if old.root() != updated.root() {
		t.Fatal("the states differ before the upgrade")
	}
	knows := func(r *replica, want ...int) {
		t.Helper()
		if state, oldest, newest := r.Versions(); !slices.Equal([]int{state, oldest, newest}, want) {
			t.Errorf("state, oldest and newest version are %d, %d and %d, want %v", state, oldest, newest, want)
		}
	}
	knows(old, 1, 1, 1)
	knows(updated, 1, 1, 2)
	b := statemachine.Batch{Seq: 5, Time: 1, Requests: []statemachine.Request{
		upgrade(1, 5, 2), ask(1, 6, "set m b", "get k"), upgrade(1, 7, 2),
	}}
	expect(t, updated.apply(b), "executed@5[]", "executed@5[2 aa true]", "executed@5[]")
	for range 2 {
		_, err := old.Apply(b)
		var unknown *statemachine.VersionError
		if !errors.As(err, &unknown) || unknown.State != 2 || unknown.Newest != 1 || unknown.Request != b.Requests[0].Digest {
			t.Fatalf("the old program: %v", err)
		}
	}
	again, err := runs(t, second, lim, old.store, 4)
	if err != nil {
		t.Fatal(err)
	}
	again.apply(b)
	if again.root() != updated.root() {
		t.Error("a newer program goes on from there to another state")
	}
	knows(old, 1, 1, 1)
	knows(updated, 2, 1, 2)
	knows(again, 2, 1, 2)
	if got, err := again.Query([]byte("version"), 4); err != nil || string(got) != "1" || again.read("version") != "2" {
		t.Errorf("version %s after 4, %v, now %s", got, err, again.read("version"))
	}
	for _, c := range []struct {
		m     statemachine.Machine
		at    uint64
		state int
	}{{first, 5, 2}, {script{}, 5, 2}, {program{oldest: 2, newest: 3}, 4, 1}} {
		_, err := runs(t, c.m, lim, again.store, c.at)
		var unknown *statemachine.VersionError
		if !errors.As(err, &unknown) || unknown.State != c.state || strings.Contains(err.Error(), "\n") {
			t.Errorf("%T at %d: %v", c.m, c.at, err)
		}
	}
	if _, err := runs(t, program{oldest: 2, newest: 3}, lim, again.store, 5); err != nil {
		t.Errorf("a program that has forgotten version 1: %v", err)
	}
}

func TestUpgrade_ThatFailsLeavesTheStateAsItIs(t *testing.T) {
	for want, migrate := range map[error]func(statemachine.Txn){
		statemachine.ErrPanicked: func(tx statemachine.Txn) { tx.Put([]byte("k"), nil); panic("a bad row") },
		statemachine.ErrTooLarge: func(tx statemachine.Txn) { tx.Put([]byte("k"), make([]byte, 1<<20+1)) },
	} {
		r := mustRun(t, program{oldest: 1, newest: 2, migrate: migrate}, statemachine.Limits{FirstVersion: 1})
		r.batch(ask(1, 1, "set k a"))
		if err := statemachine.Failure(r.batch(upgrade(1, 2, 2))[0].Results[0]); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		expect(t, r.batch(ask(1, 3, "set m b", "get k")), "executed@3[1 a true]")
		if state, _, _ := r.Versions(); state != 1 {
			t.Errorf("the state is said to be at version %d", state)
		}
	}
}

func TestVersion_IsTheOneAtThePlaceInTheBatch(t *testing.T) {
	for name, c := range map[string]struct {
		migrate func(statemachine.Txn)
		after   string
	}{
		"succeeds": {func(statemachine.Txn) {}, "2"},
		"fails":    {func(tx statemachine.Txn) { tx.Version(); panic("no") }, "1"},
	} {
		r := mustRun(t, program{oldest: 1, newest: 2, migrate: c.migrate}, statemachine.Limits{})
		r.batch(ask(1, 1, "set began x"))
		look := func(t uint64) statemachine.Request {
			q := ask(1, t, "version")
			q.ReadOnly = true
			return q
		}
		replies := r.batch(look(2), upgrade(1, 3, 2), look(4))
		if before, after := string(replies[0].Results[0]), string(replies[2].Results[0]); before != "1" || after != c.after {
			t.Errorf("an upgrade that %s: version %s before it and %s after it, want 1 and %s", name, before, after, c.after)
		}
	}
}

func TestVersions_ThatMakeNoSenseAreRefused(t *testing.T) {
	for _, m := range []program{{oldest: 0, newest: 1}, {oldest: 2, newest: 1}} {
		if _, err := statemachine.New(m, memstore.New(), statemachine.Limits{}); err == nil || !strings.Contains(err.Error(), "versions") {
			t.Errorf("%d to %d: %v", m.oldest, m.newest, err)
		}
	}
	begins := mustRun(t, program{oldest: 1, newest: 2}, statemachine.Limits{FirstVersion: 2})
	if got := begins.read("version"); got != "2" {
		t.Errorf("before the first batch the state is at version %s", got)
	}
	begins.batch(ask(1, 1, "set k a"))
	changed, err := runs(t, program{oldest: 1, newest: 2}, statemachine.Limits{FirstVersion: 1}, begins.store, flushed(begins))
	if err != nil || changed.read("version") != "2" {
		t.Errorf("the version is not what the state says, but what a changed cluster file does: %v", err)
	}
	_, err = runs(t, program{oldest: 1, newest: 2}, statemachine.Limits{FirstVersion: 3}, memstore.New(), 0)
	if unknown := (*statemachine.VersionError)(nil); !errors.As(err, &unknown) || unknown.State != 3 {
		t.Errorf("a cluster that begins at version 3: %v", err)
	}
}

// Two replicas execute the same history, which contains upgrades. Their programs are replaced at random, and they crash
// and start again from a checkpoint. Their states are always equal.
func TestUpgrade_ProgramsMayBeReplacedAtAnyTime(t *testing.T) {
	stopped, upgraded := 0, 0
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 6))
		lim := statemachine.Limits{FirstVersion: rng.IntN(2)}
		model := mustRun(t, program{oldest: 1, newest: 3}, lim)
		r, newest, checkpoint := mustRun(t, program{oldest: 1, newest: 1}, lim), 1, uint64(0)
		history := []statemachine.Batch{{}}
		start := func() {
			var err error
			if r, err = runs(t, program{oldest: 1, newest: newest}, lim, r.store, checkpoint); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		for seq := uint64(1); seq <= 60; seq++ {
			b := statemachine.Batch{Seq: seq}
			if rng.IntN(5) > 0 {
				b.Time = int64(seq)
				b.Requests = append(b.Requests, ask(1, seq, fmt.Sprintf("set k%d %d", rng.IntN(4), rng.IntN(10)), "all", "index"))
			}
			if rng.IntN(12) == 0 {
				b.Time, b.Requests = int64(seq), append(b.Requests, upgrade(1, 100+seq, 2+rng.IntN(2)))
			}
			history = append(history, b)
			model.apply(b)
			if rng.IntN(10) == 0 {
				newest = min(newest+rng.IntN(2), 3)
				start()
			}
			for r.Executed() < seq {
				replies, err := r.Apply(history[r.Executed()+1])
				if err != nil { // the program is too old
					stopped++
					newest++
					start()
					continue
				}
				for _, reply := range replies {
					want, known := model.Lookup(reply.Client, reply.Session, reply.T, reply.Request)
					if !known || show(want) != show(reply) {
						t.Fatalf("seed %d: batch %d gave %s, and %s elsewhere", seed, reply.Seq, show(reply), show(want))
					}
				}
			}
			if rng.IntN(8) == 0 {
				checkpoint = seq
				if r.root() != model.root() {
					t.Fatalf("seed %d: the states after %d differ", seed, seq)
				}
			}
		}
		if model.root() != r.root() {
			t.Fatalf("seed %d: the last states differ", seed)
		}
		if model.read("version") != "1" {
			upgraded++
		}
	}
	if stopped < 5 || upgraded < 10 {
		t.Errorf("%d programs were too old, %d states were upgraded: too few to test it", stopped, upgraded)
	}
}
