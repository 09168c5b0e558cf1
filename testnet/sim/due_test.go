package sim

import (
	"encoding/binary"
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/testnet/byzantine"
	"tagma/testnet/sim/disk"
)

// clocked is a machine that wants a batch each second, and counts them.
type clocked struct{}

var keyNext, keyCount = []byte("next"), []byte("count")

func (clocked) Tick(tx statemachine.Txn) {
	if now := tx.Time(); now.UnixNano() >= (clocked{}).Due(tx) {
		b, _ := tx.Get(keyCount)
		count := binary.BigEndian.Uint64(append(make([]byte, 8-len(b)), b...))
		tx.Put(keyCount, binary.BigEndian.AppendUint64(nil, count+1))
		tx.Put(keyNext, binary.BigEndian.AppendUint64(nil, uint64(now.Add(time.Second).UnixNano())))
	}
}

func (clocked) Due(r statemachine.Reader) int64 {
	b, found := r.Get(keyNext)
	if !found {
		return Epoch
	}
	return int64(binary.BigEndian.Uint64(b))
}

func (clocked) Apply(statemachine.Txn, []byte) []byte { return nil }

func (clocked) Query(r statemachine.Reader, _ []byte) []byte {
	b, _ := r.Get(keyCount)
	return b
}

// On an idle cluster batches are ordered when the application waits for one: also after all have restarted, and under a
// primary that orders nothing.
func TestT5_AnIdleClusterOrdersWhatTheApplicationWaitsFor(t *testing.T) {
	for name, malicious := range map[string][]Malicious{
		"correct":        nil,
		"orders nothing": {{Replica: 0, Choice: byzantine.Choice{Name: "silent", Values: map[string]string{"types": "pre-prepare"}}}},
	} {
		w := mustNew(t, Options{
			Seed: 1, Config: small(), Application: func() statemachine.Machine { return clocked{} }, Malicious: malicious,
			Workload: Workload{Kind: None},
		})
		count := func() uint64 {
			n := w.byID[1][0]
			b, err := n.exec.Service.Query(nil, n.exec.Service.Executed())
			if err != nil {
				t.Fatal(err)
			}
			return binary.BigEndian.Uint64(append(make([]byte, 8-len(b)), b...))
		}
		w.mustRun(t, 30*time.Second)
		early := count()
		if early < 15 || early > 31 {
			t.Errorf("%s: %d ticks in 30 s", name, early)
		}
		for id := range wire.ReplicaID(4) {
			w.Crash(id, disk.Kill)
		}
		for id := range wire.ReplicaID(4) {
			if err := w.Restart(id); err != nil {
				t.Fatal(err)
			}
		}
		w.mustRun(t, 60*time.Second)
		if late := count() - early; late < 15 || late > 31 {
			t.Errorf("%s: %d ticks in 30 s after a restart of all", name, late)
		}
	}
}
