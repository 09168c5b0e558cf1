package crypto

import (
	"fmt"
	"slices"
	"testing"
)

// filled is a backlog in which each source has this many waiting messages, each with this many claims.
func filled(messages, claims int, sources ...*Source) *backlog {
	b := new(backlog)
	for _, s := range sources {
		for range messages {
			b.add(&job{source: s, claims: make([]Claim, claims)})
		}
	}
	return b
}

func source(class Class) *Source { return new(Pool).NewSource(class) }

// from lists the sources of the messages in a batch.
func from(batch []*job) (sources []*Source) {
	for _, j := range batch {
		sources = append(sources, j.source)
	}
	return sources
}

func TestBacklog_SourcesTakeTurns(t *testing.T) {
	one, two, three := source(Votes), source(Votes), source(Votes)
	b := filled(30, 1, one, two)
	b.add(&job{source: three, claims: make([]Claim, 1)})
	batch := b.take()
	if want := []*Source{one, two, three, one, two}; !slices.Equal(from(batch)[:5], want) {
		t.Errorf("the batch begins with %v, want %v", from(batch)[:5], want)
	}
	if len(batch) != 61 || !b.empty() {
		t.Errorf("a batch of %d, want all 61", len(batch))
	}
}

// S4: a sender with many sources gets as many turns as a sender with one.
func TestS4_SendersTakeTurnsHoweverManySourcesTheyHave(t *testing.T) {
	many, one := new(Pool).NewSender(Clients), source(Clients)
	var sources []*Source
	for range 64 {
		sources = append(sources, many.NewSource())
	}
	b := filled(10, 1, append(sources, one)...)
	batch, places := from(b.take()), map[*Source]int{}
	for i, s := range batch {
		places[s]++
		if i < 2*10 && (s == one) != (i%2 == 1) {
			t.Errorf("place %d of the batch is not that of the sender whose turn it is", i)
		}
	}
	for s, n := range places {
		if s != one && n > 1 {
			t.Errorf("one source has %d places of the batch while others of its sender wait", n)
		}
	}
}

// S2: after a false claim of a sender, its messages from its other sources are verified alone, too.
func TestS2_SuspicionFallsOnAllSourcesOfASender(t *testing.T) {
	liar, good := new(Pool).NewSender(Clients), source(Clients)
	first, second := liar.NewSource(), liar.NewSource()
	b := filled(3, 1, first, second, good)
	liar.judged(false)
	if batch := b.take(); slices.Contains(from(batch), first) || slices.Contains(from(batch), second) || len(batch) != 3 {
		t.Errorf("a batch of %d holds what a suspect sent", len(batch))
	}
	for i := 0; !b.empty(); i++ {
		if batch := b.take(); len(batch) != 1 || i >= 6 {
			t.Errorf("%d messages of a suspect in batch %d", len(batch), i)
		}
	}
}

func TestBacklog_ABatchHasAtMost64ClaimsOrOneMessage(t *testing.T) {
	for claims, want := range map[int]int{0: 64, 1: 64, 3: 21, 33: 1, 64: 1, 1000: 1} {
		if batch := filled(100, claims, source(Votes)).take(); len(batch) != want {
			t.Errorf("of messages with %d claims a batch takes %d, want %d", claims, len(batch), want)
		}
	}
}

// S2: while votes and clients' messages both wait, three claims of votes are verified for each claim of a client, and
// votes go first. So neither waits for ever.
func TestS2_VotesGoFirstAndClientsGetTheirShare(t *testing.T) {
	vote, request := source(Votes), source(Clients)
	b := filled(64*100, 1, vote, request)
	got := ""
	for range 12 {
		batch := b.take()
		got += fmt.Sprint(int(batch[0].source.from.class))
		for _, j := range batch {
			if j.source != batch[0].source {
				t.Fatal("votes and requests are in one batch: a client could spoil it")
			}
		}
	}
	if got != "000100010001" {
		t.Errorf("the batches are %s, want 000100010001 (0: votes)", got)
	}
}

// After one huge certificate, clients' messages go first for a bounded number of claims, not for as many claims as
// the certificate had.
func TestS2_AHugeVoteGivesClientsABoundedRun(t *testing.T) {
	vote, request := source(Votes), source(Clients)
	b := filled(6400, 1, request)
	for range 3 {
		b.add(&job{source: vote, claims: make([]Claim, 100000)})
	}
	b.take()
	run := 0
	for b.take()[0].source == request {
		run++
	}
	if run < 1 || run > 2 {
		t.Errorf("%d batches of clients before the next vote, want 1 or 2", run)
	}
}

func TestBacklog_WithoutVotesClientsOweNothing(t *testing.T) {
	vote, request := source(Votes), source(Clients)
	b := filled(64*5, 1, request)
	for range 5 {
		b.take()
	}
	for range 2 * 64 {
		b.add(&job{source: vote, claims: make([]Claim, 1)})
		b.add(&job{source: request, claims: make([]Claim, 1)})
	}
	for range 2 {
		if b.take()[0].source != vote {
			t.Error("votes wait because clients were served while nobody else waited")
		}
	}
}

// S2: a suspect's message is never in a batch with others. One such message is verified after every batch. The
// batches of the others do not become smaller.
func TestS2_ASuspectIsTakenAlone(t *testing.T) {
	suspect, good := source(Votes), source(Votes)
	suspect.from.alone = 1000
	b := filled(200, 1, suspect, good)
	for range 3 {
		if batch := b.take(); len(batch) != 64 || slices.Contains(from(batch), suspect) {
			t.Errorf("a batch of %d, with the suspect %t; want 64 without", len(batch), slices.Contains(from(batch), suspect))
		}
		if batch := b.take(); len(batch) != 1 || batch[0].source != suspect {
			t.Errorf("after it %d messages, want one of the suspect", len(batch))
		}
	}
}

func TestS2_ASourceFoundOutWhileItWaitsIsTakenAlone(t *testing.T) {
	s := source(Votes)
	b := filled(3, 1, s)
	s.from.judged(false)
	for range 3 {
		if batch := b.take(); len(batch) != 1 {
			t.Errorf("%d messages of a suspect in one batch", len(batch))
		}
	}
	if !b.empty() {
		t.Error("something was left")
	}
}

func TestS2_SuspicionDecaysAndIsBounded(t *testing.T) {
	s := source(Votes).from
	s.judged(false)
	good := 0
	for ; s.alone > 0; good++ {
		s.judged(true)
	}
	if good != 64 {
		t.Errorf("after a false message %d good ones are verified alone, want 64", good)
	}
	for range 1000 {
		s.judged(false)
	}
	if s.alone != 4096 {
		t.Errorf("after 1000 false messages %d good ones, want 4096", s.alone)
	}
}
