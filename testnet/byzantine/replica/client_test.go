package replica

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
)

func TestClientCatalogue_IsSortedAndEveryEntryIsExplained(t *testing.T) {
	all := client.Catalogue()
	if !slices.IsSortedFunc(all, func(a, b tamper.Behaviour) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not sorted by name")
	}
	for _, b := range all {
		if b.Summary == "" || strings.Contains(b.Summary, "\n") {
			t.Errorf("%s: summary %q is not one line", b.Name, b.Summary)
		}
		for _, p := range b.Parameters {
			if p.Summary == "" {
				t.Errorf("%s: parameter %s is not explained", b.Name, p.Name)
			}
		}
		if _, err := parseClient(b.Name); err != nil {
			t.Errorf("the defaults are refused: %v", err)
		}
	}
}

func TestParseClientChoice_RefusesWhatDoesNotExist(t *testing.T) {
	for text, part := range map[string]string{
		"equivocate":                       "client-equivocation",
		"client-equivocation,split=thirds": "halves, primary, each",
		"client-equivocation,every":        "parameter=value",
		"client-flood,valid=0,invalid=0":   "there is no flood",
		"client-flood,valid=2000000":       "0 to 1000000",
		"client-flood,valid=1,valid=2":     "given twice",
		"partial-client,to=x":              "no destination",
		"partial-client,signature=none":    "good, bad",
		"absurd-sessions,seed=x":           "not a whole number",
		"malformed,kinds=entries+nest":     "nesting",
		"malformed,bytes=1":                "outside 256",
		"exhaust,ways=sit":                 "trickle",
		"exhaust,streams=0":                "outside 1",
		"exhaust,rate=0":                   "outside 1",
	} {
		if _, err := parseClient(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v; the error should name %q", text, err, part)
		}
	}
	c, err := parseClient("partial-client,to=4")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.New(c, client.Config{Replicas: 4}, nil); err == nil || !strings.Contains(err.Error(), "there is no replica 4") {
		t.Errorf("of 4 replicas: %v", err)
	}
}

// C2, C3: a client sends two operations under one number. One of them is executed, the same one on all replicas, and no
// replica suspects the primary.
func TestC2_AClientThatEquivocatesExecutesOneOfItsOperations(t *testing.T) {
	for _, split := range []string{"halves", "primary", "each"} {
		t.Run(split, func(t *testing.T) {
			e := meet(t, "client-equivocation,split="+split)
			e.last(3 * time.Second)
			e.pass(time.Second)
			told := e.mustHaveLied(100)
			if told.Outcomes[wire.OutcomeExecuted] == 0 {
				t.Error("nothing of it was executed: there was nothing to contradict")
			}
			e.mustContradict(split == "each")
			var ids []wire.RequestID
			for _, r := range e.asked[0] {
				ids = append(ids, r.ID)
			}
			e.mustMask(ids...)
			e.mustEnter()
		})
	}
}

// mustContradict fails the test unless different replicas got different operations under every request number.
func (e *encounter) mustContradict(each bool) {
	e.t.Helper()
	// By request number, and then by replica: the digest of the first request with that number.
	first := map[wire.RequestID][]wire.Digest{}
	for i := range e.nodes {
		seen := map[wire.RequestID]bool{}
		for _, r := range e.asked[wire.ReplicaID(i)] {
			if !seen[r.ID] {
				seen[r.ID] = true
				first[r.ID] = append(first[r.ID], r.Digest())
			}
		}
	}
	want := 2
	if each {
		want = len(e.nodes)
	}
	for id, digests := range first {
		distinct := map[wire.Digest]bool{}
		for _, d := range digests {
			distinct[d] = true
		}
		if len(digests) != len(e.nodes) || len(distinct) != want {
			e.t.Fatalf("number %d stood for %d operations at %d replicas", id.T, len(distinct), len(digests))
		}
	}
}

// C3: a client sends a request only to backups. They relay it to the primary, so their timers do not make them suspect
// it.
func TestC3_ARequestToBackupsOnlyDeposesNobody(t *testing.T) {
	for _, to := range []string{"backups", "one", "2"} {
		t.Run(to, func(t *testing.T) {
			e := meet(t, "partial-client,to="+to)
			e.last(3 * time.Second)
			e.pass(time.Second)
			e.mustHaveLied(20)
			if len(e.asked[0]) > 0 {
				t.Error("the primary was asked")
			}
			var ids []wire.RequestID
			for _, r := range e.asked[2] {
				ids = append(ids, r.ID)
			}
			e.mustMask(ids...)
			e.mustEnter()
		})
	}
}

