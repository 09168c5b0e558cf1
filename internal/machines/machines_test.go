package machines

import (
	"strings"
	"testing"

	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

func TestByName_EveryMachineOfTheClusterFileExists(t *testing.T) {
	for _, name := range Shipped.Names() {
		if m, err := Shipped.New(name, 0); m == nil || err != nil {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if m, err := Shipped.New(Bank, 0); m != (bank.Machine{}) || err != nil {
		t.Errorf("bank: %T, %v", m, err)
	}
	if m, err := Shipped.New(KV, 7); m != (kv.Machine{History: 7}) || err != nil {
		t.Errorf("kv: %T, %v", m, err)
	}
	for _, wrong := range []struct {
		name    string
		history int
	}{{KV, -1}, {Bank, 1}} {
		if m, err := Shipped.New(wrong.name, wrong.history); m != nil || err == nil {
			t.Errorf("%s with a history of %d: %v, %v", wrong.name, wrong.history, m, err)
		}
	}
	if m, err := Shipped.New("abacus", 0); m != nil || err == nil {
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
