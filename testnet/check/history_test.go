package check

import (
	"strings"
	"testing"
	"time"
)

const patience = 20 * time.Second

// history is a history that a test builds call by call.
type history []Call

// at adds a call from one time until another; a negative end leaves its outcome unknown.
func at(h *history, client int, from, until time.Duration, op Op, out Out) {
	c := Call{Client: client, Op: op, Invoked: from}
	if until >= 0 {
		c.Returned, c.Out, c.Known = until, out, true
	}
	*h = append(*h, c)
}

func put(k, v string) Op      { return Op{Kind: Put, Key: k, Value: v} }
func get(k string) Op         { return Op{Kind: Get, Key: k} }
func found(v string) Out      { return Out{Found: true, Value: v} }
func missing() Out            { return Out{} }
func open(k string, n int) Op { return Op{Kind: Open, Key: k, Amount: uint64(n)} }
func pay(from, to string, n int) Op {
	return Op{Kind: Transfer, Key: from, To: to, Amount: uint64(n)}
}

func TestI4_HistoriesThatAnOrderExplains(t *testing.T) {
	for what, tell := range map[string]func(h *history){
		"one after the other": func(h *history) {
			at(h, 0, 0, 1, put("k", "a"), Out{})
			at(h, 1, 2, 3, get("k"), found("a"))
		},
		"a read at the time of a write sees it or not": func(h *history) {
			at(h, 0, 0, 1, put("k", "a"), Out{})
			at(h, 0, 2, 9, put("k", "b"), Out{})
			at(h, 1, 3, 4, get("k"), found("a"))
			at(h, 2, 5, 6, get("k"), found("b"))
		},
		"a write of unknown outcome happened late": func(h *history) {
			at(h, 0, 0, -1, put("k", "a"), Out{})
			at(h, 1, 1, 2, get("k"), missing())
			at(h, 1, 3, 4, get("k"), found("a"))
		},
		"a write of unknown outcome never happened": func(h *history) {
			at(h, 0, 0, -1, put("k", "a"), Out{})
			at(h, 1, 1, 2, get("k"), missing())
		},
		"deleting": func(h *history) {
			at(h, 0, 0, 1, put("k", "a"), Out{})
			at(h, 0, 2, 3, Op{Kind: Delete, Key: "k"}, Out{Found: true})
			at(h, 0, 4, 5, Op{Kind: Delete, Key: "k"}, Out{})
			at(h, 0, 6, 7, put("k", "b"), Out{})
			at(h, 0, 8, 9, get("k"), Out{Found: true, Value: "b", Version: 1})
		},
		"a transaction over two keys": func(h *history) {
			at(h, 0, 0, 1, put("a", "1"), Out{})
			swap := Op{
				Kind: Txn, If: []Cond{{Key: "a", Value: "1"}, {Key: "b", Absent: true}},
				Then: []Op{put("a", "2"), put("b", "2")}, Else: []Op{get("a")},
			}
			at(h, 0, 2, 3, swap, Out{Held: true, Outs: []Out{{}, {}}})
			at(h, 1, 4, 5, swap, Out{Outs: []Out{found("2")}})
		},
		"a bank": func(h *history) {
			at(h, 0, 0, 1, open("a", 10), Out{Balance: 10})
			at(h, 0, 2, 3, open("b", 0), Out{})
			at(h, 0, 4, 5, pay("a", "b", 11), Out{Refused: Insufficient})
			at(h, 0, 6, 7, pay("a", "b", 4), Out{Balance: 6, Other: 4})
			at(h, 0, 8, 9, pay("a", "c", 1), Out{Refused: NoRecipient})
			at(h, 0, 8, 9, pay("c", "a", 1), Out{Refused: NoAccount})
			at(h, 1, 8, 9, Op{Kind: Balance, Key: "b"}, Out{Balance: 4})
			at(h, 1, 8, 9, open("b", 3), Out{Refused: AccountExists})
			at(h, 1, 10, 11, Op{Kind: Audit}, Out{Balance: 10, Other: 2})
		},
	} {
		t.Run(what, func(t *testing.T) {
			var h history
			tell(&h)
			if r := Linearizable(h, patience); !r.Held || r.Checked == 0 || r.Note != "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestI4_HistoriesThatNoOrderExplains(t *testing.T) {
	for what, tell := range map[string]func(h *history){
		"a stale read": func(h *history) {
			at(h, 0, 0, 1, put("k", "a"), Out{})
			at(h, 0, 2, 3, put("k", "b"), Out{})
			at(h, 1, 4, 5, get("k"), found("a"))
		},
		"a value out of nowhere": func(h *history) { at(h, 0, 0, 1, get("k"), found("x")) },
		"a lost write": func(h *history) {
			at(h, 0, 0, 1, put("k", "a"), Out{})
			at(h, 1, 4, 5, get("k"), missing())
		},
		"new, then old": func(h *history) {
			at(h, 0, 0, 1, put("k", "a"), Out{})
			at(h, 0, 2, 9, put("k", "b"), Out{})
			at(h, 1, 3, 4, get("k"), found("b"))
			at(h, 2, 5, 6, get("k"), found("a"))
		},
		"a write that was done twice": func(h *history) {
			at(h, 0, 0, 1, put("k", "a"), Out{})
			at(h, 1, 2, 3, get("k"), Out{Found: true, Value: "a", Version: 2})
		},
		"half a transaction": func(h *history) {
			both := Op{Kind: Txn, Then: []Op{put("a", "1"), put("b", "1")}}
			at(h, 0, 0, 9, both, Out{Held: true, Outs: []Out{{}, {}}})
			at(h, 1, 1, 2, get("a"), found("1"))
			at(h, 1, 3, 4, get("b"), missing())
		},
		"money out of nowhere": func(h *history) {
			at(h, 0, 0, 1, open("a", 10), Out{Balance: 10})
			at(h, 0, 0, 1, open("b", 10), Out{Balance: 10})
			at(h, 0, 2, 3, pay("a", "b", 4), Out{Balance: 6, Other: 14})
			at(h, 1, 10, 11, Op{Kind: Audit}, Out{Balance: 24, Other: 2})
		},
		"a refusal without a reason": func(h *history) {
			at(h, 0, 0, 1, open("a", 10), Out{Balance: 10})
			at(h, 0, 0, 1, open("b", 10), Out{Balance: 10})
			at(h, 0, 2, 3, pay("a", "b", 4), Out{Refused: Insufficient})
		},
	} {
		t.Run(what, func(t *testing.T) {
			var h history
			tell(&h)
			mustFail(t, Linearizable(h, patience))
		})
	}
}

func TestI4_NamesTheFirstReturnThatNoOrderExplains(t *testing.T) {
	var h history
	for i := range 50 {
		at(&h, 0, time.Duration(10*i), time.Duration(10*i+5), put("k", string(rune('a'+i%26))), Out{})
	}
	at(&h, 7, 212, 214, get("k"), found("z")) // u or v
	at(&h, 8, 600, 610, get("k"), found("nothing like it"))
	if r := Linearizable(h, patience); !strings.Contains(r.Why, "client 7: get k") {
		t.Errorf("%q does not name the stale read of client 7", r.Why)
	}
}

func TestI4_SaysThatItGaveUp(t *testing.T) {
	var h history
	at(&h, 0, 0, 1, put("k", "a"), Out{})
	at(&h, 0, 2, 3, get("k"), found("a"))
	h[0].Order, h[1].Order = 2, 1 // this order does not explain the answers, so without it another order must be found
	if r := Linearizable(h, 0); !r.Held || r.Checked != 0 || !strings.Contains(r.Note, "2 operations") {
		t.Errorf("%+v", r)
	}
}

// Only operations that have keys in common, also through other operations, are judged together. So a long history is
// decided quickly.
func TestI4_DecidesLongHistories(t *testing.T) {
	var h history
	for i := range 4000 {
		k := string(rune('a' + i%20))
		at(&h, i%8, time.Duration(10*i), time.Duration(10*i+75), put(k, k+string(rune(i))), Out{})
		at(&h, i%8, time.Duration(10*i+200), time.Duration(10*i+275), get(k), found(k+string(rune(i))))
	}
	began := time.Now()
	if r := Linearizable(h, patience); !r.Held || r.Checked != 8000 {
		t.Errorf("%+v", r)
	}
	t.Logf("8000 operations in %v", time.Since(began))
}

func TestI15_ARunRecovers(t *testing.T) {
	good := Recovery{Committed: time.Second, CaughtUp: 2 * time.Second, Within: 3 * time.Second, Before: 1, Views: 2, MostViews: 1}
	mustHold(t, Settled(good), 4)
	for _, spoil := range []func(*Recovery){
		func(r *Recovery) { r.Committed = -1 }, func(r *Recovery) { r.CaughtUp = -1 },
		func(r *Recovery) { r.Committed = time.Minute }, func(r *Recovery) { r.CaughtUp = time.Minute },
		func(r *Recovery) { r.Views = 3 }, func(r *Recovery) { r.Behind = append(r.Behind, 2) },
	} {
		bad := good
		spoil(&bad)
		mustFail(t, Settled(bad))
	}
}
