package links

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"tagma/pbft/wire"
)

func TestMatch_CoversByTypeViewSeqAndReplicas(t *testing.T) {
	nv := &wire.NewView{
		View: 3, ViewChanges: []wire.ViewChange{{Stable: wire.StableCert{Seq: 10}}, {}},
		Proposals: make([]wire.Proposal, 4), // 11 to 14
	}
	vc := &wire.ViewChange{View: 3, Prepared: []wire.PreparedCert{{Seq: 12}, {Seq: 15}}}
	for _, c := range []struct {
		name    string
		match   Match
		message wire.Message
		covers  bool
	}{
		{"anything", Match{}, nil, true},
		{"type", Match{Types: Types{wire.TypeCommit}}, &wire.Commit{}, true},
		{"another type", Match{Types: Types{wire.TypeCommit}}, &wire.Prepare{}, false},
		{"not decoded", Match{Types: Types{wire.TypeCommit}}, nil, false},
		{"one of several types", Match{Types: Types{wire.TypePrepare, wire.TypeCommit}}, &wire.Commit{}, true},
		{"none of several types", Match{Types: Types{wire.TypePrepare, wire.TypeCommit}}, &wire.Suspect{}, false},
		{"an exception", Match{Except: []Match{{Types: Types{wire.TypeCommit}}}}, &wire.Commit{}, false},
		{"an exception of something else", Match{Except: []Match{{Types: Types{wire.TypeCommit}, To: ids(2)}}}, &wire.Commit{}, true},
		{"the second exception", Match{Except: []Match{{To: ids(2)}, {SeqFrom: 3, SeqTo: 4}}}, &wire.Commit{Seq: 4}, false},
		{"an exception is what is not decoded", Match{Except: []Match{{From: ids(0)}}}, nil, false},
		{"the highest seq", Match{SeqFrom: 1<<64 - 1, SeqTo: 1<<64 - 1}, &wire.Commit{Seq: 1<<64 - 1}, true},
		{"from", Match{From: ids(0, 2)}, nil, true},
		{"from another", Match{From: ids(1)}, nil, false},
		{"to", Match{To: ids(1)}, nil, true},
		{"to another", Match{To: ids(0)}, nil, false},
		{"view", Match{View: new(wire.View(2))}, &wire.Prepare{View: 2}, true},
		{"view 0", Match{View: new(wire.View(0))}, &wire.Prepare{View: 2}, false},
		{"view of a suspect", Match{View: new(wire.View(2))}, &wire.Suspect{View: 2}, true},
		{"view of a heartbeat", Match{View: new(wire.View(2))}, &wire.Heartbeat{View: 2}, true},
		{"view of a status", Match{View: new(wire.View(2))}, &wire.Status{View: 2}, true},
		{"view of a pre-prepare", Match{View: new(wire.View(2))}, &wire.PrePrepare{View: 2}, true},
		{"view of a view-change", Match{View: new(wire.View(3))}, vc, true},
		{"view of a new-view", Match{View: new(wire.View(3))}, nv, true},
		{"view of a pushed certificate", Match{View: new(wire.View(3))}, &wire.CertifiedBody{Cert: &wire.CommitCert{View: 3}}, true},
		{"a body has no view", Match{View: new(wire.View(0))}, &wire.CertifiedBody{}, false},
		{"a fetch has no view", Match{View: new(wire.View(0))}, &wire.Fetch{}, false},
		{"seq", Match{SeqFrom: 5, SeqTo: 7}, &wire.Commit{Seq: 7}, true},
		{"seq above", Match{SeqFrom: 5, SeqTo: 7}, &wire.Commit{Seq: 8}, false},
		{"seq below", Match{SeqFrom: 5, SeqTo: 7}, &wire.Commit{Seq: 4}, false},
		{"seq of a checkpoint", Match{SeqFrom: 5, SeqTo: 7}, &wire.Checkpoint{Seq: 5}, true},
		{"seq of a pre-prepare", Match{SeqFrom: 5, SeqTo: 7}, &wire.PrePrepare{Seq: 5}, true},
		{"seq of a prepare", Match{SeqFrom: 5, SeqTo: 7}, &wire.Prepare{Seq: 5}, true},
		{"seq of a body", Match{SeqFrom: 5, SeqTo: 7}, &wire.CertifiedBody{Seq: 5}, true},
		{"seq of a fetch", Match{SeqFrom: 5, SeqTo: 7}, &wire.Fetch{Seq: 5}, true},
		{"seq of a notice", Match{SeqFrom: 5, SeqTo: 7}, &wire.StableNotice{Cert: wire.StableCert{Seq: 5}}, true},
		{"a suspect has no seq", Match{SeqFrom: 0, SeqTo: 7}, &wire.Suspect{}, false},
		{"a view-change shows it", Match{SeqFrom: 13, SeqTo: 15}, vc, true},
		{"a view-change does not show it", Match{SeqFrom: 13, SeqTo: 14}, vc, false},
		{"a new-view proposes for it", Match{SeqFrom: 14, SeqTo: 20}, nv, true},
		{"a new-view is below it", Match{SeqFrom: 15, SeqTo: 20}, nv, false},
		{"a new-view is above it", Match{SeqFrom: 1, SeqTo: 10}, nv, false},
	} {
		if got := c.match.Covers(Frame{From: 0, To: 1, Message: c.message}); got != c.covers {
			t.Errorf("%s: covered is %v", c.name, got)
		}
	}
}

