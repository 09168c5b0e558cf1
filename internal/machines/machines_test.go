package machines

import (
	"strings"
	"testing"

	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

func TestByName_EveryMachineOfTheClusterFileExists(t *testing.T) {
	for _, name := range Shipped.Names() {
		if m, err := Shipped.New(name, History{}); m == nil || err != nil {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if m, err := Shipped.New(Bank, History{}); m != (bank.Machine{}) || err != nil {
		t.Errorf("bank: %T, %v", m, err)
	}
	if m, err := Shipped.New(KV, History{Batches: 7}); m != (kv.Machine{History: 7}) || err != nil {
		t.Errorf("kv: %T, %v", m, err)
	}
	for _, wrong := range []struct {
		name    string
		history History
	}{{KV, History{Batches: -1}}, {KV, History{Age: -1}}, {Bank, History{Batches: 1}}, {Bank, History{All: true}}} {
		if m, err := Shipped.New(wrong.name, wrong.history); m != nil || err == nil {
			t.Errorf("%s with the history %+v: %v, %v", wrong.name, wrong.history, m, err)
		}
	}
	if m, err := Shipped.New("abacus", History{}); m != nil || err == nil {
		t.Errorf("a machine that does not exist: %v, %v", m, err)
	}
}

func TestCheckName_AllowsMachinesThatThisProgramDoesNotHave(t *testing.T) {
	for name, good := range map[string]bool{"counter": true, "my.Machine_2-x": true, "": false, "two words": false, "a\nb": false, strings.Repeat("m", 65): false} {
		if err := CheckName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}
