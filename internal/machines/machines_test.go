package machines

import (
	"testing"

	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

func TestByName_EveryMachineOfTheClusterFileExists(t *testing.T) {
	for _, name := range Names() {
		if m, err := ByName(name); m == nil || err != nil {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if m, err := ByName(Bank); m != (bank.Machine{}) || err != nil {
		t.Errorf("bank: %T, %v", m, err)
	}
	if m, err := ByName(KV); m != (kv.Machine{}) || err != nil {
		t.Errorf("kv: %T, %v", m, err)
	}
	if m, err := ByName("abacus"); m != nil || err == nil {
		t.Errorf("a machine that does not exist: %v, %v", m, err)
	}
}