func TestRules_DoWhatTheySay(t *testing.T) {
	for action, want := range map[Action][]time.Duration{
		Drop: nil, Hold: nil, Delay: {6 * ms}, Duplicate: {ms, ms}, Corrupt: {ms},
	} {
		p := policy(4, Link{Delay: ms})
		p.add(Rule{ID: "r", Action: action, By: 5 * ms, Match: Match{Types: Types{wire.TypeCommit}}})
		out := p.Pass(0, commit(0, 1, 0, 1))
		var got []time.Duration
		for _, d := range out {
			got = append(got, min(d.After, 6*ms))
		}
		if action == Duplicate && len(got) == 2 && got[1] >= ms && got[1] <= 3*ms {
			got[1] = ms
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: arrivals %v, not %v", action, got, want)
		}
		if p.Fired()["r"] != 1 {
			t.Errorf("%s: counted %v", action, p.Fired())
		}
	}
}

func TestRules_CorruptTurnsTheBitThatIsSaid(t *testing.T) {
	number := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		Place
		at   int // -1: anywhere
		mask byte
	}{
		"a bit of a byte":       {Place{number(1), number(7)}, 1, 0x80},
		"from the end":          {Place{number(-1), number(0)}, 9, 0x01},
		"any bit of a byte":     {Place{Byte: number(4)}, 4, 0xff},
		"a bit of any byte":     {Place{Bit: number(3)}, -1, 0x08},
		"anything":              {Place{}, -1, 0xff},
		"beyond the end":        {Place{Byte: number(10)}, -2, 0},
		"before the first byte": {Place{Byte: number(-11)}, -2, 0},
	} {
		p, f := policy(4, Link{}), commit(0, 1, 0, 1)
		p.add(Rule{ID: "r", Action: Corrupt, Place: c.Place})
		out := p.Pass(0, f)
		var changed []int
		for i, b := range out[0].Bytes {
			if turned := b ^ f.Bytes[i]; turned != 0 {
				changed = append(changed, i)
				if turned&c.mask == 0 || turned&(turned-1) != 0 || c.at >= 0 && i != c.at {
					t.Errorf("%s: byte %d, bits %08b", name, i, turned)
				}
			}
		}
		none := c.at == -2
		if none != (len(changed) == 0) || none != (p.Fired()["r"] == 0) || none != (out[0].Message != nil) || string(f.Bytes) != "commit 0 1" {
			t.Errorf("%s: bytes %v turned, counted %v", name, changed, p.Fired())
		}
	}
}

