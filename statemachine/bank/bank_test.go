package bank_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// house is a service with the machine under test. Each batch has one operation.
type house struct {
	t *testing.T
	*statemachine.Service
}

func newHouse(t *testing.T) *house {
	s, err := statemachine.New(bank.Machine{}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return &house{t, s}
}

func (h *house) do(op []byte, readOnly bool) []byte {
	h.t.Helper()
	n := h.Executed() + 1
	replies, err := h.Apply(statemachine.Batch{Seq: n, Time: int64(1000 + n), Requests: []statemachine.Request{
		{Client: [32]byte{1}, Session: 1, T: n, AckedBelow: n, ReadOnly: readOnly, Ops: [][]byte{op}},
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	return replies[0].Results[0]
}

// word returns a result of any type as text.
func word(result []byte) string {
	if r, err := bank.DecodeOpen(result); err == nil {
		return fmt.Sprintf("opened with %d, supply %d", r.Balance, r.Supply)
	}
	if r, err := bank.DecodeTransfer(result); err == nil {
		return fmt.Sprintf("left %d, now %d", r.From, r.To)
	}
	if r, err := bank.DecodeBalance(result); err == nil {
		return fmt.Sprintf("balance %d, entries %d", r.Balance, r.Entries)
	}
	if r, err := bank.DecodeHistory(result); err == nil {
		out := fmt.Sprintf("more %t", r.More)
		for _, e := range r.Entries {
			out += fmt.Sprintf("; %d %v %s %d → %d (%d %d)", e.Number, e.Kind, e.Other, e.Amount, e.Balance, e.Seq, e.Time)
		}
		return out
	}
	r, err := bank.DecodeAudit(result)
	if err == nil {
		return fmt.Sprintf("supply %d, sum %d, accounts %d", r.Supply, r.Sum, r.Accounts)
	}
	return err.Error()
}

func TestModel_MoneyIsMintedMovedAndRecorded(t *testing.T) {
	h := newHouse(t)
	for i, step := range []struct {
		op   []byte
		want string
	}{
		{bank.Audit(), "supply 0, sum 0, accounts 0"},
		{bank.Open("alice", 100), "opened with 100, supply 100"},
		{bank.Open("bob", 0), "opened with 0, supply 100"},
		{bank.Transfer("alice", "bob", 30), "left 70, now 30"},
		{bank.Transfer("bob", "alice", 30), "left 0, now 100"},
		{bank.Transfer("alice", "bob", 100), "left 0, now 100"},
		{bank.Balance("alice"), "balance 0, entries 4"},
		{bank.Balance("bob"), "balance 100, entries 4"},
		{bank.History("bob", 0, 0), "more false; 1 opened  0 → 0 (3 1003); 2 received alice 30 → 30 (4 1004); " +
			"3 sent alice 30 → 0 (5 1005); 4 received alice 100 → 100 (6 1006)"},
		{bank.History("bob", 2, 2), "more true; 2 received alice 30 → 30 (4 1004); 3 sent alice 30 → 0 (5 1005)"},
		{bank.History("bob", 4, 1), "more false; 4 received alice 100 → 100 (6 1006)"},
		{bank.History("bob", 5, 1), "more false"},
		{bank.History("bob", math.MaxUint64, math.MaxUint32), "more false"},
		{bank.Open("bo", 1), "opened with 1, supply 101"}, // this name begins with the name of another account
		{bank.History("bo", 0, 0), "more false; 1 opened  1 → 1 (14 1014)"},
		{bank.Audit(), "supply 101, sum 101, accounts 3"},
	} {
		if got := word(h.do(step.op, false)); got != step.want {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}

func TestRefusals_GiveTheirCodeAndChangeNothing(t *testing.T) {
	h := newHouse(t)
	h.do(bank.Open("rich", math.MaxUint64-5), false)
	h.do(bank.Open("poor", 5), false)
	longest := strings.Repeat("x", bank.MaxNameBytes)
	open := bank.Open("new", 1)
	for name, c := range map[string]struct {
		op       []byte
		readOnly bool
		want     bank.Code
	}{
		"nothing":                     {nil, false, bank.Malformed},
		"the mark alone":              {open[:1], false, bank.Malformed},
		"cut short":                   {open[:len(open)-1], false, bank.Malformed},
		"bytes behind it":             {append(bytes.Clone(open), 0), false, bank.Malformed},
		"an unknown type":             {[]byte{open[0], 99}, false, bank.Unknown},
		"another machine's operation": {kv.Put([]byte("k"), []byte("v")), false, bank.Unknown},
		"an empty name":               {bank.Open("", 1), false, bank.BadName},
		"a long name":                 {bank.Open(longest+"x", 1), false, bank.BadName},
		"a very long name":            {bank.Open(strings.Repeat("x", 1<<16), 1), false, bank.BadName},
		"a space":                     {bank.Open("a b", 1), false, bank.BadName},
		"a letter beyond ASCII":       {bank.Balance("é"), true, bank.BadName},
		"an empty recipient":          {bank.Transfer("rich", "", 1), false, bank.BadName},
		"an open as a read":           {open, true, bank.NotRead},
		"a transfer as a read":        {bank.Transfer("rich", "poor", 1), true, bank.NotRead},
		"a name that is taken":        {bank.Open("poor", 0), false, bank.AccountExists},
		"more than there can be":      {bank.Open("new", 1), false, bank.Overflow},
		"a payer that does not exist": {bank.Transfer("new", "poor", 1), false, bank.NoAccount},
		"nobody to receive it":        {bank.Transfer("poor", "new", 1), false, bank.NoRecipient},
		"to itself":                   {bank.Transfer("poor", "poor", 1), false, bank.SameAccount},
		"nothing at all":              {bank.Transfer("rich", "poor", 0), false, bank.ZeroAmount},
		"more than there is":          {bank.Transfer("poor", "rich", 6), false, bank.Insufficient},
		"the balance of nobody":       {bank.Balance("new"), true, bank.NoAccount},
		"the history of nobody":       {bank.History("new", 0, 0), true, bank.NoAccount},
	} {
		if _, err := bank.DecodeOpen(h.do(c.op, c.readOnly)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if got := word(h.do(bank.Audit(), true)); got != "supply 18446744073709551615, sum 18446744073709551615, accounts 2" {
		t.Errorf("after the refusals: %s", got)
	}
	if got := word(h.do(bank.Transfer("poor", "rich", 5), false)); got != "left 0, now 18446744073709551615" {
		t.Errorf("everything to one account: %s", got)
	}
	if got := word(h.do(bank.Open(longest, 0), false)); got != "opened with 0, supply 18446744073709551615" {
		t.Errorf("the longest name: %s", got)
	}
}

func TestHistory_PagesHaveALimit(t *testing.T) {
	h := newHouse(t)
	h.do(bank.Open("a", bank.MaxPage), false)
	h.do(bank.Open("b", 0), false)
	for range bank.MaxPage {
		h.do(bank.Transfer("a", "b", 1), false)
	}
	r, err := bank.DecodeHistory(h.do(bank.History("b", 0, 0), true))
	if err != nil || len(r.Entries) != bank.MaxPage || !r.More {
		t.Fatalf("%d entries, more %t, %v", len(r.Entries), r.More, err)
	}
	last := r.Entries[len(r.Entries)-1]
	r, err = bank.DecodeHistory(h.do(bank.History("b", last.Number+1, 0), true))
	if err != nil || len(r.Entries) != 1 || r.More || r.Entries[0].Balance != bank.MaxPage {
		t.Errorf("the rest: %+v, %v", r, err)
	}
}

func TestDecode_ForeignResultsAreErrors(t *testing.T) {
	h := newHouse(t)
	balance := h.do(bank.Open("a", 1), false)
	for _, result := range [][]byte{nil, balance[:len(balance)-1], append(bytes.Clone(balance), 0), h.do(bank.Audit(), true)} {
		if _, err := bank.DecodeOpen(result); !errors.Is(err, bank.ErrResult) {
			t.Errorf("result %x: got %v, want %v", result, err, bank.ErrResult)
		}
	}
	if _, err := bank.DecodeOpen([]byte(statemachine.ResultPanicked)); !errors.Is(err, statemachine.ErrPanicked) {
		t.Errorf("a contained panic decoded as %v", err)
	}
	if _, err := kv.DecodePut(balance); !errors.Is(err, kv.ErrResult) {
		t.Errorf("the key-value store takes a result of the bank: %v", err)
	}
}
