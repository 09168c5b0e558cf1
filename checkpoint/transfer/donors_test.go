package transfer

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"tagma/internal/alone"
)

// wide is a state that has thousands of pages.
var wide = sync.OnceValue(func() state { return randomState(rand.New(rand.NewPCG(9, 9)), 120_000) })

// opened returns a receiver whose queue has work for many questions, the state that it is to fetch, and a donor of
// that state.
func opened(t *testing.T) (*Receiver, state, answerer) {
	to := wide()
	donor := honestOf(t, to)
	r := NewReceiver(to.root(), stageOf(t, state{}), Options{FirstID: 1<<32 - 3})
	for len(r.queue) < 8*MaxItems {
		query, _ := r.Ask(0, 0)
		if err := r.Take(0, 0, donor(query)); err != nil {
			t.Fatal(err)
		}
	}
	r.Lapse(0, 0)
	return r, to, donor
}

// ask asks a donor questions until the receiver has none for it, and returns them.
func ask(r *Receiver, donor int, now time.Duration) (queries [][]byte) {
	for {
		query, ok := r.Ask(donor, now)
		if !ok {
			return queries
		}
		queries = append(queries, query)
	}
}

// X3: the first question to a donor is short, and no other is open beside it. After answers in time, questions are
// longer, and up to four are open.
func TestX3_ADonorThatAnswersInTimeHasFourQuestions(t *testing.T) {
	r, _, donor := opened(t)
	queries := ask(r, 1, 0)
	for want := 1; want <= 4; want++ {
		if len(queries) != want {
			t.Fatalf("%d questions, want %d", len(queries), want)
		}
		if err := r.Take(1, 0, donor(queries[0])); err != nil {
			t.Fatal(err)
		}
		queries = append(queries[1:], ask(r, 1, 0)...)
	}
	if len(queries) != 4 {
		t.Fatalf("%d questions, want 4", len(queries))
	}
	// The open questions may be answered in any order.
	for _, query := range []int{2, 0, 3, 1} {
		if err := r.Take(1, 0, donor(queries[query])); err != nil {
			t.Fatal(err)
		}
	}
}

// X3: if no answer comes in time, late answers are used, so that the same things are not asked for again and again.
func TestX3_LateAnswersAreUsed(t *testing.T) {
	alone.Test(t)
	r, to, donor := opened(t)
	stage := r.stage
	received := 0
	now := time.Duration(0)
	for round := 0; !r.Done(); round++ {
		if round > 100_000 {
			t.Fatal("it comes to no end")
		}
		for _, query := range ask(r, 1, now) {
			answer := donor(query)
			r.Expire(now+time.Second, time.Second/2)
			now += time.Second
			received += len(answer)
			if err := r.Take(1, now, answer); err != nil {
				t.Fatal(err)
			}
		}
	}
	if stage.Tree().Root() != to.root() {
		t.Error("the state is not the certified one")
	}
	whole := 0
	for key, value := range to {
		whole += len(key) + len(value)
	}
	if received > 2*whole {
		t.Errorf("%d bytes were received for %d", received, whole)
	}
}

// Late answers to questions that another donor was asked meanwhile are counted apart. Without them, the number of
// bytes that a transfer received does not depend on the speed of the donors.
func TestLateAnswersAreCountedApart(t *testing.T) {
	r, _, donor := opened(t)
	first := ask(r, 1, 0)[0]
	answer := donor(first)
	r.Expire(time.Second, time.Second/2)
	again := ask(r, 2, time.Second)
	before := r.Progress()
	if err := r.Take(1, time.Second, answer); err != nil {
		t.Fatal(err)
	}
	const head = 7 // length of an answer before its parts
	if p := r.Progress(); before.Late != 0 || p.Late != uint64(len(answer)-head) || p.Fetched != before.Fetched {
		t.Errorf("%d bytes are late, want %d; %d keys fetched", p.Late, len(answer)-head, p.Fetched-before.Fetched)
	}
	for _, query := range again {
		if err := r.Take(2, time.Second, donor(query)); err != nil {
			t.Fatal(err)
		}
	}
	if p := r.Progress(); p.Late != uint64(len(answer)-head) || p.Fetched == before.Fetched {
		t.Errorf("what is used is late: %d bytes; %d keys fetched", p.Late, p.Fetched-before.Fetched)
	}
}

func TestX3_AnAnswerTwiceOrToAnotherDonorIsALie(t *testing.T) {
	r, _, donor := opened(t)
	answer := donor(ask(r, 1, 0)[0])
	if err := r.Take(2, 0, answer); !errors.Is(err, ErrBad) {
		t.Errorf("an answer of a donor that was not asked: %v", err)
	}
	if err := r.Take(1, 0, answer); err != nil {
		t.Error(err)
	}
	if err := r.Take(1, 0, answer); !errors.Is(err, ErrBad) {
		t.Errorf("an answer that came twice: %v", err)
	}
	if blamed := r.Blamed(); !slices.Equal(blamed, []int{1, 2}) {
		t.Errorf("blamed %v, want 1 and 2", blamed)
	}
}

