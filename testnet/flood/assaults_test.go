package flood

import (
	"strings"
	"testing"

	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/tamper"
)

func TestI14_AttacksOnLinksAndByClientsAreFeltByNobodyElse(t *testing.T) {
	o := Defaults()
	o.Operations, o.Valid, o.Invalid = 200, 0, 0
	for _, text := range []string{"replica=malformed", "client=exhaust", "outsider=exhaust", "client=client-equivocation,every=5ms"} {
		as, behaviour, _ := strings.Cut(text, "=")
		choice, err := tamper.Split(behaviour)
		if err != nil {
			t.Fatal(err)
		}
		o.Assaults = append(o.Assaults, Assault{As: as, Choice: choice})
	}
	d := measure(t, o)
	if len(d.Assaults) != 4 {
		t.Errorf("%d attacks", len(d.Assaults))
	}
	for i := range d.Assaults {
		if d.Assaults[i].Tally.Acts() == 0 {
			t.Errorf("I18: there was no %s", d.Assaults[i].Behaviour)
		}
	}
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
