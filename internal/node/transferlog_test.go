package node

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// Each step of a transfer is told once, and how far it is every five seconds.
func TestTransferLog_TellsEachStepOnce(t *testing.T) {
	var out lines
	m := newMetrics()
	log := &transferLog{log: slog.New(slog.NewTextHandler(&out, nil)), metrics: m}
	p := replica.Progress{}
	at := func(now time.Duration, change func()) {
		change()
		p.Now = now
		log.see(&p, now)
		log.see(&p, now) // nothing has changed since
	}
	at(time.Second, func() {})
	at(2*time.Second, func() { p.Phase, p.Began = replica.Choosing, 2*time.Second })
	at(3*time.Second, func() { p.Phase, p.Seq, p.Rounds = replica.Loading, 40, 1 })
	at(4*time.Second, func() { p.Phase = replica.Fetching })
	at(5*time.Second, func() { p.Pinned, p.Donors = 1, []wire.ReplicaID{2} })
	at(6*time.Second, func() { p.Share, p.Bytes = 0.25, 1000 })
	at(10*time.Second, func() { p.Share, p.Bytes = 0.5, 4000 })
	at(11*time.Second, func() { p.Blamed, p.LastBlame = 1, "replica 2: not its hash" })
	at(12*time.Second, func() { p.Pinned, p.Donors, p.Seq, p.Rounds = 1, []wire.ReplicaID{1}, 48, 2 })
	at(13*time.Second, func() { p.Phase, p.Bytes = replica.Switching, 8000 })
	at(14*time.Second, func() { p.Phase, p.Finished = replica.Idle, 1 })
	at(30*time.Second, func() { p.Phase, p.Began, p.Bytes, p.Rounds = replica.Choosing, 30*time.Second, 0, 0 })
	at(31*time.Second, func() { p.Bytes = 500 })
	for text, times := range map[string]int{
		"cannot follow the others any more":           2,
		`checkpoint=40 from_replicas=[2]`:             1,
		`checkpoint=48 from_replicas=[1]`:             1,
		"share=50.0% bytes=4000 bytes_per_second=500": 1,
		"remaining=8s":                                    1,
		"not what the checkpoint says":                    1,
		`who="replica 2: not its hash"`:                   1,
		"the state is fetched":                            1,
		"checkpoint=48 keys=0 deleted=0 bytes=8000 took=": 1,
		"level=": 8 - 1,
	} {
		if n := strings.Count(out.buf.String(), text); n != times {
			t.Errorf("%q is said %d times, want %d", text, n, times)
		}
	}
	if t.Failed() {
		t.Log(out.buf.String())
	}
	want(t, m, map[string]float64{
		"tagma_transfers_begun_total": 2, "tagma_transfers_finished_total": 1, "tagma_transfer_rounds_total": 2,
		"tagma_transfer_blamed_total": 1, "tagma_transfer_received_bytes_total": 8500,
	})
}
