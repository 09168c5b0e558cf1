package statemachine_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

const perBatch = 64

// puts is a machine that costs almost nothing, so that the benchmark measures the service.
type puts struct{}

func (puts) Apply(tx statemachine.Txn, op []byte) []byte { tx.Put(op, op); return nil }

func (puts) Query(statemachine.Reader, []byte) []byte { return nil }

func plainPut(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func kvPut(n uint64) []byte {
	return kv.Put(binary.BigEndian.AppendUint64(nil, n%100_000), make([]byte, 100))
}

// BenchmarkApply executes batches of 64 requests of one operation, flushed every 8 batches. One op is one request.
func BenchmarkApply(b *testing.B) {
	b.Run("put/one client", func(b *testing.B) { benchmarkApply(b, puts{}, plainPut, 1) })
	b.Run("put/64 clients", func(b *testing.B) { benchmarkApply(b, puts{}, plainPut, perBatch) })
	b.Run("kv/one client", func(b *testing.B) { benchmarkApply(b, kv.Machine{}, kvPut, 1) })
	b.Run("kv/64 clients", func(b *testing.B) { benchmarkApply(b, kv.Machine{}, kvPut, perBatch) })
	b.Run("kv with a history/64 clients", func(b *testing.B) { benchmarkApply(b, kv.Machine{History: 100}, kvPut, perBatch) })
	for _, keep := range []kv.Keep{{}, {Revisions: 6400}} {
		name := fmt.Sprintf("kv at version 2/keep %d revisions", keep.Revisions)
		b.Run(name, func(b *testing.B) {
			benchmarkApply(b, kv.Machine{Keep: keep}, kvPut, perBatch, statemachine.Limits{FirstVersion: 2})
		})
	}
}

func benchmarkApply(b *testing.B, m statemachine.Machine, op func(n uint64) []byte, clients uint64, limits ...statemachine.Limits) {
	store := memstore.New()
	s, err := statemachine.New(m, store, append(limits, statemachine.Limits{})[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		if n%perBatch != 0 { // the whole batch is executed at the turn of its first request
			n++
			continue
		}
		batch := statemachine.Batch{Seq: n/perBatch + 1, Time: int64(n) + 1}
		for i := range uint64(perBatch) {
			t := (n + i) / clients
			batch.Requests = append(batch.Requests, statemachine.Request{
				Client: [32]byte{byte((n + i) % clients)}, Session: 1, T: t,
				AckedBelow: t - min(t, perBatch/clients), Digest: [32]byte{1}, Ops: [][]byte{op(n + i)},
			})
		}
		if _, err := s.Apply(batch); err != nil {
			b.Fatal(err)
		}
		if batch.Seq%8 == 0 {
			if err := s.Flush(); err != nil {
				b.Fatal(err)
			}
		}
		if batch.Seq%128 == 0 {
			store.Discard(batch.Seq)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "puts/s")
}
