package links

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/wire"
)

const all4 = " 01 02 03 10 12 13 20 21 23 30 31 32"

func TestCuts_KeepApartExactlyWhomTheyShould(t *testing.T) {
	far := Link{Loss: 1}
	for name, c := range map[string]struct {
		commands []Command
		open     string
	}{
		"nothing":             {nil, all4},
		"two and two":         {[]Command{{Do: DoPartition, Groups: [][]wire.ReplicaID{{0, 1}, {2, 3}}}}, " 01 10 23 32"},
		"the rest is a group": {[]Command{{Do: DoPartition, Groups: [][]wire.ReplicaID{{3}}}}, " 01 02 10 12 20 21"},
		"a later partition replaces": {[]Command{
			{Do: DoPartition, Groups: [][]wire.ReplicaID{{0, 1}}}, {Do: DoPartition, Groups: [][]wire.ReplicaID{{0}}},
		}, " 12 13 21 23 31 32"},
		"no groups end it": {[]Command{{Do: DoPartition, Groups: [][]wire.ReplicaID{{0, 1}}}, {Do: DoPartition}}, all4},
		"a ring":           {[]Command{{Do: DoRing}}, " 01 03 10 12 21 23 30 32"},
		"isolated":         {[]Command{{Do: DoIsolate, Targets: ids(1)}}, " 02 03 20 23 30 32"},
		"deaf":             {[]Command{{Do: DoIsolate, Targets: ids(1), Direction: In}}, " 02 03 10 12 13 20 23 30 32"},
		"mute":             {[]Command{{Do: DoIsolate, Targets: ids(1), Direction: Out}}, " 01 02 03 20 21 23 30 31 32"},
		"rejoined":         {[]Command{{Do: DoIsolate, Targets: ids(0, 1)}, {Do: DoRejoin, Targets: ids(0)}}, " 02 03 20 23 30 32"},
		"one link":         {[]Command{{Do: DoLink, From: ids(0), To: ids(3), Link: far}}, " 01 02 10 12 13 20 21 23 30 31 32"},
		"one link healed": {[]Command{
			{Do: DoLink, From: ids(0, 1), To: ids(2, 3), Link: far}, {Do: DoHealLink, From: ids(0), To: ids(2, 3)},
		}, " 01 02 03 10 20 21 23 30 31 32"},
		"all healed": {[]Command{
			{Do: DoLink, From: ids(0), To: ids(3), Link: far}, {Do: DoRing}, {Do: DoIsolate, Targets: ids(1)}, {Do: DoHeal},
		}, all4},
	} {
		p := policy(4, Link{})
		for _, command := range c.commands {
			do(t, p, 0, command)
		}
		if got := open(p); got != c.open {
			t.Errorf("%s: open are%s, not%s", name, got, c.open)
		}
	}
}

func TestCuts_ALinkOfItsOwnReplacesTheDefault(t *testing.T) {
	p := policy(4, Link{Delay: ms})
	do(t, p, 0, Command{ID: "slow", Do: DoLink, From: ids(0), To: ids(1), Link: Link{Delay: time.Second}})
	if got := p.Pass(0, commit(0, 1, 0, 1))[0].After; got != time.Second {
		t.Errorf("that way: %v", got)
	}
	if got := p.Pass(0, commit(1, 0, 0, 1))[0].After; got != ms {
		t.Errorf("the other way: %v", got)
	}
}

