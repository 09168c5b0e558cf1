package kv_test

import (
	"errors"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

func TestVersion_AnAdministratorAloneUpgradesTheState(t *testing.T) {
	user, admin := [32]byte{1}, [32]byte{2}
	for name, m := range map[string]statemachine.Machine{"kv": kv.Machine{}, "bank": bank.Machine{}} {
		s, err := statemachine.New(m, memstore.New(), statemachine.Limits{Administrators: [][32]byte{admin}})
		if err != nil {
			t.Fatal(err)
		}
		upgrade := func(seq uint64, client [32]byte) error {
			replies, err := s.Apply(statemachine.Batch{Seq: seq, Time: 1, Requests: []statemachine.Request{
				{Client: client, Session: 1, T: 1, Digest: client, Ops: [][]byte{statemachine.Upgrade(2)}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			return statemachine.Failure(replies[0].Results[0])
		}
		var refused *statemachine.Refusal
		if err := upgrade(1, user); !errors.As(err, &refused) || refused.Code != statemachine.RefusedUpgrade {
			t.Errorf("%s: a client upgrades: %v", name, err)
		}
		if version, _, _ := s.Versions(); version != 1 {
			t.Errorf("%s: an older cluster is at version %d", name, version)
		}
		if err := upgrade(2, admin); err != nil {
			t.Errorf("%s: an administrator: %v", name, err)
		}
		if version, _, newest := s.Versions(); version != newest || newest != 2 {
			t.Errorf("%s: version %d of %d after the upgrade", name, version, newest)
		}
	}
	if first := statemachine.FirstVersion(kv.Machine{}); first != 2 {
		t.Errorf("a new cluster begins at version %d", first)
	}
}
