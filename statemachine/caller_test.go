package statemachine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

// counting is a caller of a machine. It counts what is sent.
type counting struct {
	machine string
	sent    *int
}

func (c counting) Machine() string { return c.machine }

func (c counting) Call(context.Context, []byte, bool) ([]byte, uint64, error) {
	*c.sent++
	return nil, 1, nil
}

func (c counting) QueryAt(context.Context, []byte, uint64) ([]byte, error) {
	*c.sent++
	return nil, nil
}

// nameless is a caller that does not know which machine it calls.
type nameless struct{ statemachine.Caller }

func TestFor_NothingIsSentToAnotherMachine(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		call  func(statemachine.Caller) error
		to    string
		wrong bool
	}{
		"kv on kv":           {func(c statemachine.Caller) error { _, err := kv.NewClient(c).Put(ctx, "k", nil); return err }, "kv", false},
		"kv on bank":         {func(c statemachine.Caller) error { _, err := kv.NewClient(c).Put(ctx, "k", nil); return err }, "bank", true},
		"kv's past on bank":  {func(c statemachine.Caller) error { _, err := kv.NewClient(c).GetAt(ctx, "k", 1); return err }, "bank", true},
		"kv on store":        {func(c statemachine.Caller) error { _, err := kv.NewClient(c).Get(ctx, "k"); return err }, "store", true},
		"kv as store":        {func(c statemachine.Caller) error { _, err := kv.NewClientOf(c, "store").Get(ctx, "k"); return err }, "store", false},
		"kv on no name":      {func(c statemachine.Caller) error { _, err := kv.NewClient(c).Get(ctx, "k"); return err }, "", false},
		"kv on a plain one":  {func(c statemachine.Caller) error { _, err := kv.NewClient(nameless{c}).Get(ctx, "k"); return err }, "bank", false},
		"bank on kv":         {func(c statemachine.Caller) error { _, err := bank.NewClient(c).Audit(ctx); return err }, "kv", true},
		"bank on bank":       {func(c statemachine.Caller) error { _, err := bank.NewClient(c).Audit(ctx); return err }, "bank", false},
		"bank's past on kv":  {func(c statemachine.Caller) error { _, err := bank.NewClient(c).BalanceAt(ctx, "a", 1); return err }, "kv", true},
		"bank as a till":     {func(c statemachine.Caller) error { _, err := bank.NewClientOf(c, "till").Audit(ctx); return err }, "till", false},
		"generic, whatever":  {func(c statemachine.Caller) error { _, _, err := c.Call(ctx, nil, false); return err }, "bank", false},
		"history of another": {func(c statemachine.Caller) error { return first(bank.NewClient(c).History(ctx, "a", 0)) }, "kv", true},
	} {
		t.Run(name, func(t *testing.T) {
			sent := 0
			err := c.call(counting{c.to, &sent})
			if errors.Is(err, statemachine.ErrWrongMachine) != c.wrong || (sent == 0) != c.wrong {
				t.Errorf("%v, and %d operations were sent", err, sent)
			}
			if c.wrong && (strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), c.to)) {
				t.Errorf("%q is no line that names the machine", err)
			}
		})
	}
}

// first returns the first error in a sequence.
func first[T any](seq func(func(T, error) bool)) (err error) {
	for _, err = range seq {
		return err
	}
	return nil
}

func TestAsk_WithoutACallerIsAnError(t *testing.T) {
	if _, err := (kv.Client{}).Get(t.Context(), "k"); err == nil || !strings.Contains(err.Error(), "NewClient") {
		t.Errorf("get: %v", err)
	}
	if _, err := kv.NewClient(nil).GetAt(t.Context(), "k", 1); err == nil || !strings.Contains(err.Error(), "NewClient") {
		t.Errorf("get at: %v", err)
	}
}
