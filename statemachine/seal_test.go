package statemachine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"tagma/statemachine"
)

// sealer seals and settles groups of a service's batches at random, and applies other batches in between.
type sealer struct {
	*replica
	group *statemachine.Sealed
	rng   *rand.Rand
}

func (s *sealer) step() {
	s.t.Helper()
	switch {
	case s.rng.IntN(3) > 0:
	case s.group == nil:
		s.group = s.Seal()
	default:
		s.settle()
	}
}

// settle settles the group that is sealed.
func (s *sealer) settle() {
	s.t.Helper()
	if s.group == nil {
		return
	}
	if err := s.Settle(s.group.Write()); err != nil {
		s.t.Fatal(err)
	}
	s.group = nil
}

func TestI5_BatchesExecutedBesideAWriteGiveTheSameRepliesRootsAndPasts(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 3))
		plain, beside := newReplica(t, small), &sealer{replica: newReplica(t, small), rng: rng}
		past := map[uint64]string{}
		for seq := uint64(1); seq <= 100; seq++ {
			b := randomBatch(rng, seq)
			want := plain.replies(b)
			if got := beside.replies(b); got != want {
				t.Fatalf("seed %d, batch %d gave\n%swithout, and beside a write\n%s", seed, seq, want, got)
			}
			past[seq] = plain.read("all")
			beside.step()
			at := 1 + rng.Uint64N(seq)
			if got, err := beside.Query([]byte("all"), at); err != nil || string(got) != past[at] {
				t.Fatalf("seed %d: at %d of %d: got %q, %v, want %q", seed, at, seq, got, err, past[at])
			}
			if seq%10 == 0 {
				beside.settle()
				if beside.root() != plain.root() {
					t.Fatalf("seed %d: roots at %d differ", seed, seq)
				}
			}
		}
	}
}

// sessionWrites counts the versions of session records in the storage.
func sessionWrites(t *testing.T, r *replica) (n int) {
	t.Helper()
	before := map[string]string{}
	for seq := uint64(1); seq <= r.Executed(); seq++ {
		v, err := r.store.View(seq)
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range v.Scan([]byte{'s'}, []byte{'t'}) {
			if err != nil {
				t.Fatal(err)
			}
			if before[string(e.Key)] != string(e.Value) {
				before[string(e.Key)] = string(e.Value)
				n++
			}
		}
		v.Close()
	}
	return n
}

func TestC2_ASessionThatManyBatchesChangeIsWrittenOncePerWriteWithTheLastOfThem(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	for seq := uint64(1); seq <= 5; seq++ {
		r.batch(ask(1, seq, fmt.Sprintf("put k %d", seq)))
	}
	r.batch() // of another time only
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if n := sessionWrites(t, r); n != 1 {
		t.Errorf("the session's record was written %d times, want once", n)
	}
	for seq := uint64(1); seq <= 5; seq++ { // application keys are written with the version of every batch
		if got, err := r.Query([]byte("get k"), seq); err != nil || string(got) != fmt.Sprintf("%d true", seq) {
			t.Errorf("at %d: %q, %v", seq, got, err)
		}
	}
	r.restart(6)
	for seq := uint64(1); seq <= 5; seq++ {
		expect(t, r.batch(ask(1, seq, fmt.Sprintf("put k %d", seq))), fmt.Sprintf("executed@%d[]", seq))
	}
}

func TestSeal_OneGroupIsUnderWayAtATime(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	r.batch(ask(1, 1, "put k v"))
	r.Seal()
	defer func() {
		if recover() == nil {
			t.Error("a second group was sealed while the first was not settled")
		}
	}()
	r.Seal()
}

func TestD6_AWriteThatFailedIsFinal(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	r.batch(ask(1, 1, "put k v"))
	r.Seal()
	failed := errors.New("no room")
	if err := r.Settle(failed); !errors.Is(err, failed) {
		t.Errorf("settled with %v", err)
	}
	if _, err := r.Apply(statemachine.Batch{Seq: 2}); !errors.Is(err, failed) {
		t.Errorf("applied after it: %v", err)
	}
	if err := r.Flush(); !errors.Is(err, failed) {
		t.Errorf("flushed after it: %v", err)
	}
	if _, err := r.Checkpoint(1); !errors.Is(err, failed) {
		t.Errorf("checkpoint after it: %v", err)
	}
}