// C3, S2: no replica keeps a request with an invalid signature or starts a timer for it.
func TestC3_AnInvalidRequestArmsNoTimer(t *testing.T) {
	e := meet(t, "partial-client,to=all,signature=bad")
	e.last(4 * time.Second)
	told := e.mustHaveLied(100)
	if e.refused != int(told.Lies) {
		t.Errorf("%d of %d were refused", e.refused, told.Lies)
	}
	for i, m := range e.nodes {
		if n := m.replica.Inspect().Pending; n != 0 || len(m.executed) != 0 {
			t.Errorf("replica %d holds %d requests and executed %d batches", i, n, len(m.executed))
		}
	}
	e.mustEnter()
}

// C6: a client that sends too many requests gets a bounded share of the queue. The shares of honest clients remain free.
func TestC6_AFloodLeavesRoomForOthers(t *testing.T) {
	e := meet(t, "client-flood,valid=2000,invalid=4000")
	e.last(500 * time.Millisecond)
	var ids []wire.RequestID
	for n := range uint64(10) {
		ids = append(ids, e.submit(n+1))
		e.last(100 * time.Millisecond)
	}
	told := e.mustHaveLied(4 * 6000)
	if e.refused < 4*4000 {
		t.Errorf("%d of the invalid ones were refused", e.refused)
	}
	if told.Outcomes[wire.OutcomeExecuted] == 0 {
		t.Error("nothing of the flood was executed")
	}
	e.mustMask(ids...)
	e.mustAnswer(ids...)
	e.mustEnter()
}

// C1: the session numbers that are used include both ends of the range. Other clients are not affected.
func TestC1_AbsurdNumbersHarmNobodyElse(t *testing.T) {
	for _, numbers := range []string{"highest", "rising", "falling", "mixed"} {
		t.Run(numbers, func(t *testing.T) {
			e := meet(t, "absurd-sessions,numbers="+numbers)
			e.last(time.Second)
			ids := e.load(5, 50*time.Millisecond)
			e.last(time.Second)
			e.mustHaveLied(50)
			sessions := map[wire.Session]bool{}
			for _, r := range e.asked[0] {
				sessions[r.ID.Session] = true
			}
			if len(sessions) < len(e.asked[0])/2 {
				t.Errorf("%d sessions in %d requests", len(sessions), len(e.asked[0]))
			}
			e.mustMask(ids...)
			e.mustAnswer(ids...)
			e.mustEnter()
		})
	}
}

func TestS4_AClientsMalformedFramesChangeNothing(t *testing.T) {
	e := meet(t, "malformed")
	ids := e.load(3, 50*time.Millisecond)
	e.last(4 * time.Second)
	told := e.mustHaveLied(500)
	if e.malformed == 0 || e.refused == 0 || told.Lies < uint64(e.malformed+e.refused) {
		t.Errorf("%d frames: %d decode to nothing, %d are against the rules", told.Lies, e.malformed, e.refused)
	}
	e.mustMask(ids...)
	e.mustEnter()
}

// The same seed gives the same run: what a client does depends only on the seed and on the messages that it gets.
func TestClient_SaysTheSameAgain(t *testing.T) {
	for _, b := range client.Catalogue() {
		said := func() (all []client.Parcel) {
			c, err := client.New(tamper.Choice{Name: b.Name}, evilConfig(), signWith(keyOf("client", evil)))
			if err != nil {
				t.Fatal(err)
			}
			for now := time.Duration(0); now < 2*time.Second; now += 50 * time.Millisecond {
				all = append(all, c.Tick(now)...)
			}
			return all
		}
		one, two := said(), said()
		if !slices.EqualFunc(one, two, func(a, b client.Parcel) bool { return a.To == b.To && string(a.Frame) == string(b.Frame) }) {
			t.Errorf("%s said %d frames once and %d again, or others", b.Name, len(one), len(two))
		}
		if len(one) == 0 && b.Name != exhaust.Name {
			t.Errorf("%s says nothing", b.Name)
		}
	}
}