func TestApart_IsWhoeverHearsNoQuorum(t *testing.T) {
	dead := Link{Loss: 1}
	for name, c := range map[string]struct {
		n     int
		done  []Command
		apart []wire.ReplicaID
	}{
		"nothing":              {4, nil, nil},
		"three and one":        {4, []Command{{Do: DoPartition, Groups: [][]wire.ReplicaID{ids(0, 1, 2), ids(3)}}}, ids(3)},
		"the rest is a group":  {4, []Command{{Do: DoPartition, Groups: [][]wire.ReplicaID{ids(0, 1, 2)}}}, ids(3)},
		"two and two":          {4, []Command{{Do: DoPartition, Groups: [][]wire.ReplicaID{ids(0, 1), ids(2, 3)}}}, ids(0, 1, 2, 3)},
		"a ring of four":       {4, []Command{{Do: DoRing}}, nil},
		"deaf":                 {4, []Command{{Do: DoIsolate, Targets: ids(2), Direction: In}}, ids(2)},
		"mute, and hears all":  {4, []Command{{Do: DoIsolate, Targets: ids(2), Direction: Out}}, nil},
		"rejoined":             {4, []Command{{Do: DoIsolate, Targets: ids(2)}, {Do: DoRejoin, Targets: ids(2)}}, nil},
		"healed":               {4, []Command{{Do: DoIsolate, Targets: ids(2)}, {Do: DoHeal}}, nil},
		"a partition of it":    {4, []Command{{Do: DoIsolate, Targets: ids(2)}, {Do: DoPartition}}, ids(2)},
		"one dead link":        {4, []Command{{Do: DoLink, From: ids(1), To: ids(2), Link: dead}}, nil},
		"two dead links":       {4, []Command{{Do: DoLink, From: ids(0, 1), To: ids(2), Link: dead}}, ids(2)},
		"half dead links":      {4, []Command{{Do: DoLink, From: ids(0, 1), To: ids(2), Link: Link{Loss: 0.5}}}, nil},
		"a quorum of seven":    {7, []Command{{Do: DoPartition, Groups: [][]wire.ReplicaID{ids(0, 1, 2, 3, 4), ids(5, 6)}}}, ids(5, 6)},
		"a link that is whole": {4, []Command{{Do: DoLink, From: ids(0, 1), To: ids(2), Link: dead}, {Do: DoHealLink, From: ids(1), To: ids(2)}}, nil},
	} {
		p := policy(c.n, Link{})
		for _, command := range c.done {
			if _, err := p.Do(0, command); err != nil {
				t.Fatal(name, err)
			}
		}
		if got := p.Apart(c.n - (c.n-1)/3); !slices.Equal(got, c.apart) {
			t.Errorf("%s: %v, not %v", name, got, c.apart)
		}
	}
}

func TestFired_CountsWhatEachChangeTouched(t *testing.T) {
	p := policy(4, Link{})
	do(t, p, 0, Command{ID: "partition", Do: DoPartition, Groups: [][]wire.ReplicaID{{0, 1}, {2, 3}}})
	do(t, p, 0, Command{ID: "deaf", Do: DoIsolate, Direction: In, Targets: ids(1)})
	do(t, p, 0, Command{ID: "link", Do: DoLink, From: ids(0), To: ids(1), Link: Link{Delay: ms}})
	do(t, p, 0, Command{ID: "untouched", Do: DoLink, From: ids(0), To: ids(3), Link: Link{Delay: ms}})
	do(t, p, 0, Command{ID: "rule", Do: DoRule, Rule: &Rule{Action: Drop, Match: Match{From: ids(2), To: ids(3)}}})
	do(t, p, 0, Command{ID: "never", Do: DoRule, Rule: &Rule{Action: Drop, Match: Match{Types: Types{wire.TypeNewView}}}})
	p.Pass(0, commit(0, 2, 0, 1)) // partition
	p.Pass(0, commit(3, 1, 0, 1)) // partition, which is checked before deafness
	p.Pass(0, commit(0, 1, 0, 1)) // deaf
	p.Pass(0, commit(2, 3, 0, 1)) // rule
	do(t, p, 0, Command{Do: DoRejoin, Targets: ids(1)})
	p.Pass(0, commit(0, 1, 0, 1)) // link
	want := map[string]int{"partition": 2, "deaf": 1, "link": 1, "rule": 1}
	got := p.Fired()
	if len(got) != len(want) {
		t.Errorf("%v, not %v", got, want)
	}
	for id, n := range want {
		if got[id] != n {
			t.Errorf("%s touched %d frames, not %d", id, got[id], n)
		}
	}
}
