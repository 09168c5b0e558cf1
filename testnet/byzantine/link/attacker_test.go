package link_test

import (
	cryptorand "crypto/rand"
	"errors"
	"testing"

	"tagma/crypto"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/link"
)

// S4, I14: frames that are malformed, or are no message, are refused and counted. The stream of their sender is closed
// each time, and all other peers are served.
func TestS4_MalformedFramesOverRealLinksAreRefusedAndTheirSenderDropped(t *testing.T) {
	s := newStage(t)
	choice := byzantine.Choice{Name: "malformed", Values: map[string]string{"bytes": "1048576"}}
	for _, who := range []string{"client", "replica"} {
		key := s.keyOf(who)
		t.Run(who, func(t *testing.T) {
			s.t = t
			before := s.reports()
			except := -1
			if who == "replica" {
				except = 3 // it does not attack itself
			}
			a := s.attack(key, choice)
			s.put(5)
			s.until(a, "frames are sent, streams ended, and each replica has refused some", func(t link.Tally) bool {
				return t.Frames >= 100 && t.Dropped >= 40 && refusedBy(before, s.reports(), except) >= 5
			})
			s.put(5)
			told := s.stop(a)
			after := s.mustStand(before)
			if n := refusedBy(before, after, except); n < 5 {
				t.Errorf("a replica counted %d refusals", n)
			}
			t.Logf("%+v", told)
		})
	}
}

// I14: replicas bound how many streams a peer may open, how many frames it may begin, and how much unread data they keep
// for it. No other peer suffers. The test runs one attack at a time, because the flood of streams would leave no streams
// for the other attacks.
func TestI14_WhoeverExhaustsLinksUsesUpHisOwn(t *testing.T) {
	s := newStage(t)
	for _, who := range []string{"client", "replica"} {
		for _, way := range []struct {
			name    string
			values  map[string]string
			reached func(link.Tally) bool
		}{
			{
				"streams",
				map[string]string{"ways": "streams", "streams": "1000", "rate": "2000"},
				func(t link.Tally) bool { return t.Held >= 8 && t.Refused >= 100 },
			},
			{
				"frames that never end, answers that nobody reads",
				map[string]string{"ways": "trickle+withhold"},
				func(t link.Tally) bool { return t.Held >= 2 && t.Frames >= 2 },
			},
		} {
			t.Run(who+": "+way.name, func(t *testing.T) {
				s.t = t
				before := s.reports()
				a := s.attack(s.keyOf(who), byzantine.Choice{Name: "exhaust", Values: way.values})
				s.put(5)
				s.until(a, way.name, way.reached)
				s.put(5)
				told := s.stop(a)
				s.mustStand(before)
				if most := uint64(4 * 200); told.Held > most {
					t.Errorf("%d streams were open at once at 4 replicas, more than %d", told.Held, most)
				}
				t.Logf("%+v", told)
			})
		}
	}
}

// A key that is in no cluster file gets no stream at all.
func TestNetwork_AnOutsiderGetsNoStream(t *testing.T) {
	s := newStage(t)
	key, err := crypto.Generate(cryptorand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"malformed", "exhaust"} {
		a := s.attack(key, byzantine.Choice{Name: name})
		s.until(a, "the outsider is refused", func(t link.Tally) bool { return t.Refused >= 8 })
		s.put(3)
		told := s.stop(a)
		if told.Frames != 0 || told.Held != 0 {
			t.Errorf("%s: an outsider was served: %+v", name, told)
		}
	}
}

// C2: if two operations are sent under one number, exactly one of them is executed, and it is the same one on all
// replicas.
func TestC2_OfTwoOperationsUnderOneNumberOneExecutes(t *testing.T) {
	s := newStage(t)
	choice, err := byzantine.ParseClientChoice("client-equivocation,every=20ms,repeat=200ms")
	if err != nil {
		t.Fatal(err)
	}
	before := s.reports()
	a := s.attack(s.key(s.cluster.ClientKey(2)), choice)
	s.until(a, "contradictions are noticed", func(t link.Tally) bool {
		return t.Client.Outcomes[wire.OutcomeExecuted] >= 40 && t.Client.Outcomes[wire.OutcomeConflict] >= 40
	})
	s.put(5)
	told := s.stop(a)
	s.mustStand(before)
	both, one := 0, 0
	for n := uint64(1); n <= 60; n += 2 { // operations 1 and 2 have the same number, so do 3 and 4, and so on
		switch s.written(lie(n)) + s.written(lie(n+1)) {
		case 1:
			one++
		case 2:
			both++
		}
	}
	if both > 0 || one < 10 {
		t.Errorf("both operations of %d numbers were executed, one of %d", both, one)
	}
	t.Logf("%+v", told)
}

// written returns 1 if a key has a value, and 0 otherwise.
func (s *stage) written(key []byte) int {
	s.t.Helper()
	switch _, err := kv.NewClient(s.honest).Get(s.within(), string(key)); {
	case errors.Is(err, kv.ErrNotFound):
		return 0
	case err != nil:
		s.t.Fatal(err)
	}
	return 1
}

// C3, C1: other clients are not harmed by requests that are sent to only some replicas, that have invalid signatures, or
// that have absurd numbers.
func TestC3_PartialAndAbsurdClientsHarmNobodyElse(t *testing.T) {
	s := newStage(t)
	for _, text := range []string{
		"partial-client,every=10ms", "partial-client,to=one,every=10ms", "partial-client,to=all,signature=bad,every=10ms",
		"absurd-sessions,every=10ms",
	} {
		t.Run(text, func(t *testing.T) {
			s.t = t
			choice, err := byzantine.ParseClientChoice(text)
			if err != nil {
				t.Fatal(err)
			}
			before := s.reports()
			a := s.attack(s.key(s.cluster.ClientKey(2)), choice)
			bad := choice.Values["signature"] == "bad"
			s.until(a, "it has lied", func(t link.Tally) bool {
				return t.Client.Lies >= 60 && (bad || t.Client.Outcomes[wire.OutcomeExecuted] > 0)
			})
			s.put(5)
			told := s.stop(a)
			after := s.mustStand(before)
			if n := refusedBy(before, after, -1); bad && n == 0 {
				t.Error("a replica refused none of the bad signatures")
			}
			t.Logf("%+v", told)
		})
	}
}