func TestRules_TheFirstOneThatMatchesActs(t *testing.T) {
	p := policy(4, Link{})
	p.add(Rule{ID: "one", Action: Drop, Match: Match{From: ids(0)}})
	p.add(Rule{ID: "two", Action: Hold, Match: Match{Types: Types{wire.TypeCommit}}})
	p.Pass(0, commit(0, 1, 0, 1))
	p.Pass(0, commit(2, 1, 0, 1))
	if got := p.Fired(); got["one"] != 1 || got["two"] != 1 {
		t.Errorf("%v", got)
	}
}

func TestRules_AReleaseLetsGoInOrderWhatWasHeld(t *testing.T) {
	p := policy(4, Link{Delay: ms})
	p.add(Rule{ID: "a", Name: "gate", Action: Hold, Match: Match{From: ids(0)}})
	p.add(Rule{ID: "b", Name: "gate", Action: Hold, Match: Match{From: ids(1)}})
	p.add(Rule{ID: "c", Name: "other", Action: Hold, Match: Match{From: ids(2)}})
	for s := range wire.Seq(3) {
		p.Pass(0, commit(0, 3, 0, s))
	}
	p.Pass(0, commit(1, 3, 0, 9))
	p.Pass(0, commit(2, 3, 0, 8))
	var got []wire.Seq
	for _, d := range do(t, p, time.Second, Command{Do: DoRelease, Name: "gate"}) {
		if d.After != ms {
			t.Errorf("arrives %v after the release", d.After)
		}
		got = append(got, d.Message.(*wire.Commit).Seq)
	}
	if want := []wire.Seq{0, 1, 2, 9}; !reflect.DeepEqual(got, want) {
		t.Errorf("released %v, not %v", got, want)
	}
	if !passes(p, 0, 3) || passes(p, 2, 3) {
		t.Error("the rules of that name, and no others, were to end")
	}
	if out := p.release(time.Second, "gate"); len(out) != 0 {
		t.Error("it was released twice")
	}
}

func TestRules_AReleaseMeetsTheLinksAsTheyAreThen(t *testing.T) {
	p := policy(4, Link{})
	p.add(Rule{ID: "a", Name: "gate", Action: Hold})
	p.Pass(0, commit(0, 3, 0, 1))
	p.isolate("i", In, 3)
	if out := p.release(0, "gate"); len(out) != 0 || p.Fired()["i"] != 1 {
		t.Error("it crossed an isolation")
	}
}

func TestRules_EndAtTheirTime(t *testing.T) {
	p := policy(4, Link{Delay: ms})
	p.add(Rule{ID: "hold", Action: Hold, Until: time.Second, Match: Match{From: ids(0)}})
	p.add(Rule{ID: "drop", Action: Drop, Until: time.Second, Match: Match{From: ids(1)}})
	if got := p.Pass(400*ms, commit(0, 1, 0, 1)); len(got) != 1 || got[0].After != 601*ms {
		t.Errorf("held until its end: %+v", got)
	}
	if passes(p, 1, 0) {
		t.Error("the rule did not act before its end")
	}
	for _, from := range ids(0, 1) {
		if got := p.Pass(time.Second, commit(from, 2, 0, 1)); len(got) != 1 || got[0].After != ms {
			t.Errorf("after the end: %+v", got)
		}
	}
}

func TestRules_ACrashForgetsWhatItsReplicaSentOrWouldGet(t *testing.T) {
	p := policy(4, Link{})
	p.add(Rule{Name: "gate", Action: Hold})
	p.Pass(0, commit(0, 1, 0, 1))
	p.Pass(0, commit(1, 2, 0, 1))
	p.Pass(0, commit(2, 3, 0, 1))
	p.Forget(1)
	if out := p.release(0, "gate"); len(out) != 1 || out[0].From != 2 {
		t.Errorf("released %+v", out)
	}
}

