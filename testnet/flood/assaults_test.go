package flood

import (
	"strings"
	"testing"
	"time"

	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/tamper"
)

// What does not depend on the machine: every attack really happens, every honest request is answered, nobody is deposed.
func TestI14_AttacksOnLinksAndByClientsAreFeltByNobodyElse(t *testing.T) {
	o := Defaults()
	o.Dir, o.Operations, o.Honest, o.Workers, o.Valid, o.Invalid = t.TempDir(), 200, 2, 2, 0, 0
	o.ViewTimeout = 8 * time.Second // far above what a busy machine takes for anything
	for _, text := range []string{"replica=malformed", "client=exhaust", "outsider=exhaust", "client=client-equivocation,every=5ms"} {
		as, behaviour, _ := strings.Cut(text, "=")
		choice, err := tamper.Split(behaviour)
		if err != nil {
			t.Fatal(err)
		}
		o.Assaults = append(o.Assaults, Assault{As: as, Choice: choice})
	}
	d, err := Run(t.Context(), o, silence{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range d.Expect {
		if e.Key != "min_throughput_ratio" && !e.Held {
			t.Errorf("%s should be %v, and is %v", e.Key, e.Want, e.Got)
		}
	}
	if len(d.Assaults) != 4 || d.Resident.Before == 0 || d.Resident.After == 0 {
		t.Errorf("%d attacks, memory %+v", len(d.Assaults), d.Resident)
	}
	for i := range d.Assaults {
		if d.Assaults[i].Tally.Acts() == 0 {
			t.Errorf("I18: there was no %s", d.Assaults[i].Behaviour)
		}
	}
	t.Logf("%+v", d)
}

func TestAssault_WhatCannotBeIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		assault Assault
		part    string
	}{
		"nobody":             {Assault{As: "friend", Choice: byzantine.Choice{Name: "exhaust"}}, "client, replica, outsider"},
		"a client's lie":     {Assault{As: AsReplica, Choice: byzantine.Choice{Name: "client-flood"}}, "links only"},
		"a replica's lie":    {Assault{As: AsClient, Choice: byzantine.Choice{Name: "equivocate"}}, "no behaviour of clients"},
		"an outsider's vote": {Assault{As: AsOutsider, Choice: byzantine.Choice{Name: "silent"}}, "links only"},
		"a wrong parameter": {
			Assault{As: AsReplica, Choice: byzantine.Choice{Name: "exhaust", Values: map[string]string{"stream": "1"}}},
			"streams",
		},
	} {
		if err := c.assault.Check(); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: %v; the error should name %q", name, err, c.part)
		}
	}
	fine := Assault{As: AsOutsider, Choice: byzantine.Choice{Name: "malformed"}}
	if err := fine.Check(); err != nil {
		t.Error(err)
	}
}
