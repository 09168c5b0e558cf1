package client

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

// ask sends one operation and waits for its result, for at most d of virtual time.
func (f *fake) ask(op string, d time.Duration) (Result, error) {
	ctx, cancel := context.WithTimeout(f.t.Context(), d)
	defer cancel()
	return f.s.do(ctx, [][]byte{[]byte(op)}, session.Kind{Semantics: session.Semantics(f.s.semantics)})
}

func (f *fake) mustDo(op string) Result {
	f.t.Helper()
	r, err := f.ask(op, time.Minute)
	if err != nil || string(r.Output()) != "did "+op {
		f.t.Fatalf("%s: %q, %v", op, r.Output(), err)
	}
	return r
}

func TestC4_OneReplyIsNotEnough(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.answer[0], f.answer[1], f.answer[2] = silent, silent, silent
		_, err := f.ask("a", 20*time.Second)
		if !errors.Is(err, ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrBusy) {
			t.Errorf("one replica's word gives %v", err)
		}
		f.set(func() { f.answer[1] = honest })
		f.mustDo("b") // f+1 replies are enough
	})
}

func TestC4_OneReplicaIsCountedOnce(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		lie := func(r wire.Reply) []wire.Reply {
			r.Results = [][]byte{[]byte("forged")}
			return []wire.Reply{r, r, r}
		}
		f.answer[0], f.answer[1], f.answer[2], f.answer[3] = lie, silent, silent, silent
		if r, err := f.ask("a", 20*time.Second); !errors.Is(err, ErrUnknown) {
			t.Errorf("one replica speaking three times is believed: %q, %v", r.Output(), err)
		}
	})
}

func TestC4_ALiarIsOutvotedWhateverItChanges(t *testing.T) {
	for name, lie := range map[string]func(wire.Reply) []wire.Reply{
		"results":        does(func(r *wire.Reply) { r.Results = [][]byte{[]byte("forged")} }),
		"more results":   does(func(r *wire.Reply) { r.Results = append(r.Results, []byte("x")) }),
		"no results":     does(func(r *wire.Reply) { r.Results = nil }),
		"seq":            does(func(r *wire.Reply) { r.Seq++ }),
		"view":           does(func(r *wire.Reply) { r.View = 1 << 60 }),
		"busy":           does(busy),
		"expired":        final(wire.OutcomeExpired),
		"conflict":       final(wire.OutcomeConflict),
		"outcome 0":      final(0),
		"outcome 200":    final(200),
		"request digest": does(func(r *wire.Reply) { r.Request[0]++ }),
		"client":         does(func(r *wire.Reply) { r.ID.Client[0]++ }),
		"session":        does(func(r *wire.Reply) { r.ID.Session-- }),
		"number":         does(func(r *wire.Reply) { r.ID.T += 1000 }),
	} {
		t.Run(name, func(t *testing.T) {
			withCluster(t, func(t *testing.T, f *fake) {
				f.answer[2] = lie
				f.lag[0], f.lag[1], f.lag[3] = 1, 2, 3 // the lie comes first
				for range 3 {
					f.mustDo("a")
				}
			})
		})
	}
}

// Two liars are more than f. But their answers differ, so they are not counted together.
func TestC4_ReplicasMustAgreeOnEveryPart(t *testing.T) {
	for name, other := range map[string]func(*wire.Reply){
		"results": func(r *wire.Reply) { r.Results = [][]byte{[]byte("b")} },
		"count":   func(r *wire.Reply) { r.Results = append(r.Results, nil) },
		"seq":     func(r *wire.Reply) { r.Seq = 2 },
		"outcome": func(r *wire.Reply) { r.Outcome, r.Results = wire.OutcomeConflict, nil },
		"digest":  func(r *wire.Reply) { r.Request[31]++ },
		"client":  func(r *wire.Reply) { r.ID.Client[31]++ },
		"session": func(r *wire.Reply) { r.ID.Session++ },
		"number":  func(r *wire.Reply) { r.ID.T++ },
	} {
		withCluster(t, func(t *testing.T, f *fake) {
			f.answer[0], f.answer[3] = silent, silent
			f.answer[2] = does(other)
			if r, err := f.ask("a", 10*time.Second); !errors.Is(err, ErrUnknown) {
				t.Errorf("%s: two different replies are taken for f+1: %q, %v", name, r.Output(), err)
			}
		})
	}
}

func TestC4_ViewsNeedNotMatch(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.answer[0], f.answer[3] = silent, silent
		f.answer[2] = does(func(r *wire.Reply) { r.View = 9 })
		f.mustDo("a")
	})
}

func TestC4_ALaterReplyReplacesTheEarlierOne(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		changesItsMind := func(r wire.Reply) []wire.Reply {
			first := r
			busy(&first)
			return []wire.Reply{first, r}
		}
		f.answer[0], f.answer[1], f.answer[2], f.answer[3] = changesItsMind, changesItsMind, silent, silent
		f.mustDo("a")
	})
}

func TestC2_RepliesMayComeInAnyOrder(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		var calls []*Call
		for i, op := range []string{"a", "b", "c"} {
			f.set(func() { f.lag = slices.Repeat([]time.Duration{time.Duration(3-i) * 10 * time.Millisecond}, 4) })
			call, err := f.s.submit(t.Context(), [][]byte{[]byte(op), []byte("second")}, session.Kind{})
			if err != nil {
				t.Fatal(err)
			}
			calls = append(calls, call)
		}
		var order []uint64
		for range calls {
			select {
			case <-calls[0].Done():
				order, calls[0].done = append(order, 1), make(chan struct{})
			case <-calls[1].Done():
				order, calls[1].done = append(order, 2), make(chan struct{})
			case <-calls[2].Done():
				order, calls[2].done = append(order, 3), make(chan struct{})
			}
		}
		if !slices.Equal(order, []uint64{3, 2, 1}) {
			t.Errorf("answered in the order %v, want 3 2 1", order)
		}
		for i, call := range calls {
			want := []string{"did " + string('a'+rune(i)), "did second"}
			if len(call.result.Outputs) != 2 || string(call.result.Outputs[0]) != want[0] || string(call.result.Outputs[1]) != want[1] {
				t.Errorf("request %d: %q, want %q", i+1, call.result.Outputs, want)
			}
		}
	})
}

func TestOutcomes_AreTypedErrors(t *testing.T) {
	for outcome, want := range map[wire.Outcome]error{
		wire.OutcomeConflict: ErrConflict, wire.OutcomeExpired: ErrExpired,
	} {
		withCluster(t, func(t *testing.T, f *fake) {
			for i := range f.answer {
				f.answer[i] = final(outcome)
			}
			if _, err := f.ask("a", time.Minute); !errors.Is(err, want) || errors.Is(err, ErrUnknown) {
				t.Errorf("outcome %d gives %v, want %v", outcome, err, want)
			}
			for i := range f.answer {
				f.answer[i] = honest
			}
			f.mustDo("b") // the earlier number is settled, so no later request waits for it
			if outcome == wire.OutcomeExpired {
				return // the next case has a session of its own
			}
			if last := f.sendings(2); last[0].request.AckedBelow != 2 {
				t.Errorf("acknowledged below %d, want 2", last[0].request.AckedBelow)
			}
		})
	}
}