func TestABlamedDonorIsAskedNothingUntilItIsForgiven(t *testing.T) {
	r, _, donor := opened(t)
	queries := ask(r, 1, 0)
	if err := r.Take(1, 0, nil); !errors.Is(err, ErrBad) {
		t.Fatal(err)
	}
	if len(ask(r, 1, 0)) > 0 {
		t.Error("it is asked")
	}
	r.Forgive(1)
	if len(ask(r, 1, 0)) == 0 {
		t.Error("it is forgiven and not asked")
	}
	// The donor may still answer each question that it was asked before, once.
	for _, query := range queries {
		if err := r.Take(1, 0, donor(query)); err != nil {
			t.Errorf("a late answer is a lie: %v", err)
		}
	}
	if err := r.Take(1, 0, donor(queries[0])); !errors.Is(err, ErrBad) {
		t.Errorf("one late answer more than was asked: %v", err)
	}
}

func TestX3_ASilentDonorsQuestionsGoToOthers(t *testing.T) {
	alone.Test(t)
	r, to, donor := opened(t)
	silent := ask(r, 1, 0)
	if expired := r.Expire(patience-1, patience); len(expired) > 0 {
		t.Fatalf("donors %v are slow too soon", expired)
	}
	// Another donor joins, and its time to answer is not over.
	others := ask(r, 2, 1)
	if expired := r.Expire(patience, patience); !slices.Equal(expired, []int{1}) {
		t.Fatalf("slow: %v, want 1", expired)
	}
	if len(r.Blamed()) > 0 {
		t.Error("slowness is blamed")
	}
	for _, query := range others {
		if err := r.Take(2, patience, donor(query)); err != nil {
			t.Fatal(err)
		}
	}
	if len(ask(r, 1, 0)) > 0 {
		t.Error("the slow donor is asked while the other one has room")
	}
	// The slow donor gets a question only when the other has no room, and only one.
	others = ask(r, 2, 1)
	if n := len(ask(r, 1, 0)); n != 1 {
		t.Errorf("the slow donor gets %d questions", n)
	}
	if err := r.Take(1, patience, donor(silent[0])); err != nil {
		t.Errorf("a late answer is a lie: %v", err)
	}
	for _, query := range others {
		if err := r.Take(2, patience, donor(query)); err != nil {
			t.Fatal(err)
		}
	}
	x := &exchange{
		t: t, receiver: r, donors: []answerer{donor, func([]byte) []byte { return nil }, donor},
		random: rand.New(rand.NewPCG(1, 1)), most: 100_000, now: patience,
	}
	x.run()
	r.stage.(*memStage).wantEqual(to)
}

// An answer in time makes a slow donor a normal one again. While it is the only donor, its time to answer is doubled
// again and again.
func TestASlowDonorThatIsAloneGetsMoreTime(t *testing.T) {
	alone.Test(t)
	r, _, donor := opened(t)
	now := time.Duration(0)
	for late := range 7 {
		query, ok := r.Ask(1, now)
		if !ok {
			t.Fatal("the only donor is not asked")
		}
		wait := patience << min(late, maxPatience)
		if len(r.Expire(now+wait-1, patience)) > 0 {
			t.Fatalf("after %d questions without answer the next one has less than %v", late, wait)
		}
		if late == 6 {
			if err := r.Take(1, now, donor(query)); err != nil {
				t.Fatal(err)
			}
			break
		}
		if now += wait; len(r.Expire(now, patience)) != 1 {
			t.Fatalf("after %d questions without answer the next one has more than %v", late, wait)
		}
	}
	if len(ask(r, 1, 0)) < 2 {
		t.Error("it answered in time, and is asked one question only")
	}
}

// A donor that answers one item of each question makes progress, so it does not count as lying. It is asked for only
// as much as it answers, so that it does not delay the others.
func TestADonorThatAnswersLittleIsAskedForLittle(t *testing.T) {
	alone.Test(t)
	r, to, donor := opened(t)
	answers := 0
	drip := func(query []byte) []byte {
		a, err := DecodeAnswer(donor(query))
		if err != nil {
			t.Fatal(err)
		}
		for i := range a.Parts[1:] {
			a.Parts[1+i] = Part{Kind: IsLater}
		}
		if answers++; answers > 8 && len(a.Parts) > 3 {
			t.Errorf("after %d answers of one item it is asked for %d", answers, len(a.Parts))
		}
		return a.Encode()
	}
	x := &exchange{t: t, receiver: r, donors: []answerer{drip, donor}, random: rand.New(rand.NewPCG(1, 1)), most: 100_000}
	x.run()
	r.stage.(*memStage).wantEqual(to)
	if len(r.Blamed()) > 0 {
		t.Errorf("blamed %v", r.Blamed())
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	alone.Test(t)
	random := rand.New(rand.NewPCG(1, 1))
	for _, donors := range []int{1, 5} {
		to := randomState(random, 20_000)
		stage := stageOf(t, to.with("x"))
		r := NewReceiver(to.root(), stage, Options{})
		r.maxQueue = 100
		x := &exchange{t: t, receiver: r, random: random}
		for range donors {
			x.donors = append(x.donors, honestOf(t, to))
		}
		longest := 0
		for !r.Done() {
			x.most++
			x.run()
			longest = max(longest, len(r.queue))
		}
		stage.wantEqual(to)
		// The tree has about six levels at the paths of the queue.
		if bound := r.maxQueue + donors*15*6; longest > bound {
			t.Errorf("%d donors: a queue of %d, want at most %d", donors, longest, bound)
		}
	}
}