func TestRules_HoldNoMoreThanTheirBound(t *testing.T) {
	p := policy(4, Link{})
	p.add(Rule{Name: "gate", Action: Hold})
	f := commit(0, 1, 0, 1)
	for range mostHeld + 10 {
		p.Pass(0, f)
	}
	if got := len(p.release(0, "gate")); got != mostHeld {
		t.Errorf("%d frames were held", got)
	}
}

func TestCommand_SurvivesJSON(t *testing.T) {
	for _, c := range []Command{
		{ID: "e1", Do: DoPartition, Groups: [][]wire.ReplicaID{{0, 1}, {2, 3}}},
		{ID: "e2", Do: DoIsolate, Targets: ids(1), Direction: In},
		{ID: "e3", Do: DoLink, From: ids(0), To: ids(1, 2), Link: Link{ms, 2 * ms, 0.1, 0.2, 0.3, 1000}},
		{ID: "e4", Do: DoRule, Rule: &Rule{
			ID: "r", Name: "gate", Action: Delay, By: ms, Until: time.Second,
			Match: Match{Types{wire.TypeCommit}, new(wire.View(0)), 1, 20, ids(0), ids(3), []Match{{Types: Types{wire.TypeFetch}}}},
		}},
		{Do: DoRelease, Name: "gate"},
	} {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back Command
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("%s came back as %+v, %v", text, back, err)
		}
	}
}

func TestDo_RefusesWhatDoesNotSuitTheCluster(t *testing.T) {
	for _, c := range []struct {
		command Command
		want    string
	}{
		{Command{Do: "explode"}, "no such command"},
		{Command{Do: DoIsolate, Targets: ids(4)}, "no replica 4"},
		{Command{Do: DoIsolate, Targets: ids(0), Direction: "up"}, `direction "up"`},
		{Command{Do: DoPartition, Groups: [][]wire.ReplicaID{{0, 1}, {1}}}, "two groups"},
		{Command{Do: DoPartition, Groups: [][]wire.ReplicaID{{0, 7}}}, "no replica 7"},
		{Command{Do: DoLink, From: ids(0), To: ids(1), Link: Link{Loss: 1.5}}, "no probability"},
		{Command{Do: DoLink, From: ids(0), To: ids(9)}, "no replica 9"},
		{Command{Do: DoRule}, "no rule"},
		{Command{Do: DoRule, Rule: &Rule{Action: "burn"}}, "no rule"},
	} {
		p := policy(4, Link{})
		if _, err := p.Do(0, c.command); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, and it was to say %q", c.command, err, c.want)
		}
		if got := open(p); got != all4 {
			t.Errorf("%+v changed something: %s", c.command, got)
		}
	}
}

// The same commands make the same links: a replica process that starts again is given all commands once more.
func TestDo_TheSameCommandsMakeTheSameLinks(t *testing.T) {
	commands := []Command{
		{Do: DoPartition, Groups: [][]wire.ReplicaID{{0, 1, 2}}},
		{Do: DoIsolate, Targets: ids(1), Direction: Out},
		{ID: "r", Do: DoRule, Rule: &Rule{Action: Drop, Match: Match{From: ids(0), To: ids(2)}}},
		{Do: DoEndRule, Name: "r"},
		{Do: DoRejoin, Targets: ids(1)},
		{Do: DoIsolate, Targets: ids(2)},
	}
	one, two := policy(4, Link{}), policy(4, Link{})
	for _, c := range commands {
		do(t, one, 0, c)
		open(one)
	}
	for _, c := range commands {
		do(t, two, 0, c)
	}
	if a, b := open(one), open(two); a != b || a != " 01 10" {
		t.Errorf("%s and %s", a, b)
	}
}
